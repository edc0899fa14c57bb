-- A link that somebody withdrew opens nothing, also where a newer one was sent after it.
SET LOCAL search_path = classclock, public;

UPDATE sessions s SET superseded_by = NULL WHERE superseded_by IS NOT NULL
  AND EXISTS (SELECT FROM session_events e WHERE e.session_id = s.id AND e.kind = 'cancelled');
