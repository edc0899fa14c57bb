-- Searching for a part of a name without folding the case of every name at each search.
SET LOCAL search_path = classclock, public;

ALTER TABLE students ADD COLUMN name_folded text GENERATED ALWAYS AS (lower(name)) STORED;
ALTER TABLE accounts ADD COLUMN name_folded text GENERATED ALWAYS AS (lower(name)) STORED;
DROP INDEX students_name, accounts_name;
CREATE INDEX students_name ON students USING gin (name_folded public.gin_trgm_ops);
CREATE INDEX accounts_name ON accounts USING gin (name_folded public.gin_trgm_ops) WHERE role = 'teacher';
