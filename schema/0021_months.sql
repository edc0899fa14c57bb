-- A third sum: by month and people. A search for part of a name over a year meets it instead of millions of sessions.
--
-- A month is one of UTC, whatever the academy's zone; the ends of a filter's days that lie within one are counted in
-- sessions. It is fed by whoever folds session_changes into the other two sums (0007_totals.sql), also by a program of an
-- older version: what is taken out of there goes in here.
SET LOCAL search_path = classclock, public;

CREATE FUNCTION session_month(moment timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  AS $$SELECT date_trunc('month', moment, 'UTC')$$;

CREATE TABLE session_months (
  month timestamptz NOT NULL,
  LIKE session_totals,
  UNIQUE NULLS NOT DISTINCT (month, student_id, teacher_id, package_id, session_status)
);

CREATE FUNCTION session_fold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO classclock.session_months AS t
  SELECT classclock.session_month(hour), teacher_id, student_id, package_id, session_status, sum(n), sum(minutes)
  FROM folded GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT (month, student_id, teacher_id, package_id, session_status) DO UPDATE
  SET n = t.n + excluded.n, minutes = t.minutes + excluded.minutes;
  RETURN NULL;
END $$;
CREATE TRIGGER session_fold AFTER DELETE ON session_changes REFERENCING OLD TABLE AS folded FOR EACH STATEMENT
  EXECUTE FUNCTION session_fold();
ALTER TABLE session_changes ENABLE ALWAYS TRIGGER session_fold;

-- Nobody folds meanwhile, nor ends a class; clicks and sends go on. What waits in session_changes is folded later.
LOCK TABLE session_changes IN EXCLUSIVE MODE;
INSERT INTO session_months
SELECT session_month(hour), teacher_id, student_id, package_id, session_status, sum(n), sum(minutes)
FROM (SELECT session_hour(clicked_at, sent_at) AS hour, teacher_id, student_id, package_id, session_status, 1 AS n,
    coalesce(session_duration_minutes, 0) AS minutes
  FROM sessions WHERE session_status NOT IN ('sent', 'active')
  UNION ALL SELECT hour, teacher_id, student_id, package_id, session_status, -n, -minutes FROM session_changes) counted
GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0 OR sum(minutes) <> 0;

GRANT SELECT, INSERT, UPDATE ON session_months TO classclock_app;
