#include "app_parent.h"
#include "db_there.h"
#include "journal_state.h"
#include "retention.h"

#define BATCH	     1000
#define LIMIT	     "1000"
#define DEADLINE     "30000"
#define DEADLINE_MS  30000 /* of one batch; as DEADLINE */
#define LAST_WORD_MS 2000  /* after a failure: for the record */

#define CUT "clock_now() - $1::bigint * interval '1 day'"

/* A batch each; $1 days. What is looked at again after so long, and by whom, stands with it. */
static const char *const forget[] = {
	/* Shown for a week: lib/attention.c. */
	"DELETE FROM clicks WHERE id IN (SELECT id FROM clicks"
	" WHERE received_at < " CUT " LIMIT " LIMIT ")",
	/* Matched again for eight days (lib/zoom_meeting.c); what was applied is in evidence.
	 * Zoom's last check of the webhook, which is about nobody, tells how long there was none
	 * since: lib/health.c. */
	"DELETE FROM zoom_raw WHERE key IN (SELECT key FROM zoom_raw"
	" WHERE received_at < " CUT " AND (event <> 'endpoint.url_validation' OR received_at <"
	" (SELECT max(received_at) FROM zoom_raw WHERE event = 'endpoint.url_validation'))"
	" LIMIT " LIMIT ")",
	/* Meetings that were no class, once nothing tells of them any more. */
	"DELETE FROM zoom_occurrences WHERE uuid IN (SELECT uuid FROM zoom_occurrences o"
	" WHERE session_id IS NULL AND around < " CUT
	" AND NOT EXISTS (SELECT FROM zoom_raw r WHERE r.uuid = o.uuid)"
	" AND NOT EXISTS (SELECT FROM session_events e WHERE e.detail ? 'uuid'"
	"  AND e.detail->>'uuid' = o.uuid) LIMIT " LIMIT ")",
	/* With its start link; the class that it was made for may never have been sent. One without
	 * any moment is at nobody's work. */
	"DELETE FROM zoom_creates WHERE request_id IN (SELECT request_id FROM zoom_creates"
	" LEFT JOIN sessions USING (request_id)"
	" WHERE coalesce(sent_at, asked_at, leased_until, '-infinity') < " CUT " LIMIT " LIMIT ")",
	/* Zoom's start link lets whoever has it be the teacher. */
	"UPDATE sessions SET start_url = NULL WHERE id IN (SELECT id FROM sessions"
	" WHERE start_url IS NOT NULL AND sent_at < " CUT " LIMIT " LIMIT ")",
	"DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries"
	" WHERE happened_at < " CUT " LIMIT " LIMIT ")",
	/* The message stays, as the session's answer to whether it arrived. */
	"UPDATE messages SET chat_id = 0, message_id = NULL, detail = NULL WHERE id IN ("
	"SELECT id FROM messages WHERE next_at IS NULL AND chat_id <> 0"
	" AND changed_at < " CUT " LIMIT " LIMIT ")",
	"DELETE FROM chat_codes WHERE code_hash IN (SELECT code_hash FROM chat_codes"
	" WHERE expires_at < " CUT " LIMIT " LIMIT ")",
	/* Where nothing was tried, and nothing waits, nobody's chat is of no use. */
	"DELETE FROM telegram_chats WHERE chat_id IN (SELECT chat_id FROM telegram_chats c"
	" WHERE (tried_at < " CUT " OR tried_at IS NULL AND NOT EXISTS ("
	"SELECT FROM messages m WHERE m.chat_id = c.chat_id AND m.next_at IS NOT NULL))"
	" AND NOT EXISTS (SELECT FROM students s WHERE s.telegram_chat_id = c.chat_id)"
	" AND NOT EXISTS (SELECT FROM accounts t WHERE t.telegram_chat_id = c.chat_id)"
	" LIMIT " LIMIT ")",
	"DELETE FROM telegram_updates WHERE update_id IN (SELECT update_id FROM telegram_updates"
	" WHERE received_at < " CUT " LIMIT " LIMIT ")",
	"DELETE FROM logins WHERE token_hash IN (SELECT token_hash FROM logins"
	" WHERE created_at < " CUT " LIMIT " LIMIT ")",
	"DELETE FROM invites WHERE token_hash IN (SELECT token_hash FROM invites"
	" WHERE expires_at < " CUT " LIMIT " LIMIT ")",
	"DELETE FROM login_attempts WHERE key IN (SELECT key FROM login_attempts"
	" WHERE last_at < " CUT " LIMIT " LIMIT ")",
};

static const char SQL_RECORD[] =
	"INSERT INTO job_runs (job, started_at, finished_at, ok, detail) VALUES ('retention',"
	" clock_now() - $1::bigint * interval '1 millisecond', clock_now(), $3::boolean,"
	" jsonb_build_object('gone', $2::bigint))";

/* The role's limit is for what somebody waits for; a batch, or what is erased, may have to pass by
 * much to find its rows. */
static const char SQL_PATIENCE[] = "SET LOCAL statement_timeout = " DEADLINE;

static enum err forget_batch(struct db *db, struct arena *a, const char *sql,
			     const char *const *args, int64_t *n)
{
	struct db_rows r;
	enum err e;

	db_deadline(db, DEADLINE_MS);
	e = db_begin(db);
	if (e)
		return e;
	e = db_write(db, a, SQL_PATIENCE, 0, NULL, NULL);
	if (!e)
		e = db_write(db, a, sql, 1, args, &r);
	if (!e)
		*n = db_affected(&r);
	return db_finish(db, e);
}

static enum err forget_all(struct db *db, const char *sql, const char *const *args, int64_t *gone)
{
	int64_t n = BATCH;
	enum err e = OK;

	while (!e && n == BATCH) {
		struct arena *a = arena_new();

		e = forget_batch(db, a, sql, args, &n);
		if (!e)
			*gone += n;
		arena_free(a);
	}
	return e;
}

/*
 * Each kind is tried, whatever became of those before it; the first error. Where the database is
 * away they would only wait for it one after the other.
 */
static enum err forget_kinds(struct db *db, const char *const *args, int64_t *gone)
{
	struct db_run kinds = { 0 };
	enum err e = OK;

	for (size_t i = 0; !e && i < sizeof forget / sizeof *forget; i++)
		e = db_run_after(db, &kinds, forget_all(db, forget[i], args, gone));
	return kinds.broken;
}

enum err retention_run(struct db *db, struct arena *a, int64_t days, const char *journal_dir,
		       int64_t *gone)
{
	const char *args[] = { arena_int(a, days) };
	int64_t began = monotonic_ms();
	const char *record[3];
	enum err e, recorded;

	*gone = journal_dir ? journal_forget(journal_dir, days) : 0;
	e = forget_kinds(db, args, gone);
	record[0] = arena_int(a, monotonic_ms() - began);
	record[1] = arena_int(a, *gone);
	record[2] = e ? "false" : "true";
	db_deadline(db, e ? LAST_WORD_MS : DEADLINE_MS);
	recorded = db_write(db, a, SQL_RECORD, 3, record, NULL);
	return e ? e : recorded;
}

/* --- A person --- */

static const char SQL_LOCK[] = "SELECT id FROM students WHERE id = $1::bigint FOR UPDATE";

static const char SQL_OPEN[] = "SELECT count(*) FROM sessions WHERE student_id = $1::bigint"
			       " AND session_status IN ('sent', 'active')";

#define THEIRS "(SELECT id FROM sessions WHERE student_id = $1::bigint)"
/* Messages m: the links to their classes, and those that name them. */
#define ABOUT_THEM                                                                                 \
	"((m.kind = 'join_link' AND m.session_id IN " THEIRS ") OR m.student_id = $1::bigint)"

/* The chats that they have or had, wherever one is still told of, and that nobody else has. */
static const char SQL_CHATS[] =
	"SELECT coalesce(array_agg(chat_id), '{}')::text FROM ("
	" SELECT telegram_chat_id AS chat_id FROM students WHERE id = $1::bigint"
	" UNION SELECT chat_id FROM chat_codes WHERE student_id = $1::bigint"
	" UNION SELECT m.chat_id FROM messages m WHERE " ABOUT_THEM
	" UNION SELECT d.chat_id FROM deliveries d JOIN messages m ON m.id = d.message_id"
	"  WHERE " ABOUT_THEM ") c WHERE chat_id <> 0"
	" AND NOT EXISTS (SELECT FROM students s"
	"  WHERE s.telegram_chat_id = c.chat_id AND s.id <> $1::bigint)"
	" AND NOT EXISTS (SELECT FROM accounts t WHERE t.telegram_chat_id = c.chat_id)";

#define CHATS	       "$2::bigint[]"
#define THEIR_MESSAGES "(" ABOUT_THEM " OR m.chat_id = ANY (" CHATS "))"

/* $1 student  $2 the chats. Siblings may share one: then it stays theirs. */
static const char *const erase[] = {
	"UPDATE students SET name = 'Erased student ' || id, telegram_chat_id = NULL,"
	" zoom_url = NULL, note = '', language = 'en', request_id = NULL, request_digest = NULL,"
	" disabled_at = coalesce(disabled_at, clock_now())"
	" WHERE id = $1::bigint AND " CHATS " IS NOT NULL",
	"UPDATE sessions SET attendance_note = '', start_url = NULL"
	" WHERE student_id = $1::bigint AND " CHATS " IS NOT NULL",
	"DELETE FROM clicks WHERE session_id IN " THEIRS " AND " CHATS " IS NOT NULL",
	"DELETE FROM zoom_raw WHERE uuid IN (SELECT uuid FROM zoom_occurrences"
	" WHERE session_id IN " THEIRS ") AND " CHATS " IS NOT NULL",
	/* What could not be applied may be no known meeting's: by the class's room and time. */
	"DELETE FROM zoom_raw r USING sessions s WHERE r.apply_at IS NOT NULL"
	" AND s.student_id = $1::bigint AND r.happened_at >= date_trunc('second', s.clicked_at)"
	" AND r.happened_at <= greatest(s.session_ended_at, s.times_out_at)"
	" AND position(convert_to(s.meeting_id::text, 'UTF8') IN r.body) > 0"
	" AND NOT EXISTS (SELECT FROM zoom_occurrences o WHERE o.uuid = r.uuid"
	"  AND o.session_id IS NOT NULL)"
	" AND " CHATS " IS NOT NULL",
	"DELETE FROM zoom_creates WHERE request_id IN (SELECT request_id FROM sessions"
	" WHERE student_id = $1::bigint) AND " CHATS " IS NOT NULL",
	"DELETE FROM chat_codes WHERE student_id = $1::bigint AND " CHATS " IS NOT NULL",
	"DELETE FROM deliveries WHERE chat_id = ANY (" CHATS ")"
	" OR message_id IN (SELECT m.id FROM messages m WHERE " THEIR_MESSAGES ")",
	"UPDATE messages m SET chat_id = 0, message_id = NULL, detail = NULL, next_at = NULL,"
	" state = CASE WHEN next_at IS NULL THEN state ELSE 'dropped' END WHERE " THEIR_MESSAGES,
	"DELETE FROM telegram_chats WHERE chat_id = ANY (" CHATS ") AND $1::bigint IS NOT NULL",
};

static enum err find_chats(struct db *db, struct arena *a, const char *const *student,
			   const char **chats)
{
	struct db_rows r;
	enum err e = db_read(db, a, SQL_CHATS, 1, student, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*chats = db_str(&r);
	return db_end(&r);
}

static enum err erase_locked(struct db *db, struct arena *a, int64_t id)
{
	const char *args[2] = { arena_int(a, id) };
	struct db_rows r;
	int64_t open = 0;
	enum err e = db_write(db, a, SQL_PATIENCE, 0, NULL, NULL);

	if (!e)
		e = db_write(db, a, SQL_LOCK, 1, args, &r);
	if (!e)
		e = db_one_i64(&r, &id);
	if (!e)
		e = db_read(db, a, SQL_OPEN, 1, args, &r);
	if (!e)
		e = db_one_i64(&r, &open);
	if (!e && open)
		e = ERR_CONFLICT;
	if (!e)
		e = find_chats(db, a, args, &args[1]);
	for (size_t i = 0; !e && i < sizeof erase / sizeof *erase; i++)
		e = db_write(db, a, erase[i], 2, args, NULL);
	return e;
}

enum err retention_erase_student(struct db *db, struct arena *a, int64_t id)
{
	enum err e = db_begin(db);

	return e ? e : db_finish(db, erase_locked(db, a, id));
}
