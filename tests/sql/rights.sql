-- Programs speak as classclock_app, which can neither change the schema nor evidence.
BEGIN;
SELECT no_plan();

-- ---------------------------------------------------------------- the roles

SELECT is_empty($$
  SELECT rolname FROM pg_roles WHERE rolname LIKE 'classclock\_%'
    AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)$$, 'neither role is more than a role');
SELECT is_empty($$
  SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid IN (m.member, m.roleid) WHERE r.rolname LIKE 'classclock\_%'$$,
  'neither is a member of another');
SELECT ok(current_setting(s) IS NOT NULL, 'known: ' || s)
  FROM unnest(ARRAY['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) s;
SELECT ok(EXISTS (SELECT FROM pg_db_role_setting d JOIN pg_roles r ON r.oid = d.setrole, unnest(d.setconfig) c
    WHERE r.rolname = 'classclock_app' AND c ~ ('^' || s || '=[1-9]')), 'programs have a ' || s)
  FROM unnest(ARRAY['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) s;

SELECT is_empty($$
  SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'classclock' AND pg_get_userbyid(c.relowner) <> 'classclock_owner'
  UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = 'classclock' AND pg_get_userbyid(p.proowner) <> 'classclock_owner'$$, 'the owner owns everything');
SELECT schema_privs_are('classclock', 'classclock_app', ARRAY['USAGE']);

-- ---------------------------------------------------------------- the tables

-- What programs may do with each; a new table needs a row here.
CREATE TEMP TABLE allowed (name text PRIMARY KEY, privs text);
INSERT INTO allowed VALUES
  ('academy', 'SELECT UPDATE'),
  ('accounts', 'INSERT SELECT UPDATE'),
  ('chat_codes', 'DELETE INSERT SELECT UPDATE'),
  ('clicks', 'DELETE INSERT SELECT UPDATE'),
  ('deliveries', 'DELETE INSERT SELECT'),
  ('invites', 'DELETE INSERT SELECT UPDATE'),
  ('job_runs', 'DELETE INSERT SELECT UPDATE'),
  ('journal_lines', 'DELETE INSERT SELECT'),
  ('login_attempts', 'DELETE INSERT SELECT UPDATE'),
  ('logins', 'DELETE INSERT SELECT UPDATE'),
  ('messages', 'INSERT SELECT UPDATE'),
  ('migrations', 'SELECT'),
  ('nodes', 'INSERT SELECT UPDATE'),
  ('packages', 'INSERT SELECT UPDATE'),
  ('session_changes', 'DELETE INSERT SELECT'),
  ('session_events', 'INSERT SELECT'),
  ('session_hours', 'INSERT SELECT UPDATE'),
  ('session_months', 'INSERT SELECT UPDATE'),
  ('session_totals', 'INSERT SELECT UPDATE'),
  ('sessions', 'INSERT SELECT UPDATE'),
  ('students', 'INSERT SELECT UPDATE'),
  ('telegram_bots', 'INSERT SELECT UPDATE'),
  ('telegram_chats', 'DELETE INSERT SELECT UPDATE'),
  ('telegram_updates', 'DELETE INSERT SELECT'),
  ('zoom_creates', 'DELETE INSERT SELECT UPDATE'),
  ('zoom_hosts', 'DELETE INSERT SELECT UPDATE'),
  ('zoom_occurrences', 'DELETE INSERT SELECT UPDATE'),
  ('zoom_pauses', 'DELETE INSERT SELECT UPDATE'),
  ('zoom_raw', 'DELETE INSERT SELECT UPDATE'),
  ('zoom_tokens', 'DELETE INSERT SELECT UPDATE');

SELECT bag_eq($$SELECT tablename::text FROM pg_tables WHERE schemaname = 'classclock'$$, 'SELECT name FROM allowed',
  'every table has a row here');
SELECT table_privs_are('classclock', name, 'classclock_app', string_to_array(privs, ' '), 'rights on ' || name) FROM allowed;
SELECT table_privs_are('classclock', name, 'public', ARRAY[]::text[], 'none for others on ' || name) FROM allowed;
SELECT is_empty($$
  SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'classclock' AND a.attacl IS NOT NULL$$, 'no rights on single columns');
SELECT is_empty($$SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = 'classclock' AND prosecdef$$, 'no function lends its owner''s rights');

-- ---------------------------------------------------------------- and tried

INSERT INTO accounts (id, role, name, email) VALUES (9001, 'teacher', 'Hana', 'hana@rights.example');
INSERT INTO students (id, name, teacher_id) VALUES (9001, 'Abel', 9001);
INSERT INTO sessions (id, teacher_id, student_id, currency, duration_minutes, buffer_minutes, link_hours, link_id,
    request_id, request_digest, zoom_url, sent_at)
  VALUES (9001, 9001, 9001, 'USD', 60, 10, 12, gen_random_uuid(), gen_random_uuid(), '', 'https://zoom.us/j/1', now());
INSERT INTO session_events (session_id, kind, happened_at, source) VALUES (9001, 'sent', now(), 'teacher');

SET LOCAL ROLE classclock_app;
SELECT lives_ok($$INSERT INTO session_events (session_id, kind, happened_at, source)
  VALUES (9001, 'clicked', now(), 'student')$$, 'a program adds evidence');
SELECT throws_ok(command, '42501', NULL, 'a program cannot: ' || command) FROM unnest(ARRAY[
  'UPDATE session_events SET happened_at = now()',
  'DELETE FROM session_events',
  'TRUNCATE session_events CASCADE',
  'DELETE FROM sessions',
  'TRUNCATE sessions CASCADE',
  'DELETE FROM students',
  'DELETE FROM accounts',
  'DELETE FROM packages',
  'DELETE FROM academy',
  'INSERT INTO migrations VALUES (99, ''x'')',
  'ALTER TABLE sessions DROP CONSTRAINT sessions_order',
  'ALTER TABLE session_events DISABLE TRIGGER ALL',
  'DROP TABLE clicks',
  'CREATE TABLE classclock.mine ()',
  'CREATE TABLE public.mine ()',
  'CREATE FUNCTION classclock.mine() RETURNS int LANGUAGE sql AS ''SELECT 1''',
  'CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql AS ''SELECT now()''',
  'SET session_replication_role = replica',
  'COPY session_events TO PROGRAM ''true''',
  'SELECT pg_read_file(''postgresql.conf'')'
]) command;
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
