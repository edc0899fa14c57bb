-- The demo academy: five teachers, forty students, ninety days of classes with the evidence that
-- decides them, every state, and some running now. Run by classclock-admin demo, in one transaction,
-- into a database without people; its packages are there already (demo_packages.sql).
--
-- The same each time but for when "now" is: every choice is made by pick(). Random are only the
-- uuids that links and requests are known by.
SET LOCAL statement_timeout = 0;

DO $$
BEGIN
  IF EXISTS (SELECT FROM sessions) OR EXISTS (SELECT FROM students) THEN
    RAISE EXCEPTION 'the demo academy is for an empty database; this one has students or sessions';
  END IF;
END
$$;

-- A number from 0 to n - 1 that depends on the key alone.
CREATE FUNCTION pg_temp.pick(key text, n integer) RETURNS integer LANGUAGE sql IMMUTABLE
  AS $$SELECT (('x' || substr(md5(key), 1, 8))::bit(32)::bigint % n)::integer$$;

-- When the timeout job, which runs every five minutes, notices what happened at t.
CREATE FUNCTION pg_temp.job_after(t timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
  AS $$SELECT date_bin('5 minutes', t, timestamptz '2000-01-01 00:00:00+00') + interval '5 minutes 2 seconds'$$;

UPDATE academy SET name = 'Sunrise Academy', time_zone = 'Africa/Addis_Ababa';

-- ---------------------------------------------------------------- people

INSERT INTO accounts (role, name, email, created_at)
SELECT 'teacher', name, email, clock_now() - interval '120 days'
FROM (VALUES (1, 'Hana Tesfaye', 'hana@example.org'), (2, 'Samir Haddad', 'samir@example.org'),
  (3, 'Marta Lindqvist', 'marta@example.org'), (4, 'Daniel Okafor', 'daniel@example.org'),
  (5, 'ليلى منصور', 'leila@example.org')) t (n, name, email)
ORDER BY n;

-- Eight students a teacher; place is the hour a student has in the teacher's day.
CREATE TEMP TABLE demo_students ON COMMIT DROP AS
SELECT row_number() OVER () AS n, (row_number() OVER () - 1) % 8 AS place, s.*
FROM (VALUES
  ('hana@example.org', 'Abel Girma', 'Europe', 'en'), ('hana@example.org', 'ሰላም አበበ', 'Europe', 'am'),
  ('hana@example.org', 'ዳዊት ከበደ', '0 Fee', 'am'), ('hana@example.org', 'Sara Bekele', 'Europe', 'am'),
  ('hana@example.org', 'ቤተልሔም ታደሰ', 'USA', 'am'), ('hana@example.org', 'Noah Bekele', 'Europe', 'en'),
  ('hana@example.org', 'ናትናኤል ግርማ', '0 Fee', 'am'), ('hana@example.org', 'Ruth Hailu', NULL, 'en'),
  ('samir@example.org', 'مريم يوسف', 'Europe', 'ar'), ('samir@example.org', 'عمر خالد', 'USA', 'ar'),
  ('samir@example.org', 'Adam Khalil', 'Canada', 'en'), ('samir@example.org', 'Layla Khalil', 'Canada', 'en'),
  ('samir@example.org', 'نور الهدى عباس', '0 Fee', 'ar'), ('samir@example.org', 'Yasmin Farouk', 'Europe', 'en'),
  ('samir@example.org', 'Idris Benali', 'Europe', 'fr'), ('samir@example.org', 'سلمى حسن', 'USA', 'ar'),
  ('marta@example.org', 'Elsa Nyström', 'Europe', 'sv'), ('marta@example.org', 'Oskar Nyström', 'Europe', 'sv'),
  ('marta@example.org', 'Amina Warsame', 'Europe', 'sv'), ('marta@example.org', 'Liv Andersen', 'Europe', 'da'),
  ('marta@example.org', 'Jonas Weber', '0 Fee', 'de'), ('marta@example.org', 'Mia O''Connor', 'Europe', 'en'),
  ('marta@example.org', 'Łukasz Wójcik', 'Europe', 'pl'), ('marta@example.org', 'Zoë van Dijk', NULL, 'nl'),
  ('daniel@example.org', 'Grace Mensah', 'USA', 'en'), ('daniel@example.org', 'Ethan Brooks', 'USA', 'en'),
  ('daniel@example.org', 'Ava Brooks', 'USA', 'en'), ('daniel@example.org', 'Miguel Santos', 'USA', 'es'),
  ('daniel@example.org', 'Chidi Eze', '0 Fee', 'en'), ('daniel@example.org', 'Chloé Tremblay', 'Canada', 'fr'),
  ('daniel@example.org', 'Liam MacLeod', 'Canada', 'en'), ('daniel@example.org', 'Naomi Adeyemi', 'USA', 'en'),
  ('leila@example.org', 'يوسف إبراهيم', 'Europe', 'ar'), ('leila@example.org', 'هدى سليمان', 'Europe', 'ar'),
  ('leila@example.org', 'كريم ناصر', 'Canada', 'ar'), ('leila@example.org', 'Salma Idrissi', 'Europe', 'fr'),
  ('leila@example.org', 'رنا الشامي', '0 Fee', 'ar'), ('leila@example.org', 'Omar Aziz', 'USA', 'en'),
  ('leila@example.org', 'ጽዮን መኮንን', 'Europe', 'am'), ('leila@example.org', 'Daniela Rossi', 'Europe', 'it')
) s (teacher, name, package_id, language);

-- One Zoom room a teacher.
INSERT INTO students (name, teacher_id, package_id, language, zoom_url, created_at)
SELECT s.name, a.id, s.package_id, s.language,
  'https://zoom.us/j/' || 5551112221 + (s.n - 1) / 8 || '?pwd=demo' || 1 + (s.n - 1) / 8,
  clock_now() - interval '100 days' + s.n * interval '3 hours'
FROM demo_students s JOIN accounts a ON a.email = s.teacher ORDER BY s.n;

-- ---------------------------------------------------------------- what happened

-- A class each: how it came out, when its link was sent and opened. seed makes its other choices.
CREATE TEMP TABLE demo_classes (
  seed text, student text, outcome text, sent_at timestamptz, clicked_at timestamptz
) ON COMMIT DROP;

-- The past days: each student has two or three classes in seven days, at the own hour. Eighty minutes
-- hold the longest class, so that no two of a teacher meet.
INSERT INTO demo_classes
SELECT seed, name, outcome, sent_at, CASE WHEN outcome NOT IN ('cancelled', 'missed')
  THEN sent_at + (20 + pick_click) * interval '1 second' END
FROM demo_students s
CROSS JOIN generate_series(1, 90) AS ago
CROSS JOIN LATERAL (SELECT s.n || '/' || ago AS seed) k
CROSS JOIN LATERAL (SELECT pg_temp.pick(seed || ' outcome', 1000) AS x,
  pg_temp.pick(seed || ' click', 7 * 60) AS pick_click) p
CROSS JOIN LATERAL (SELECT academy_day_start(academy_day(clock_now()) - ago) + interval '8 hours'
  + s.place * interval '80 minutes' + pg_temp.pick(seed || ' sent', 50) * interval '1 second' AS sent_at) t
CROSS JOIN LATERAL (SELECT CASE
  WHEN x < 30 THEN 'cancelled'
  WHEN x < 70 AND ago > 1 THEN 'missed' -- yesterday's link may still be open
  WHEN x < 150 THEN 'timed out'
  WHEN x < 170 THEN 'ran on'
  WHEN x < 190 THEN 'corrected'
  WHEN x < 200 THEN 'ended by admin'
  WHEN x < 270 THEN 'ended by teacher'
  WHEN x < 440 THEN 'teacher left'
  ELSE 'ended by zoom' END AS outcome) o
WHERE (ago + s.n) % 7 IN (0, 3) OR ((ago + s.n) % 7 = 5 AND s.n % 3 = 0);

-- The last hours: some are over, some run, some links are unopened, one was replaced by a newer one.
INSERT INTO demo_classes
SELECT 'now/' || name, name, outcome, clock_now() - sent_ago, clock_now() - sent_ago + opened_after
FROM (VALUES
  ('Abel Girma', 'ended by zoom', interval '3 hours 20 minutes', interval '90 seconds'),
  ('ዳዊት ከበደ', 'running', interval '14 minutes', interval '45 seconds'),
  ('Sara Bekele', 'unopened', interval '4 minutes', NULL),
  ('مريم يوسف', 'running', interval '52 minutes', interval '2 minutes'),
  ('Adam Khalil', 'teacher left', interval '2 hours 45 minutes', interval '3 minutes'),
  ('Elsa Nyström', 'running', interval '31 minutes', interval '30 seconds'),
  ('Amina Warsame', 'replaced', interval '11 minutes', NULL),
  ('Amina Warsame', 'unopened', interval '6 minutes', NULL),
  ('Ethan Brooks', 'running', interval '64 minutes', interval '100 seconds'),
  ('Grace Mensah', 'timed out', interval '3 hours 40 minutes', interval '4 minutes'),
  ('Chidi Eze', 'unopened', interval '90 minutes', NULL),
  ('هدى سليمان', 'running', interval '8 minutes', interval '25 seconds'),
  ('كريم ناصر', 'cancelled', interval '2 hours', NULL)
) v (name, outcome, sent_ago, opened_after);

-- ---------------------------------------------------------------- sessions

-- With what applied when the link was sent. The ids come later.
CREATE TEMP TABLE demo_sessions ON COMMIT DROP AS
SELECT NULL::bigint AS id, gen_random_uuid() AS link_id, c.seed, c.outcome, c.sent_at, c.clicked_at, s.id AS student_id, s.teacher_id, s.zoom_url,
  s.package_id, p.rate, coalesce(p.currency, a.currency) AS currency, terms.duration_minutes, terms.buffer_minutes,
  a.link_hours, c.clicked_at + (terms.duration_minutes + terms.buffer_minutes) * interval '1 minute' AS deadline,
  c.clicked_at + least(terms.duration_minutes * 60 * (80 + pg_temp.pick(c.seed || ' length', 32)) / 100,
    (terms.duration_minutes + terms.buffer_minutes) * 60 - 30) * interval '1 second' AS ending
FROM demo_classes c
JOIN students s ON s.name = c.student
CROSS JOIN academy a
LEFT JOIN packages p ON p.id = s.package_id
CROSS JOIN LATERAL (SELECT coalesce(p.duration_minutes, a.default_duration_minutes) AS duration_minutes,
  coalesce(p.buffer_minutes, a.default_buffer_minutes) AS buffer_minutes) terms;

INSERT INTO sessions (teacher_id, student_id, package_id, package_rate, currency, duration_minutes,
  buffer_minutes, link_hours, link_id, request_id, request_digest, zoom_url, meeting_id, session_status,
  sent_at, clicked_at, times_out_at, session_ended_at, ended_by, estimated, corrected, zoom_seen)
SELECT teacher_id, student_id, package_id, rate, currency, duration_minutes, buffer_minutes, link_hours,
  link_id, gen_random_uuid(), sha256(convert_to(seed, 'UTF8')), zoom_url,
  substring(zoom_url FROM '/j/([0-9]+)')::bigint,
  CASE outcome WHEN 'cancelled' THEN 'cancelled' WHEN 'replaced' THEN 'cancelled' WHEN 'missed' THEN 'missed'
    WHEN 'unopened' THEN 'sent' WHEN 'running' THEN 'active' WHEN 'timed out' THEN 'timeout'
    WHEN 'ran on' THEN 'timeout' ELSE 'ended' END,
  sent_at, clicked_at, deadline,
  CASE WHEN outcome IN ('timed out', 'ran on') THEN deadline WHEN outcome <> 'running' THEN ending END,
  CASE outcome WHEN 'ended by zoom' THEN 'zoom' WHEN 'teacher left' THEN 'teacher_left'
    WHEN 'ended by teacher' THEN 'teacher' WHEN 'ended by admin' THEN 'admin' WHEN 'corrected' THEN 'admin' END,
  outcome = 'timed out', outcome = 'corrected',
  outcome IN ('ended by zoom', 'ran on') OR (outcome IN ('timed out', 'running') AND pg_temp.pick(seed || ' zoom', 2) = 0)
FROM demo_sessions ORDER BY sent_at, student_id;
UPDATE demo_sessions d SET id = s.id FROM sessions s WHERE s.link_id = d.link_id;

UPDATE sessions old SET superseded_by = newer.id
FROM demo_sessions d, demo_sessions newer
WHERE d.id = old.id AND d.outcome = 'replaced' AND newer.student_id = d.student_id AND newer.outcome = 'unopened';

-- ---------------------------------------------------------------- evidence

CREATE TEMP TABLE demo_events (
  session_id bigint, kind text, happened_at timestamptz, received_at timestamptz, source text,
  account_id bigint, detail jsonb DEFAULT '{}', dedupe text
) ON COMMIT DROP;

INSERT INTO demo_events
SELECT id, 'sent', sent_at, sent_at, 'teacher', teacher_id, '{}'::jsonb, 'sent' FROM demo_sessions
UNION ALL
SELECT id, 'clicked', clicked_at, clicked_at, 'student', NULL, '{}', NULL FROM demo_sessions
WHERE clicked_at IS NOT NULL
UNION ALL -- now and then somebody taps once more when the class is over
SELECT id, 'click_ignored', deadline + interval '5 minutes', deadline + interval '5 minutes', 'student', NULL,
  '{"why": "late"}', 'ignored:late' FROM demo_sessions
WHERE deadline + interval '5 minutes' < clock_now() AND pg_temp.pick(seed || ' late', 60) = 0;

-- What Zoom tells, two seconds or more afterwards. The teacher opens the room before the student comes.
INSERT INTO demo_events (session_id, kind, happened_at, received_at, source, detail, dedupe)
SELECT d.id, e.kind, e.at, e.at + (2 + pg_temp.pick(d.seed || e.kind, 20)) * interval '1 second', 'zoom',
  jsonb_strip_nulls(jsonb_build_object('uuid', d.uuid, 'participant', e.side || '-' || d.id, 'side', e.side)),
  'demo:' || e.kind || coalesce(':' || e.side, '')
FROM (SELECT s.*, encode(substr(sha256(convert_to('meeting ' || s.seed, 'UTF8')), 1, 16), 'base64') AS uuid
  FROM demo_sessions s JOIN sessions USING (id) WHERE zoom_seen) d
CROSS JOIN LATERAL (VALUES
  ('zoom_started', NULL, d.sent_at + interval '8 seconds'),
  ('zoom_joined', 'teacher', d.sent_at + interval '9 seconds'),
  ('zoom_joined', 'student', d.clicked_at + interval '21 seconds'),
  ('zoom_left', 'student', CASE d.outcome WHEN 'ended by zoom' THEN d.ending - interval '4 seconds'
    WHEN 'ran on' THEN d.deadline + interval '11 minutes' END),
  ('zoom_left', 'teacher', CASE d.outcome WHEN 'ended by zoom' THEN d.ending - interval '1 second'
    WHEN 'ran on' THEN d.deadline + interval '12 minutes' END),
  ('zoom_ended', NULL, CASE d.outcome WHEN 'ended by zoom' THEN d.ending
    WHEN 'ran on' THEN d.deadline + interval '12 minutes 1 second' END)
) e (kind, side, at)
WHERE e.at IS NOT NULL;

-- What follows from it for those that are over: lib/presence.c.
UPDATE sessions s SET teacher_seconds = extract(epoch FROM gone.teacher - s.clicked_at),
  student_seconds = extract(epoch FROM gone.student - s.clicked_at) - 21,
  both_seconds = extract(epoch FROM gone.student - s.clicked_at) - 21
FROM demo_sessions d
CROSS JOIN LATERAL (SELECT CASE d.outcome WHEN 'ended by zoom' THEN d.ending - interval '1 second' ELSE d.deadline END AS teacher,
  CASE d.outcome WHEN 'ended by zoom' THEN d.ending - interval '4 seconds' ELSE d.deadline END AS student) gone
WHERE d.id = s.id AND s.zoom_seen AND s.session_ended_at IS NOT NULL;

-- The end as people saw it; where Zoom's decides, the teacher's page often told it a moment later.
INSERT INTO demo_events (session_id, kind, happened_at, received_at, source, account_id, detail, dedupe)
SELECT id, 'teacher_left', at, at, 'teacher', NULL::bigint, '{}'::jsonb, 'left:' || floor(extract(epoch FROM at))::bigint
FROM demo_sessions CROSS JOIN LATERAL (SELECT CASE outcome WHEN 'teacher left' THEN ending
  ELSE ending + interval '3 seconds' END AS at) t
WHERE outcome = 'teacher left' OR (outcome = 'ended by zoom' AND pg_temp.pick(seed || ' page', 3) = 0)
UNION ALL
SELECT id, 'teacher_ended', ending, ending, 'teacher', teacher_id, '{}', NULL FROM demo_sessions
WHERE outcome = 'ended by teacher'
UNION ALL
SELECT id, 'timed_out', deadline, pg_temp.job_after(deadline), 'system', NULL, '{}', NULL FROM demo_sessions
WHERE outcome IN ('timed out', 'ran on', 'corrected')
UNION ALL
SELECT id, 'missed', at, pg_temp.job_after(at), 'system', NULL, '{}', NULL
FROM demo_sessions CROSS JOIN LATERAL (SELECT sent_at + link_hours * interval '1 hour' AS at) t
WHERE outcome = 'missed'
UNION ALL
SELECT id, 'cancelled', at, at, 'teacher', teacher_id, '{"reason": "The family is travelling."}', NULL
FROM demo_sessions CROSS JOIN LATERAL (SELECT sent_at + interval '6 minutes' AS at) t
WHERE outcome = 'cancelled'
UNION ALL
SELECT s.id, 'superseded', newer.sent_at, newer.sent_at, 'system', NULL, '{}', 'superseded'
FROM sessions s JOIN sessions newer ON newer.id = s.superseded_by;

-- What the admin did, an hour after the deadline. Who it was is not known to a demo without accounts.
INSERT INTO demo_events (session_id, kind, happened_at, received_at, source, detail)
SELECT id, 'admin_ended', ending, ending, 'admin', '{"reason": "The teacher''s connection broke."}'::jsonb
FROM demo_sessions WHERE outcome = 'ended by admin'
UNION ALL
SELECT id, 'corrected', ending, deadline + interval '1 hour', 'admin',
  '{"field": "session_ended_at", "reason": "Agreed with the family.", "over": true}'
FROM demo_sessions WHERE outcome = 'corrected';

-- Attendance, a few minutes after the class.
UPDATE sessions s SET attendance = CASE
  WHEN d.outcome = 'missed' THEN CASE WHEN pg_temp.pick(d.seed || ' excuse', 3) = 0 THEN 'excused' ELSE 'absent' END
  WHEN d.outcome = 'cancelled' THEN 'excused'
  WHEN d.clicked_at > d.sent_at + interval '5 minutes' THEN 'late' ELSE 'present' END
FROM demo_sessions d
WHERE d.id = s.id AND d.outcome NOT IN ('running', 'unopened', 'replaced') AND pg_temp.pick(d.seed || ' marked', 12) > 0;
INSERT INTO demo_events (session_id, kind, happened_at, received_at, source, account_id, detail)
SELECT s.id, 'attendance', at, at, 'teacher', s.teacher_id, jsonb_build_object('attendance', s.attendance)
FROM sessions s
CROSS JOIN LATERAL (SELECT coalesce(s.times_out_at, s.sent_at + interval '20 minutes') + interval '4 minutes' AS at) t
WHERE s.attendance IS NOT NULL;

-- In the order in which it was received.
INSERT INTO session_events (session_id, kind, happened_at, received_at, source, account_id, detail, dedupe)
SELECT session_id, kind, happened_at, received_at, source, account_id, coalesce(detail, '{}'), dedupe
FROM demo_events ORDER BY received_at, session_id, happened_at, kind;

-- The taps behind it, from a network that documents use.
INSERT INTO clicks (session_id, happened_at, received_at, verdict, address, agent)
SELECT session_id, happened_at, received_at, CASE kind WHEN 'clicked' THEN 'human' ELSE 'late' END,
  '203.0.113.0/24', 'Mozilla/5.0 (demo)'
FROM demo_events WHERE kind IN ('clicked', 'click_ignored') ORDER BY received_at, session_id;
