-- Run once by a superuser, before the first `classclock-admin migrate`; safe to repeat.
-- Two roles: the owner makes and changes the schema; the app is what programs use.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'classclock_owner') THEN
    CREATE ROLE classclock_owner LOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'classclock_app') THEN
    CREATE ROLE classclock_app LOGIN;
  END IF;
END
$$;

-- Every query has an end, also when a program forgets it. A program that needs longer works in batches.
ALTER ROLE classclock_app SET statement_timeout = '5s';
ALTER ROLE classclock_app SET lock_timeout = '2s';
ALTER ROLE classclock_app SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE classclock_app SET client_connection_check_interval = '5s';

-- Statements are short; compiling one takes longer than running it, and is decided by guesses at rows that are not there.
ALTER ROLE classclock_app SET jit = off;

-- A process that helps with one statement has no page of the shared memory mapped yet, which takes longer than the reading.
ALTER ROLE classclock_app SET max_parallel_workers_per_gather = 0;

-- Programs read timestamps as text: one form, in UTC, whatever the server's own settings are.
ALTER ROLE classclock_app SET timezone = 'UTC';
ALTER ROLE classclock_app SET datestyle = 'ISO, YMD';
ALTER ROLE classclock_owner SET timezone = 'UTC';
ALTER ROLE classclock_app SET search_path = classclock, public;
ALTER ROLE classclock_owner SET search_path = classclock, public;

-- PostgreSQL's own log tells what was refused, but not of whom: an address or a row would stand in its details. Last, since
-- this is a superuser's to set, whom a hosted PostgreSQL does not give.
ALTER ROLE classclock_app SET log_error_verbosity = terse;
ALTER ROLE classclock_owner SET log_error_verbosity = terse;
