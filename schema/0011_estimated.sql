-- A class whose start alone was corrected can time out as well: its minutes are an estimate too.
SET LOCAL search_path = classclock, public;

DROP INDEX sessions_estimated;
CREATE INDEX sessions_estimated ON sessions (times_out_at) WHERE estimated;
