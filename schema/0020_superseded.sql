-- Only a class that is cancelled is replaced by a newer link: one that came to life opens itself.
SET LOCAL search_path = classclock, public;

UPDATE sessions SET superseded_by = NULL WHERE superseded_by IS NOT NULL AND session_status <> 'cancelled';
