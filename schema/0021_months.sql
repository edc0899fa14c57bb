-- A third sum: by month and people. A search for part of a name over a year meets it instead of millions of sessions.
--
-- It is fed like the two before it (0007_totals.sql): by the timeout job, from session_changes. A month is one of UTC,
-- whatever the academy's zone; the ends of a filter's days that lie within one are counted in sessions.
SET LOCAL search_path = classclock, public;

CREATE FUNCTION session_month(moment timestamptz) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  AS $$SELECT date_trunc('month', moment, 'UTC')$$;

CREATE TABLE session_months (
  month timestamptz NOT NULL,
  teacher_id bigint NOT NULL,
  student_id bigint NOT NULL,
  package_id text,
  session_status text NOT NULL,
  n bigint NOT NULL,
  minutes bigint NOT NULL,
  UNIQUE NULLS NOT DISTINCT (month, student_id, teacher_id, package_id, session_status)
);

-- What waits in session_changes is folded into all three later.
LOCK TABLE sessions, session_changes IN EXCLUSIVE MODE;
INSERT INTO session_months
SELECT session_month(hour), teacher_id, student_id, package_id, session_status, sum(n), sum(minutes)
FROM (SELECT session_hour(clicked_at, sent_at) AS hour, teacher_id, student_id, package_id, session_status, 1 AS n,
    coalesce(session_duration_minutes, 0) AS minutes
  FROM sessions WHERE session_status NOT IN ('sent', 'active')
  UNION ALL SELECT hour, teacher_id, student_id, package_id, session_status, -n, -minutes FROM session_changes) counted
GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0 OR sum(minutes) <> 0;

GRANT SELECT, INSERT, UPDATE ON session_months TO classclock_app;
