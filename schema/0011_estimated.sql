-- A class whose start alone was corrected can time out as well: its minutes are an estimate too.
SET LOCAL search_path = classclock, public;

-- Built first: to drop an index keeps everybody from the table until the step is done.
CREATE INDEX sessions_estimated_now ON sessions (times_out_at) WHERE estimated;
DROP INDEX sessions_estimated;
ALTER INDEX sessions_estimated_now RENAME TO sessions_estimated;
