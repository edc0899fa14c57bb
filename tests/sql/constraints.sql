-- Rules that must always hold are constraints: rows that break one are refused by the database itself.
BEGIN;
SELECT no_plan();

INSERT INTO accounts (id, role, name, email) VALUES (9001, 'teacher', 'Hana', 'hana@constraints.example');
INSERT INTO students (id, name, teacher_id) VALUES (9001, 'Abel', 9001);

-- A session that is fine, with what $1 says otherwise: the constraint that it breaks, or 'none'.
CREATE FUNCTION pg_temp.broken(changes jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  base jsonb := jsonb_build_object('teacher_id', 9001, 'student_id', 9001, 'currency', 'USD', 'duration_minutes', 60,
    'buffer_minutes', 10, 'link_hours', 12, 'link_id', gen_random_uuid(), 'request_id', gen_random_uuid(),
    'request_digest', '\x00', 'zoom_url', 'https://zoom.us/j/123456789', 'session_status', 'sent',
    'sent_at', '2026-01-01T08:00:00Z', 'estimated', false, 'corrected', false, 'zoom_seen', false, 'unsettled', false,
    'attendance_note', '');
  r sessions;
  name text;
BEGIN
  r := jsonb_populate_record(NULL::sessions, base || changes);
  INSERT INTO sessions (teacher_id, student_id, package_id, package_rate, currency, duration_minutes, buffer_minutes,
      link_hours, link_id, request_id, request_digest, zoom_url, session_status, sent_at, clicked_at, times_out_at,
      session_ended_at, ended_by, estimated, corrected, zoom_seen, unsettled, attendance, attendance_note)
    VALUES (r.teacher_id, r.student_id, r.package_id, r.package_rate, r.currency, r.duration_minutes, r.buffer_minutes,
      r.link_hours, r.link_id, r.request_id, r.request_digest, r.zoom_url, r.session_status, r.sent_at, r.clicked_at,
      r.times_out_at, r.session_ended_at, r.ended_by, r.estimated, r.corrected, r.zoom_seen, r.unsettled, r.attendance,
      r.attendance_note);
  RETURN 'none';
EXCEPTION WHEN integrity_constraint_violation THEN
  GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
  RETURN coalesce(nullif(name, ''), SQLERRM);
END $$;

-- What a command of any kind breaks.
CREATE FUNCTION pg_temp.breaks(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  name text;
BEGIN
  EXECUTE command;
  RETURN 'none';
EXCEPTION WHEN integrity_constraint_violation THEN
  GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
  RETURN coalesce(nullif(name, ''), SQLERRM);
END $$;

-- ---------------------------------------------------------------- states

CREATE TEMP TABLE states (session_status text, row jsonb);
INSERT INTO states VALUES
  ('sent', '{}'), ('cancelled', '{}'), ('missed', '{}'),
  ('active', '{"clicked_at": "2026-01-01T08:05:00Z", "times_out_at": "2026-01-01T09:15:00Z"}'),
  ('ended', '{"clicked_at": "2026-01-01T08:05:00Z", "times_out_at": "2026-01-01T09:15:00Z",
    "session_ended_at": "2026-01-01T09:00:00Z", "ended_by": "zoom"}'),
  ('timeout', '{"clicked_at": "2026-01-01T08:05:00Z", "times_out_at": "2026-01-01T09:15:00Z",
    "session_ended_at": "2026-01-01T09:15:00Z", "estimated": true}');

SELECT is(pg_temp.broken(row || jsonb_build_object('session_status', session_status)), 'none', session_status || ' is fine')
  FROM states;

-- Each state with the row of each other kind of state: refused, always.
SELECT isnt(pg_temp.broken(other.row || jsonb_build_object('session_status', s.session_status)), 'none',
    format('%s is refused with what makes a row %s', s.session_status, other.session_status))
  FROM states s CROSS JOIN states other
  WHERE s.row <> other.row;

SELECT is(pg_temp.broken(row || '{"session_status": "running"}'), 'sessions_session_status_check', 'no other states')
  FROM states WHERE session_status = 'sent';
SELECT is(pg_temp.broken(row || '{"session_status": "active", "times_out_at": null}'), 'sessions_deadline',
  'who runs has a deadline') FROM states WHERE session_status = 'active';
SELECT is(pg_temp.broken(row || '{"session_status": "ended", "ended_by": null}'), 'sessions_ended_by', 'an end is by someone')
  FROM states WHERE session_status = 'ended';
SELECT is(pg_temp.broken(row || '{"session_status": "ended", "ended_by": "student"}'), 'sessions_ended_by_check',
  'but not by anyone') FROM states WHERE session_status = 'ended';
SELECT is(pg_temp.broken(row || '{"session_status": "ended", "session_ended_at": "2026-01-01T08:04:59.999999Z"}'),
  'sessions_order', 'no end before the start') FROM states WHERE session_status = 'ended';
SELECT is(pg_temp.broken(row || '{"session_status": "ended", "session_ended_at": "2026-01-01T08:05:00Z"}'),
  'none', 'an end at the start is one') FROM states WHERE session_status = 'ended';
SELECT is(pg_temp.broken(row || '{"session_status": "ended", "estimated": true}'), 'sessions_estimated',
  'only a timeout is estimated') FROM states WHERE session_status = 'ended';
SELECT is(pg_temp.broken(row || '{"session_status": "timeout", "session_ended_at": "2026-01-01T09:14:59Z"}'),
  'sessions_timeout', 'a timeout ends at its deadline') FROM states WHERE session_status = 'timeout';

-- ---------------------------------------------------------------- minutes

CREATE FUNCTION pg_temp.minutes(length interval) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  n integer;
BEGIN
  PERFORM pg_temp.broken(jsonb_build_object('session_status', 'ended', 'clicked_at', '2026-01-01T08:05:00.25Z',
    'times_out_at', '2026-01-01T09:15:00.25Z', 'ended_by', 'teacher', 'attendance_note', length::text,
    'session_ended_at', timestamptz '2026-01-01T08:05:00.25Z' + length));
  SELECT session_duration_minutes INTO STRICT n FROM sessions WHERE attendance_note = length::text;
  RETURN n;
END $$;

SELECT is(pg_temp.minutes(length), minutes, length || ' is ' || minutes) FROM (VALUES
  (interval '0', 0), ('29.999999 s', 0), ('30 s', 1), ('89.999999 s', 1), ('90 s', 2), ('149.999999 s', 2), ('150 s', 3),
  ('47 min 29.999999 s', 47), ('47 min 30 s', 48), ('70 min', 70), ('40 min', 40), ('23 h 59 min 30 s', 1440)
) v (length, minutes);

SELECT throws_ok('UPDATE sessions SET session_duration_minutes = 5', '428C9', NULL, 'minutes are never written by hand');

-- ---------------------------------------------------------------- what a session keeps

SELECT is(pg_temp.broken(changes), broken, changes::text) FROM (VALUES
  ('{"package_rate": -0.01}'::jsonb, 'sessions_package_rate_check'), ('{"package_rate": 0}', 'none'),
  ('{"currency": "usd"}', 'sessions_currency_check'), ('{"duration_minutes": 0}', 'sessions_duration_minutes_check'),
  ('{"buffer_minutes": -1}', 'sessions_buffer_minutes_check'), ('{"link_hours": 169}', 'sessions_link_hours_check'),
  ('{"package_id": "Atlantis"}', 'sessions_package_id_fkey'), ('{"student_id": 1000000}', 'sessions_student_id_fkey'),
  ('{"teacher_id": 1000000}', 'sessions_teacher_id_fkey'), ('{"zoom_url": ""}', 'sessions_zoom_url_check'),
  ('{"attendance": "here"}', 'sessions_attendance_check'), ('{"attendance": "late"}', 'none')
) v (changes, broken);
SELECT is(pg_temp.broken(jsonb_build_object('zoom_url', repeat('x', n))), broken, n || ' bytes of Zoom link')
  FROM (VALUES (600, 'none'), (601, 'sessions_zoom_url_check')) v (n, broken);

SELECT is(pg_temp.broken('{"request_id": "00000000-0000-4000-8000-000000000001"}'), 'none', 'a tap makes a session');
SELECT is(pg_temp.broken('{"request_id": "00000000-0000-4000-8000-000000000001"}'), 'sessions_request_id_key',
  'and its repeat no second one');

-- ---------------------------------------------------------------- evidence

CREATE FUNCTION pg_temp.evidence(kind text, source text, dedupe text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.breaks(format('INSERT INTO session_events (session_id, kind, happened_at, source, dedupe)'
    ' SELECT id, %L, now(), %L, %L FROM sessions WHERE request_id = %L', kind, source, dedupe,
    '00000000-0000-4000-8000-000000000001'))
$$;
SELECT is(pg_temp.evidence('clicked', 'student'), 'none', 'evidence is kept');
SELECT is(pg_temp.evidence('guessed', 'student'), 'session_events_kind_check', 'of known kinds');
SELECT is(pg_temp.evidence('clicked', 'nobody'), 'session_events_source_check', 'from known sources');
SELECT is(pg_temp.evidence('zoom_ended', 'zoom', 'once'), 'none', 'an observation');
SELECT is(pg_temp.evidence('zoom_ended', 'zoom', 'once'), 'session_events_session_id_dedupe_key', 'and its repeat');
SELECT is(pg_temp.breaks('DELETE FROM sessions WHERE request_id = ''00000000-0000-4000-8000-000000000001'''),
  'session_events_session_id_fkey', 'no session goes while there is evidence of it');

-- ---------------------------------------------------------------- people and packages

SELECT is(pg_temp.breaks(command), broken, command) FROM (VALUES
  ($$INSERT INTO accounts (role, name, email) VALUES ('teacher', 'x', 'HANA@Constraints.example')$$, 'accounts_email'),
  ($$INSERT INTO accounts (role, name, email) VALUES ('owner', 'x', 'x@x')$$, 'accounts_role_check'),
  ($$INSERT INTO accounts (role, name, email) VALUES ('admin', '', 'x@x')$$, 'accounts_name_check'),
  ($$INSERT INTO students (name, teacher_id) VALUES ('x', 1000000)$$, 'students_teacher_id_fkey'),
  ($$INSERT INTO students (name, teacher_id, language) VALUES ('x', 9001, 'English')$$, 'students_language_check'),
  ($$INSERT INTO students (name, teacher_id, language) VALUES ('x', 9001, 'zh-Hant')$$, 'none'),
  ($$INSERT INTO packages VALUES ('x', 60, 10, -0.01, 'USD')$$, 'packages_rate_check'),
  ($$INSERT INTO packages VALUES ('x', 0, 10, 1, 'USD')$$, 'packages_duration_minutes_check'),
  ($$INSERT INTO packages VALUES ('x', 60, -1, 1, 'USD')$$, 'packages_buffer_minutes_check'),
  ($$INSERT INTO packages VALUES ('x', 60, 10, 1, 'US')$$, 'packages_currency_check'),
  ($$INSERT INTO packages VALUES ('', 60, 10, 1, 'USD')$$, 'packages_id_check'),
  ($$INSERT INTO packages VALUES ('0 Fee x', 30, 10, 0, 'USD')$$, 'none'),
  ($$INSERT INTO academy DEFAULT VALUES$$, 'academy_pkey'),
  ($$INSERT INTO academy (id) VALUES (false)$$, 'academy_id_check'),
  ($$UPDATE academy SET time_zone = 'Mars/Olympus'$$, 'academy_time_zone_check'),
  ($$UPDATE academy SET time_zone = 'EST5EDT,M3.2.0,M11.1.0'$$, 'academy_time_zone_check'),
  ($$UPDATE academy SET default_duration_minutes = 0$$, 'academy_default_duration_minutes_check'),
  ($$UPDATE academy SET link_hours = 0$$, 'academy_link_hours_check')
) v (command, broken);

SELECT * FROM finish();
ROLLBACK;
