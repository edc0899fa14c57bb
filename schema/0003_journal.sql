-- What was replayed from the journals that nodes keep while the database is away.

SET LOCAL search_path = classclock, public;

-- A line is applied once, however often it is replayed. Old rows may go: a journal is replayed within minutes.
CREATE TABLE journal_lines (
  id text PRIMARY KEY CHECK (length(id) BETWEEN 16 AND 64),
  applied_at timestamptz NOT NULL DEFAULT clock_now()
);
CREATE INDEX journal_lines_age ON journal_lines USING brin (applied_at);

GRANT SELECT, INSERT, DELETE ON journal_lines TO classclock_app;
