-- What PostgreSQL must know of a table of many years.
SET LOCAL search_path = classclock, public;

-- How many classes were not opened in the life of their link: hardly any. Without it a third is assumed, and looking for
-- them walks every session there is (lib/session_list.c, ODD_START).
CREATE STATISTICS IF NOT EXISTS sessions_start ON (clicked_at - sent_at) FROM sessions;
ANALYZE sessions;

-- What lib/retention.c asks for.
CREATE INDEX sessions_start_url ON sessions (sent_at) WHERE start_url IS NOT NULL;
