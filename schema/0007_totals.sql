-- Totals over a filter without counting years of sessions.
--
-- What has come to its end is counted twice, by teacher, student, package and status, and by hour, package and status;
-- what has not, "sent" and "active", is little and is counted where it stands. Each change of a counted session adds rows
-- to session_changes, which belong to both sums at once and which the timeout job folds into them: nobody waits for
-- another's count. An hour is one of UTC, whatever the academy's zone; the ends of a day that lie within one are counted
-- in sessions.
SET LOCAL search_path = classclock, public;

CREATE TABLE session_totals (
  teacher_id bigint NOT NULL,
  student_id bigint NOT NULL,
  package_id text,
  session_status text NOT NULL,
  n bigint NOT NULL,
  minutes bigint NOT NULL,
  UNIQUE NULLS NOT DISTINCT (student_id, teacher_id, package_id, session_status)
);
CREATE INDEX session_totals_teacher ON session_totals (teacher_id);
CREATE TABLE session_hours (
  hour timestamptz NOT NULL,
  package_id text,
  session_status text NOT NULL,
  n bigint NOT NULL,
  minutes bigint NOT NULL,
  UNIQUE NULLS NOT DISTINCT (hour, package_id, session_status)
);
CREATE TABLE session_changes (
  hour timestamptz NOT NULL,
  teacher_id bigint NOT NULL,
  student_id bigint NOT NULL,
  package_id text,
  session_status text NOT NULL,
  n bigint NOT NULL,
  minutes bigint NOT NULL
);

-- The hour in which a session counts.
CREATE FUNCTION session_hour(clicked_at timestamptz, sent_at timestamptz) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$SELECT date_bin('1 hour', coalesce(clicked_at, sent_at), timestamptz '2000-01-01 00:00:00+00')$$;

-- Every kind of day filter asks for classes by the day of their click. Few were not opened in the life of a link: those
-- whose start was corrected, or that were reopened.
CREATE INDEX sessions_odd_start ON sessions ((coalesce(clicked_at, sent_at)))
  WHERE clicked_at - sent_at NOT BETWEEN interval '0' AND interval '168 hours';

CREATE FUNCTION session_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.session_status NOT IN ('sent', 'active') THEN
    INSERT INTO classclock.session_changes VALUES (
      classclock.session_hour(OLD.clicked_at, OLD.sent_at), OLD.teacher_id, OLD.student_id, OLD.package_id, OLD.session_status,
      -1, -coalesce(OLD.session_duration_minutes, 0));
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.session_status NOT IN ('sent', 'active') THEN
    INSERT INTO classclock.session_changes VALUES (
      classclock.session_hour(NEW.clicked_at, NEW.sent_at), NEW.teacher_id, NEW.student_id, NEW.package_id, NEW.session_status,
      1, coalesce(NEW.session_duration_minutes, 0));
  END IF;
  RETURN NULL;
END $$;

-- A click, from sent to active, does not come here.
CREATE TRIGGER session_count_update AFTER UPDATE ON sessions FOR EACH ROW
  WHEN ((OLD.session_status, OLD.session_duration_minutes, OLD.clicked_at, OLD.sent_at, OLD.teacher_id, OLD.student_id, OLD.package_id)
      IS DISTINCT FROM (NEW.session_status, NEW.session_duration_minutes, NEW.clicked_at, NEW.sent_at, NEW.teacher_id, NEW.student_id,
        NEW.package_id)
    AND (OLD.session_status NOT IN ('sent', 'active') OR NEW.session_status NOT IN ('sent', 'active')))
  EXECUTE FUNCTION session_count();
CREATE TRIGGER session_count_insert AFTER INSERT ON sessions FOR EACH ROW
  WHEN (NEW.session_status NOT IN ('sent', 'active')) EXECUTE FUNCTION session_count();
CREATE TRIGGER session_count_delete AFTER DELETE ON sessions FOR EACH ROW
  WHEN (OLD.session_status NOT IN ('sent', 'active')) EXECUTE FUNCTION session_count();
-- Whoever writes, and however: a restored or repaired row counts too.
ALTER TABLE sessions ENABLE ALWAYS TRIGGER session_count_update, ENABLE ALWAYS TRIGGER session_count_insert,
  ENABLE ALWAYS TRIGGER session_count_delete;

INSERT INTO session_totals
SELECT teacher_id, student_id, package_id, session_status, count(*), coalesce(sum(session_duration_minutes), 0)
FROM sessions WHERE session_status NOT IN ('sent', 'active') GROUP BY 1, 2, 3, 4;

INSERT INTO session_hours
SELECT session_hour(clicked_at, sent_at), package_id, session_status, count(*), coalesce(sum(session_duration_minutes), 0)
FROM sessions WHERE session_status NOT IN ('sent', 'active') GROUP BY 1, 2, 3;

GRANT SELECT, INSERT, UPDATE ON session_totals, session_hours TO classclock_app;
GRANT SELECT, INSERT, DELETE ON session_changes TO classclock_app;
