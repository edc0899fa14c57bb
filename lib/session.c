#include <json-c/json.h>
#include <sodium.h>
#include <string.h>

#include "db_input.h"
#include "db_json.h"
#include "evidence.h"
#include "join_link.h"
#include "leave_link.h"
#include "outbox.h"
#include "session.h"
#include "zoom_url.h"

/* How long "End class" works after the link's own life, hours: a class may begin at its end. */
#define LEAVE_EXTRA_HOURS 24

/* One sender at a time for a student; absent, disabled or another teacher's is no row. */
static const char SQL_LOCK_STUDENT[] =
	"SELECT id FROM students WHERE id = $1::bigint AND teacher_id = $2::bigint"
	" AND disabled_at IS NULL FOR NO KEY UPDATE";

/*
 * What applies now is kept on the session, and the moment is the same in row and evidence. The
 * package waits for us before it changes, so that a rate it is given is given to this class too.
 */
static const char SQL_SEND[] =
	"WITH booked AS ("
	" SELECT p.id, p.rate, p.currency, p.duration_minutes, p.buffer_minutes FROM packages p"
	" WHERE p.id = (SELECT package_id FROM students WHERE id = $1::bigint) FOR SHARE"
	"), made AS ("
	" INSERT INTO sessions (teacher_id, student_id, package_id, package_rate, currency,"
	"  duration_minutes, buffer_minutes, link_hours, link_id, request_id, request_digest,"
	"  zoom_url, meeting_id, start_url, sent_at)"
	" SELECT st.teacher_id, st.id, p.id, p.rate, coalesce(p.currency, a.currency),"
	"  coalesce(p.duration_minutes, a.default_duration_minutes),"
	"  coalesce(p.buffer_minutes, a.default_buffer_minutes), a.link_hours,"
	"  gen_random_uuid(), $3::uuid, $4::bytea, $5, $6::bigint, $7, clock_now()"
	" FROM students st CROSS JOIN academy a LEFT JOIN booked p ON true"
	" WHERE st.id = $1::bigint"
	" ON CONFLICT (request_id) DO NOTHING"
	" RETURNING id, sent_at)"
	" INSERT INTO session_events (session_id, kind, happened_at, received_at, source, "
	"account_id,"
	"  dedupe)"
	" SELECT id, 'sent', sent_at, sent_at, 'teacher', $2::bigint, 'sent' FROM made"
	" RETURNING session_id";

static const char SQL_REMEMBER_URL[] =
	"UPDATE students SET zoom_url = $2 WHERE id = $1::bigint AND zoom_url IS DISTINCT FROM $2";

static const char SQL_UNOPENED[] =
	"SELECT id FROM sessions WHERE student_id = $1::bigint AND session_status = 'sent'"
	" AND id <> $2::bigint ORDER BY id";

/* Asked under the lock: what was opened meanwhile goes on, what was withdrawn stays so. */
static const char SQL_SUPERSEDE[] = "UPDATE sessions SET superseded_by = $2::bigint"
				    " WHERE id = $1::bigint AND session_status = 'sent'";

static const char SQL_REPEATED[] =
	"SELECT id, teacher_id = $2::bigint AND request_digest = $3::bytea"
	" FROM sessions WHERE request_id = $1::uuid";

static const char SQL_ONE[] =
	"SELECT " SESSION_COLUMNS " FROM" SESSION_TABLES "WHERE s.id = $1::bigint";

/*
 * Zoom's start link is good for two hours from the meeting's making, which is not before Zoom was
 * asked. Source: facts of Zoom, 9.
 */
static const char SQL_LINKS[] =
	"SELECT s.id, link_id, us(sent_at), us(sent_at + link_hours * interval '1 hour'), zoom_url,"
	" CASE WHEN coalesce((SELECT asked_at FROM zoom_creates c"
	"   WHERE c.request_id = s.request_id), sent_at) > clock_now() - interval '110 minutes'"
	"  THEN start_url END FROM sessions s WHERE s.id = $1::bigint";

/* What a request asked for, so that a repeat can be told from a different wish. */
static const char *digest(struct arena *a, const struct session_want *want)
{
	return db_digest(a, arena_printf(a, "%lld\n%s", (long long)want->student_id,
					 want->is_made ? "" : want->zoom_url));
}

/* A newer link supersedes those of the student that nobody has opened: the old button opens this
 * class. */
static enum err supersede_unopened(struct db *db, struct arena *a, const struct session_want *want,
				   int64_t id)
{
	const struct observation seen = { .kind = "superseded",
					  .happened_us = HAPPENED_NOW,
					  .source = SOURCE_SYSTEM,
					  .dedupe = "superseded" };
	const char *args[] = { arena_int(a, want->student_id), arena_int(a, id) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_UNOPENED, 2, args, &r);

	while (!e && db_next(&r)) {
		int64_t older = db_i64(&r);
		const char *pointer[] = { arena_int(a, older), args[1] };
		struct session_row old;
		struct db_rows changed;

		e = session_lock(db, a, older, &old);
		if (!e)
			e = db_write(db, a, SQL_SUPERSEDE, 2, pointer, &changed);
		if (e || !db_affected(&changed))
			continue;
		e = evidence_add(db, a, old.id, &seen, NULL);
		if (!e)
			e = evidence_settle(db, a, &old);
	}
	return e;
}

/* The class that this request has made already; *id 0: none. */
static enum err repeated(struct db *db, struct arena *a, const struct session_want *want,
			 int64_t *id, struct why *why)
{
	const char *args[] = { want->request_id, arena_int(a, want->teacher_id), digest(a, want) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_REPEATED, 3, args, &r);

	*id = 0;
	if (e || !db_next(&r))
		return e;
	*id = db_i64(&r);
	if (!db_bool(&r))
		return why_not(why, ERR_CONFLICT, "request_id",
			       "It was used before with other content.");
	return db_end(&r);
}

static enum err send_locked(struct db *db, struct arena *a, const struct session_want *want,
			    int64_t meeting_id, int64_t *id, struct why *why)
{
	const char *student[] = { arena_int(a, want->student_id), arena_int(a, want->teacher_id) };
	const char *args[] = { student[0],	 student[1],
			       want->request_id, digest(a, want),
			       want->zoom_url,	 meeting_id ? arena_int(a, meeting_id) : NULL,
			       want->start_url };
	const char *remember[] = { student[0], want->zoom_url };
	struct db_rows r;
	enum err e = repeated(db, a, want, id, why); /* whatever became of the student since */

	if (e || *id)
		return e;
	e = db_write(db, a, SQL_LOCK_STUDENT, 2, student, &r);
	if (e)
		return e;
	if (!db_next(&r))
		return why_not(why, ERR_NOT_FOUND, "student_id", "You have no such student.");
	e = db_write(db, a, SQL_SEND, 7, args, &r);
	if (e)
		return e;
	if (!db_next(&r)) { /* meanwhile, by the same request */
		e = repeated(db, a, want, id, why);
		return e || *id ? e : ERR_INTERNAL;
	}
	*id = db_i64(&r);
	e = supersede_unopened(db, a, want, *id);
	if (!e && !want->is_made)
		e = db_write(db, a, SQL_REMEMBER_URL, 2, remember, NULL);
	if (!e)
		e = outbox_drop(db, a, want->student_id, NULL);
	return e || !want->by_telegram ? e : outbox_add_join_link(db, a, *id);
}

enum err session_send(struct db *db, struct arena *a, const struct session_want *want, int64_t *id,
		      struct why *why)
{
	struct zoom_url url;
	enum err e = zoom_url_parse(want->zoom_url, &url, why);

	if (e)
		return e;
	e = db_begin(db);
	if (e)
		return e;
	return db_finish(db, send_locked(db, a, want, url.meeting_id, id, why));
}

enum err session_json(struct db *db, struct arena *a, int64_t id, struct json_object **out)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_ONE, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	*out = db_row_json(&r);
	return *out ? OK : ERR_INTERNAL;
}

/* The 16 bytes of a UUID's text, as PostgreSQL writes it. */
static enum err uuid_bytes(const char *text, unsigned char out[JOIN_LINK_ID_BYTES])
{
	size_t len;

	if (sodium_hex2bin(out, JOIN_LINK_ID_BYTES, text, strlen(text), "-", &len, NULL) ||
	    len != JOIN_LINK_ID_BYTES)
		return ERR_INTERNAL;
	return OK;
}

enum err session_links(struct db *db, struct arena *a, const struct conf *conf,
		       const struct keys *keys, int64_t id, struct session_links *out)
{
	const char *args[] = { arena_int(a, id) };
	struct leave_link leave = { .session_id = id };
	struct join_link link;
	const char *start_url, *token;
	struct db_rows r;
	enum err e = db_read(db, a, SQL_LINKS, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	link.session_id = db_i64(&r);
	e = uuid_bytes(db_str(&r), link.link_id);
	link.sent_us = db_i64(&r);
	link.expires_us = db_i64(&r);
	link.zoom_url = db_str(&r);
	start_url = db_str(&r);
	if (!e)
		e = db_end(&r);
	if (e)
		return e;
	token = join_link_seal(a, keys, &link);
	if (!token)
		return ERR_INTERNAL;
	leave.expires_s = link.expires_us / 1000000 + LEAVE_EXTRA_HOURS * 3600;
	*out = (struct session_links){
		.join_url = arena_printf(a, "%s/api/zoom/track?token=%s", conf->base_url, token),
		.start_url = start_url ? start_url : link.zoom_url,
		.leave_url = arena_printf(a, "%s/api/zoom/teacher-left?%s", conf->base_url,
					  leave_link_make(a, keys, &leave)),
	};
	return OK;
}
