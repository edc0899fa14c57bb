-- Zoom's events that were kept and could not be applied: the job tries them again.
SET LOCAL search_path = classclock, public;

-- Until it was applied: when the job tries next. Infinity: never again by itself, see lib/zoom_intake.c.
ALTER TABLE zoom_raw ADD COLUMN apply_at timestamptz CHECK (apply_at IS NULL OR kind IS NOT NULL);
CREATE INDEX zoom_raw_unapplied ON zoom_raw (apply_at) WHERE apply_at IS NOT NULL;

-- Those of before, for which nobody would have come: of whose meeting nothing is known, or that its class lacks.
UPDATE zoom_raw r SET apply_at = clock_now() WHERE kind IS NOT NULL AND received_at > clock_now() - interval '8 days'
  AND (NOT EXISTS (SELECT FROM zoom_occurrences o WHERE o.uuid = r.uuid)
    OR EXISTS (SELECT FROM zoom_occurrences o WHERE o.uuid = r.uuid AND o.session_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM session_events e WHERE e.session_id = o.session_id AND e.dedupe = r.key)));
