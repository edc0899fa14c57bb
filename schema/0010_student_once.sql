-- A student is made once, however often the call is repeated.
SET LOCAL search_path = classclock, public;

-- As with sessions.request_id: the name of the wish, and the hash of what was wished.
ALTER TABLE students ADD COLUMN request_id uuid UNIQUE, ADD COLUMN request_digest bytea,
  ADD CHECK ((request_id IS NULL) = (request_digest IS NULL));
