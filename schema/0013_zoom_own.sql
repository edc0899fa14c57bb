-- Whose account of Zoom it is: what Zoom itself has said, apart from who taught in its rooms.
SET LOCAL search_path = classclock, public;

-- By its e-mail address the host is the teacher's own. Without, it has held a class of the teacher's, which anybody's may.
ALTER TABLE zoom_hosts ADD COLUMN confirmed boolean NOT NULL DEFAULT false;
UPDATE zoom_hosts h SET confirmed = true FROM zoom_creates c JOIN accounts a ON a.id = c.account_id
  WHERE h.host_id = c.host_id AND h.account_id = c.account_id AND lower(c.zoom_user) = lower(a.email);

-- Meetings that no class has yet, of a user that is not known to be the teacher's: the same wish is asked anew.
DELETE FROM zoom_creates c USING accounts a WHERE a.id = c.account_id AND lower(c.zoom_user) <> lower(a.email)
  AND NOT EXISTS (SELECT FROM zoom_hosts h WHERE h.host_id = c.zoom_user AND h.account_id = c.account_id AND h.confirmed)
  AND NOT EXISTS (SELECT FROM sessions s WHERE s.request_id = c.request_id);

GRANT UPDATE ON zoom_hosts TO classclock_app;
