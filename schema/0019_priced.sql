-- A rate that is filled in later is evidence too: who gave it, when, and how much. It decides no state and no minute.
SET LOCAL search_path = classclock, public;

ALTER TABLE session_events DROP CONSTRAINT session_events_kind_check;
ALTER TABLE session_events ADD CONSTRAINT session_events_kind_check CHECK (kind IN ('sent', 'clicked', 'click_ignored',
  'teacher_left', 'teacher_ended', 'admin_ended', 'zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended', 'zoom_role',
  'zoom_assigned', 'zoom_released', 'timed_out', 'missed', 'cancelled', 'superseded', 'corrected', 'reopened', 'released',
  'attendance', 'zoom_url', 'delivery', 'priced'));
