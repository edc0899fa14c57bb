-- An academy of many years: :sessions sessions of 20,000 students and 400 teachers, evenly over the last three
-- years, newest last. Of the evidence, which nothing that is measured on it reads, only what a click writes is there: so
-- large are the tables and indexes that the next click writes to. Run as superuser.
SET session_replication_role = replica; -- people and packages are consistent by construction
INSERT INTO accounts (id, role, name, email)
SELECT 100000 + n, 'teacher', (ARRAY['Hana', 'Samir', 'Marta', 'Daniel', 'Leila', 'Ruth', 'Omar', 'Grace'])[1 + n % 8] || ' '
  || (ARRAY['Tesfaye', 'Haddad', 'Lindqvist', 'Okafor', 'Mansour', 'Bekele', 'Weber'])[1 + n % 7] || ' ' || n,
  'teacher' || n || '@academy.example'
FROM generate_series(0, 399) n;
INSERT INTO students (id, name, teacher_id, package_id)
SELECT 100000 + n, CASE n WHEN 7777 THEN 'Zbigniew Quill' ELSE
  (ARRAY['Abel', 'Sara', 'Noah', 'Adam', 'Layla', 'Yasmin', 'Elsa', 'Jonas', 'Mia', 'Ethan', 'Ava', 'Chidi', 'Liam'])[1 + n % 13]
  || ' ' || (ARRAY['Girma', 'Hailu', 'Khalil', 'Farouk', 'Benali', 'Weber', 'Santos', 'Adeyemi', 'Rossi', 'Nagy', 'Haile'])[1 + n % 11]
  || ' ' || n END,
  100000 + n % 400, (ARRAY['Europe', 'USA', 'Canada', '0 Fee'])[1 + n % 4]
FROM generate_series(0, 19999) n;

-- Indexes are quicker to build when the rows are there.
CREATE TEMP TABLE aside AS SELECT indexdef, indexname FROM pg_indexes i WHERE schemaname = 'classclock'
  AND tablename = 'sessions' AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname);
SELECT 'DROP INDEX ' || indexname FROM aside \gexec
ALTER TABLE sessions DISABLE TRIGGER session_count_insert;
INSERT INTO sessions (id, teacher_id, student_id, package_id, package_rate, currency, duration_minutes, buffer_minutes,
  link_hours, link_id, request_id, request_digest, zoom_url, meeting_id, session_status, sent_at, clicked_at, times_out_at,
  session_ended_at, ended_by, estimated, attendance)
SELECT n, 100000 + student % 400, 100000 + student, (ARRAY['Europe', 'USA', 'Canada', '0 Fee'])[1 + student % 4], 10, 'USD',
  60, 10, 12, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, '\x00', 'https://us02web.zoom.us/j/81234' || student % 400,
  812340000 + student % 400, status, sent, clicked, clicked + interval '70 minutes',
  CASE status WHEN 'ended' THEN clicked + (20 + n % 45) * interval '1 minute' WHEN 'timeout' THEN clicked + interval '70 minutes' END,
  CASE status WHEN 'ended' THEN 'teacher_left' END, status = 'timeout', CASE WHEN clicked IS NOT NULL AND n % 50 <> 0 THEN 'present' END
FROM (
  SELECT n, student, status, sent, CASE WHEN status IN ('active', 'ended', 'timeout') THEN sent + (n % 9) * interval '1 minute' END AS clicked
  FROM (
    SELECT n, (n::bigint * 7919 % 20000)::int AS student,
      clock_now() - interval '1 minute' - (:sessions - n) * (interval '1095 days' / :sessions) AS sent,
      CASE WHEN n > :sessions - 200 THEN CASE n % 2 WHEN 0 THEN 'active' ELSE 'sent' END
        WHEN n % 25 = 0 THEN 'missed' WHEN n % 33 = 0 THEN 'cancelled' WHEN n % 12 = 0 THEN 'timeout' ELSE 'ended' END AS status
    FROM generate_series(1, :sessions) n
  ) a
) b;
SELECT indexdef FROM aside \gexec
SELECT setval(pg_get_serial_sequence('sessions', 'id'), 2000000000);
ALTER TABLE sessions ENABLE ALWAYS TRIGGER session_count_insert;
INSERT INTO session_totals
SELECT teacher_id, student_id, package_id, session_status, count(*), coalesce(sum(session_duration_minutes), 0)
FROM sessions WHERE session_status NOT IN ('sent', 'active') GROUP BY 1, 2, 3, 4;
-- In the order in which the job meets them.
INSERT INTO session_hours
SELECT session_hour(clicked_at, sent_at), package_id, session_status, count(*), coalesce(sum(session_duration_minutes), 0)
FROM sessions WHERE session_status NOT IN ('sent', 'active') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
INSERT INTO session_months
SELECT session_month(session_hour(clicked_at, sent_at)), teacher_id, student_id, package_id, session_status, count(*),
  coalesce(sum(session_duration_minutes), 0)
FROM sessions WHERE session_status NOT IN ('sent', 'active') GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, min(id);
INSERT INTO session_events (session_id, kind, happened_at, received_at, source)
SELECT id, 'clicked', clicked_at, clicked_at, 'student' FROM sessions WHERE clicked_at IS NOT NULL AND id <= :sessions;
INSERT INTO clicks (session_id, happened_at, received_at, verdict, address, agent, key)
SELECT id, clicked_at, clicked_at, 'human', '192.0.2.0/24', 'Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36', gen_random_uuid()
FROM sessions WHERE clicked_at IS NOT NULL AND id <= :sessions;
VACUUM ANALYZE session_events;
VACUUM ANALYZE clicks;
VACUUM ANALYZE session_hours;
VACUUM ANALYZE session_months;
VACUUM ANALYZE session_totals;
VACUUM (FREEZE, ANALYZE) sessions;
VACUUM ANALYZE students;
VACUUM ANALYZE accounts;
CHECKPOINT;
