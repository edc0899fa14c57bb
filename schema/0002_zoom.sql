-- Zoom: what its events say, whose class each meeting was, and what is needed to make meetings.
SET LOCAL search_path = classclock, public;

-- Every signed event as it came, once. May be cleaned: evidence never needs what has been applied.
CREATE TABLE zoom_raw (
  key text PRIMARY KEY CHECK (length(key) <= 600),     -- what repeats have in common: lib/zoom_event.h
  event text NOT NULL CHECK (length(event) <= 100),
  state text NOT NULL CHECK (state IN ('applied', 'inbox', 'ignored')),
  body bytea NOT NULL,                                 -- the bytes that were signed
  event_ts timestamptz,
  received_at timestamptz NOT NULL DEFAULT clock_now(),
  -- Of evidence alone: what lib/zoom_event.c read.
  kind text CHECK (kind IN ('zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended')),
  happened_at timestamptz,
  uuid text,
  host_id text,
  connection text,
  person_id text,
  CONSTRAINT zoom_raw_evidence CHECK ((kind IS NULL) = (uuid IS NULL) AND (kind IS NULL) = (happened_at IS NULL)
    AND (kind IS NULL) = (state = 'ignored'))
);
CREATE INDEX zoom_raw_uuid ON zoom_raw (uuid) WHERE uuid IS NOT NULL;
CREATE INDEX zoom_raw_received ON zoom_raw (received_at);
CREATE INDEX zoom_raw_challenges ON zoom_raw (received_at) WHERE event = 'endpoint.url_validation';

-- One run of a meeting, and whose class it is: the last zoom_assigned or zoom_released in evidence, kept here to be found.
CREATE TABLE zoom_occurrences (
  uuid text PRIMARY KEY,
  meeting_id bigint,                                   -- null until an event tells
  host_id text,
  around timestamptz NOT NULL,                         -- near its events, only to find neighbours by
  session_id bigint REFERENCES sessions,
  admin_id bigint REFERENCES accounts,                 -- who decided instead of the rule, which then stands back
  reason text CHECK (length(reason) <= 500),
  matched_at timestamptz NOT NULL                      -- the rule was asked last
);
CREATE INDEX zoom_occurrences_meeting ON zoom_occurrences (meeting_id, around);
CREATE INDEX zoom_occurrences_session ON zoom_occurrences (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX zoom_occurrences_around ON zoom_occurrences (around);
CREATE INDEX zoom_occurrences_nobodys ON zoom_occurrences (around) WHERE session_id IS NULL;

-- Which of Zoom's accounts is which teacher, learned from meetings.
CREATE TABLE zoom_hosts (
  host_id text NOT NULL,
  account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
  learned_at timestamptz NOT NULL DEFAULT clock_now(),
  PRIMARY KEY (host_id, account_id)
);
CREATE INDEX zoom_hosts_account ON zoom_hosts (account_id);

-- The token of Zoom's API, one for all workers. Whoever holds the lease fetches the next.
CREATE TABLE zoom_tokens (
  client text PRIMARY KEY,                             -- account and client id
  token text,
  expires_at timestamptz,
  leased_until timestamptz
);

-- Meetings made for a teacher's tap, written down before Zoom is asked: a lost answer is looked for by its topic.
CREATE TABLE zoom_creates (
  request_id uuid PRIMARY KEY,                         -- of the session
  account_id bigint NOT NULL REFERENCES accounts,
  zoom_user text NOT NULL,
  topic text NOT NULL UNIQUE,
  minutes integer NOT NULL,
  asked_at timestamptz,                                -- null: Zoom was not asked, or said no
  leased_until timestamptz,
  meeting_id bigint,
  host_id text,
  join_url text CHECK (octet_length(join_url) <= 600),
  start_url text CHECK (octet_length(start_url) <= 4000)
);
CREATE INDEX zoom_creates_user ON zoom_creates (zoom_user, asked_at);

-- Until when Zoom wants to be left alone, for one of its users or ('') altogether.
CREATE TABLE zoom_pauses (
  zoom_user text PRIMARY KEY,
  until timestamptz NOT NULL
);

-- Presence by Zoom's joins and leaves, seconds; null when unknown. Kept by lib/evidence.c.
ALTER TABLE sessions
  ADD COLUMN teacher_seconds integer CHECK (teacher_seconds >= 0),
  ADD COLUMN student_seconds integer CHECK (student_seconds >= 0),
  ADD COLUMN both_seconds integer CHECK (both_seconds >= 0),
  ADD CONSTRAINT sessions_presence CHECK ((teacher_seconds IS NULL) = (student_seconds IS NULL)
    AND (teacher_seconds IS NULL) = (both_seconds IS NULL)
    AND both_seconds <= least(teacher_seconds, student_seconds));

-- zoom_assigned and zoom_released say whose an occurrence is, the last one counts; zoom_role tells of a connection
-- whose teacher was recognised late.
ALTER TABLE session_events DROP CONSTRAINT session_events_kind_check;
ALTER TABLE session_events ADD CONSTRAINT session_events_kind_check CHECK (kind IN ('sent', 'clicked', 'click_ignored',
  'teacher_left', 'teacher_ended', 'admin_ended', 'zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended', 'zoom_role',
  'zoom_assigned', 'zoom_released', 'timed_out', 'missed', 'cancelled', 'superseded', 'corrected', 'reopened', 'released',
  'attendance', 'zoom_url', 'delivery'));
CREATE INDEX session_events_zoom ON session_events ((detail->>'uuid')) WHERE detail ? 'uuid';
-- The meeting ids that sessions had before their teacher changed the link.
CREATE INDEX session_events_was ON session_events ((detail->>'was')) WHERE kind = 'zoom_url' AND detail ? 'was';

GRANT SELECT, INSERT, UPDATE, DELETE ON zoom_raw, zoom_tokens, zoom_creates, zoom_pauses TO classclock_app;
GRANT SELECT, INSERT, UPDATE ON zoom_occurrences TO classclock_app;
GRANT SELECT, INSERT, DELETE ON zoom_hosts TO classclock_app;
