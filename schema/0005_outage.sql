-- What an outage needs: a name for each click, and something small for a node to write.
SET LOCAL search_path = classclock, public;

-- A click is known by a key from the moment it arrives. When its fate in the database is in doubt, it goes to the
-- journal under the same key, and is kept once, whichever comes first.
ALTER TABLE clicks ADD COLUMN key uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX clicks_once ON clicks (session_id, key) NULLS NOT DISTINCT;
DROP INDEX clicks_session;
GRANT UPDATE ON clicks TO classclock_app;

-- Machines that take clicks. A node that found the database away writes its row to learn whether it is back: one that
-- only answers questions (read-only, full, its standby away) is of no use to a click.
CREATE TABLE nodes (
  name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 255),
  seen_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON nodes TO classclock_app;
