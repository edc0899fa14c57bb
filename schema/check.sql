-- What must hold in the data, whatever has happened: classclock-admin check. One query, whose rows are
-- (name, offenders); 0 everywhere is good. What a constraint says already stands here all the same: a
-- restored or repaired database may have been without it.
WITH settings AS (
  SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')
), seen AS (
  SELECT session_id,
    count(*) FILTER (WHERE kind = 'sent') AS sent,
    min(happened_at) FILTER (WHERE kind = 'sent') AS sent_at,
    bool_or(kind IN ('reopened', 'corrected')) AS by_admin,
    bool_or(kind = 'timed_out') AS timed_out,
    bool_or(kind = 'missed') AS missed,
    bool_or(kind IN ('cancelled', 'superseded')) AS withdrawn
  FROM session_events GROUP BY session_id
), owned AS (
  SELECT DISTINCT ON (detail->>'uuid', session_id) session_id, detail->>'uuid' AS uuid, kind
  FROM session_events WHERE kind IN ('zoom_assigned', 'zoom_released') ORDER BY detail->>'uuid', session_id, id DESC
), heard AS (
  SELECT DISTINCT e.session_id FROM session_events e
  LEFT JOIN owned ON owned.session_id = e.session_id AND owned.uuid = e.detail->>'uuid'
  WHERE e.kind IN ('zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended')
    AND owned.kind IS DISTINCT FROM 'zoom_released'
), marked AS (
  SELECT DISTINCT ON (session_id) session_id, detail->>'attendance' AS attendance
  FROM session_events WHERE kind = 'attendance' ORDER BY session_id, id DESC
)
SELECT 'a commit that was answered is on disk (fsync, full_page_writes, synchronous_commit)' AS name,
  count(*) FILTER (WHERE setting = 'off') AS offenders FROM settings
UNION ALL
SELECT 'ended and timed out, and nothing else, have an end', count(*) FROM sessions
  WHERE (session_status IN ('ended', 'timeout')) <> (session_ended_at IS NOT NULL)
UNION ALL
SELECT 'active, ended and timed out, and nothing else, have a start and a deadline', count(*) FROM sessions
  WHERE (session_status IN ('active', 'ended', 'timeout')) <> (clicked_at IS NOT NULL)
    OR (clicked_at IS NULL) <> (times_out_at IS NULL)
UNION ALL
SELECT 'no end lies before its start', count(*) FROM sessions WHERE session_ended_at < clicked_at
UNION ALL
SELECT 'minutes are those from start to end, rounded half up', count(*) FROM sessions
  WHERE session_duration_minutes IS DISTINCT FROM round(extract(epoch FROM session_ended_at - clicked_at) / 60)
UNION ALL
SELECT 'a timeout ends at its deadline', count(*) FROM sessions
  WHERE session_status = 'timeout' AND session_ended_at <> times_out_at
UNION ALL
SELECT 'ended says by whom, nothing else does', count(*) FROM sessions
  WHERE (session_status = 'ended') <> (ended_by IS NOT NULL)
UNION ALL
SELECT 'only a timeout is estimated', count(*) FROM sessions WHERE estimated AND session_status <> 'timeout'
UNION ALL
SELECT 'an end that is no correction obeys the deadline', count(*) FROM sessions
  WHERE session_ended_at > times_out_at AND NOT corrected
UNION ALL
SELECT 'without an admin, the deadline is start, duration and buffer', count(*) FROM sessions s
  LEFT JOIN seen ON seen.session_id = s.id
  WHERE NOT coalesce(by_admin, false)
    AND times_out_at <> s.clicked_at + (duration_minutes + buffer_minutes) * interval '1 minute'
UNION ALL
SELECT 'without an admin, the start is a click in evidence', count(*) FROM sessions s
  LEFT JOIN seen ON seen.session_id = s.id
  WHERE NOT coalesce(by_admin, false) AND s.clicked_at IS NOT NULL AND NOT EXISTS (SELECT FROM session_events e
    WHERE e.session_id = s.id AND e.kind = 'clicked' AND e.happened_at = s.clicked_at)
UNION ALL
SELECT 'every session has one sent in evidence, at its moment', count(*) FROM sessions s
  LEFT JOIN seen ON seen.session_id = s.id
  WHERE coalesce(sent, 0) <> 1 OR s.sent_at <> seen.sent_at
UNION ALL
SELECT 'every end has evidence of that moment', count(*) FROM sessions s
  WHERE session_status = 'ended' AND NOT EXISTS (SELECT FROM session_events e
    WHERE e.session_id = s.id AND e.happened_at = s.session_ended_at AND e.kind = ANY (CASE s.ended_by
      WHEN 'zoom' THEN ARRAY['zoom_ended', 'zoom_left'] WHEN 'teacher_left' THEN ARRAY['teacher_left']
      WHEN 'teacher' THEN ARRAY['teacher_ended'] ELSE ARRAY['admin_ended', 'corrected'] END))
UNION ALL
SELECT 'every timeout, missed and cancelled is in evidence', count(*) FROM sessions s
  LEFT JOIN seen ON seen.session_id = s.id
  WHERE NOT coalesce(CASE session_status WHEN 'timeout' THEN timed_out WHEN 'missed' THEN missed
    WHEN 'cancelled' THEN withdrawn ELSE true END, false)
UNION ALL
SELECT 'a session knows whether Zoom was heard', count(*) FROM sessions s
  WHERE s.zoom_seen <> EXISTS (SELECT FROM heard WHERE heard.session_id = s.id)
    AND NOT s.corrected -- then what came later is not heeded: lib/evidence.h
UNION ALL
SELECT 'each meeting of Zoom is the session''s that evidence gives it to', count(*) FROM zoom_occurrences o
  FULL JOIN (SELECT * FROM owned WHERE kind = 'zoom_assigned') owned
    ON owned.uuid = o.uuid AND owned.session_id = o.session_id
  WHERE owned.uuid IS NULL AND o.session_id IS NOT NULL OR o.uuid IS NULL
UNION ALL
SELECT 'every event of Zoom that was applied is in evidence', count(*) FROM zoom_raw r
  WHERE state = 'applied' AND NOT EXISTS (SELECT FROM zoom_occurrences o JOIN session_events e
    ON e.session_id = o.session_id AND e.dedupe = r.key WHERE o.uuid = r.uuid)
UNION ALL
-- What was tried in vain is put off, for good in the end: no broken data, and /healthz tells of it.
SELECT 'what Zoom told is tried within two runs of the timeout job', count(*) FROM zoom_raw
  WHERE apply_at < clock_now() - interval '11 minutes'
UNION ALL
SELECT 'a session''s meeting id is the one that its link names, if it names one', count(*) FROM sessions
  WHERE meeting_id IS DISTINCT FROM substring(zoom_url -- as lib/zoom_url.c reads it
    FROM '^[^/]*//[^/?#]*/(?:j|w|launch/jc|wc|wc/join)/([0-9]{9,11})(?:/join)?/?(?:[?#].*)?$')::bigint
UNION ALL
SELECT 'attendance is the last that was marked', count(*) FROM sessions s
  LEFT JOIN marked ON marked.session_id = s.id WHERE s.attendance IS DISTINCT FROM marked.attendance
UNION ALL
SELECT 'what replaces a link is a later session of the same student', count(*) FROM sessions s
  JOIN sessions newer ON newer.id = s.superseded_by
  WHERE newer.student_id <> s.student_id OR newer.id <= s.id
UNION ALL
SELECT 'only of a class that is cancelled does the link open a newer one', count(*) FROM sessions
  WHERE superseded_by IS NOT NULL AND session_status <> 'cancelled'
UNION ALL
SELECT 'a link that somebody withdrew opens no newer class', count(*) FROM sessions s
  WHERE superseded_by IS NOT NULL AND EXISTS (SELECT FROM session_events e
    WHERE e.session_id = s.id AND e.kind = 'cancelled')
UNION ALL
SELECT 'the totals by people are those of the sessions', count(*) FROM (
    SELECT teacher_id, student_id, package_id, session_status
    FROM (SELECT teacher_id, student_id, package_id, session_status, n, minutes FROM session_totals
      UNION ALL SELECT teacher_id, student_id, package_id, session_status, n, minutes FROM session_changes
      UNION ALL SELECT teacher_id, student_id, package_id, session_status, -1, -coalesce(session_duration_minutes, 0)
        FROM sessions WHERE session_status NOT IN ('sent', 'active')) counted
    GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 OR sum(minutes) <> 0) other
UNION ALL
SELECT 'the totals by months are those of the sessions', count(*) FROM (
    SELECT month, teacher_id, student_id, package_id, session_status
    FROM (SELECT month, teacher_id, student_id, package_id, session_status, n, minutes FROM session_months
      UNION ALL SELECT session_month(hour), teacher_id, student_id, package_id, session_status, n, minutes
        FROM session_changes
      UNION ALL SELECT session_month(session_hour(clicked_at, sent_at)), teacher_id, student_id, package_id, session_status,
          -1, -coalesce(session_duration_minutes, 0)
        FROM sessions WHERE session_status NOT IN ('sent', 'active')) counted
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0 OR sum(minutes) <> 0) other
UNION ALL
SELECT 'the totals by hours are those of the sessions', count(*) FROM (
    SELECT hour, package_id, session_status
    FROM (SELECT hour, package_id, session_status, n, minutes FROM session_hours
      UNION ALL SELECT hour, package_id, session_status, n, minutes FROM session_changes
      UNION ALL SELECT session_hour(clicked_at, sent_at), package_id, session_status, -1, -coalesce(session_duration_minutes, 0)
        FROM sessions WHERE session_status NOT IN ('sent', 'active')) counted
    GROUP BY 1, 2, 3 HAVING sum(n) <> 0 OR sum(minutes) <> 0) other
UNION ALL
SELECT 'the timeout job is no more than two runs late', count(*) FROM sessions
  WHERE (session_status = 'active' AND times_out_at < clock_now() - interval '11 minutes')
    OR (session_status = 'sent' AND sent_at + link_hours * interval '1 hour' < clock_now() - interval '11 minutes')
UNION ALL
SELECT 'sessions and students belong to teachers', (SELECT count(*) FROM sessions s JOIN accounts a
    ON a.id = s.teacher_id WHERE a.role <> 'teacher') + (SELECT count(*) FROM students s JOIN accounts a
    ON a.id = s.teacher_id WHERE a.role <> 'teacher')
UNION ALL
SELECT 'the academy is one row, in a known time zone', (SELECT abs(count(*) - 1) FROM academy)
  + (SELECT count(*) FROM academy WHERE NOT is_time_zone(time_zone))
UNION ALL
SELECT 'nobody has more than one way in by the same e-mail address', count(*)
  FROM (SELECT FROM accounts GROUP BY lower(email) HAVING count(*) > 1) twice
