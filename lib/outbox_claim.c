#include <sodium.h>
#include <string.h>
#include <time.h>

#include "app_parent.h"
#include "log.h"
#include "outbox.h"
#include "outbox_claim.h"
#include "session.h"
#include "telegram_bot.h"

#define LOCK_EXTRA_MS 20000 /* beyond the call's time, until a sender is taken for dead */

/* Without news from Telegram: doubles from the first to the last, give or take a quarter. */
#define RETRY_FIRST_MS 15000
#define RETRY_LAST_MS  900000

#define RECORD_TRY_MS	3000
#define RECORD_PAUSE_MS 100

/* A chat's first message that is not done yet. */
#define IS_HEAD                                                                                    \
	"NOT EXISTS (SELECT FROM messages o WHERE o.chat_id = m.chat_id AND o.id < m.id"           \
	" AND o.next_at IS NOT NULL)"

static const char SQL_QUEUE_UP[] = "SELECT pg_advisory_xact_lock(hashtext('classclock outbox'))";

/*
 * Takes one due message, or the one asked for, and notes the attempt before it
 * is made. One that was taken and not heard of since may have been sent. What
 * no longer belongs in its chat is not taken: outbox_settle() sees to it.
 *
 * $1 bot  $2 ms until the sender is taken for dead  $3 message, NULL: any  $4 slots, NULL: no limit
 */
static const char SQL_CLAIM[] =
	"WITH head AS ("
	" SELECT m.id, m.state AS was FROM messages m" OUTBOX_HOME_TABLES
	" LEFT JOIN telegram_chats c ON c.chat_id = m.chat_id"
	" WHERE m.next_at <= clock_now() AND ($3::bigint IS NULL OR m.id = $3::bigint)"
	"  AND m.chat_id = " OUTBOX_HOME " AND " IS_HEAD " AND c.dead IS NULL"
	"  AND coalesce(c.hold_until, '-infinity') <= clock_now()"
	"  AND coalesce(c.tried_at, '-infinity') <= clock_now() - interval '1 second'"
	"  AND NOT EXISTS (SELECT FROM telegram_bots b WHERE b.key = $1"
	"   AND b.hold_until > clock_now())"
	"  AND ($4::bigint IS NULL OR (SELECT count(*) FROM messages WHERE next_at > clock_now()"
	"   AND state = 'sending') < $4::bigint)"
	" ORDER BY m.next_at, m.id LIMIT 1 FOR UPDATE OF m SKIP LOCKED"
	"), claimed AS ("
	" UPDATE messages m SET state = 'sending', attempts = attempts + 1, changed_at = "
	"clock_now(),"
	"  next_at = clock_now() + $2::bigint * interval '1 millisecond'"
	" FROM head WHERE m.id = head.id RETURNING m.*, head.was"
	"), interrupted AS ("
	" INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome, detail)"
	" SELECT id, chat_id, attempts - 1, 'unknown', 'interrupted', 'Its sender was interrupted.'"
	" FROM claimed WHERE was = 'sending'"
	"), paced AS ("
	" INSERT INTO telegram_chats (chat_id, tried_at) SELECT chat_id, clock_now() FROM claimed"
	" ON CONFLICT (chat_id) DO UPDATE SET tried_at = excluded.tried_at)"
	" SELECT m.id, m.attempts, m.was IN ('unknown', 'sending'), m.migrated, m.chat_id, m.kind,"
	"  coalesce(m.session_id, 0),"
	"  coalesce(CASE WHEN m.kind <> 'class_opened' THEN st.language END, c.language, 'en'),"
	"  st.name, t.name, to_char(s.clicked_at AT TIME ZONE (SELECT time_zone FROM academy),"
	"   'HH24:MI')"
	" FROM claimed m LEFT JOIN sessions s ON s.id = m.session_id"
	" LEFT JOIN students st ON st.id = coalesce(s.student_id, m.student_id)"
	" LEFT JOIN accounts t ON t.id = s.teacher_id"
	" LEFT JOIN telegram_chats c ON c.chat_id = m.chat_id";

/*
 * How long until a message that is not done can be claimed, in ms. NULL where
 * that is for others to say: it waits behind another in its chat, or its chat
 * is dead. $1 bot  $2 message, NULL: the first that comes due
 */
static const char SQL_WAIT[] =
	"SELECT ceil(extract(epoch FROM min(greatest(m.next_at, c.hold_until, b.hold_until,"
	"  c.tried_at + interval '1 second')) - clock_now()) * 1000)::bigint,"
	" coalesce(bool_or(m.state = 'sending'), false)"
	" FROM messages m LEFT JOIN telegram_chats c ON c.chat_id = m.chat_id"
	" LEFT JOIN telegram_bots b ON b.key = $1"
	" WHERE m.next_at IS NOT NULL AND c.dead IS NULL AND " IS_HEAD
	" AND ($2::bigint IS NULL OR m.id = $2::bigint)";

/* What became of an attempt; nothing if it was recorded before, or another has been made since. */
static const char SQL_RECORD[] =
	"WITH done AS ("
	" UPDATE messages SET state = $3, outcome = $4, detail = $5, changed_at = clock_now(),"
	"  next_at = clock_now() + $6::bigint * interval '1 millisecond',"
	"  message_id = coalesce($7::bigint, message_id), migrated = migrated OR $4 = 'migrated'"
	" WHERE id = $1::bigint AND attempts = $2::bigint AND state = 'sending'"
	" RETURNING id, session_id, kind, chat_id, attempts"
	"), logged AS ("
	" INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome, status, detail)"
	" SELECT id, chat_id, attempts, $3, $4, $8::integer, $5 FROM done"
	"), paced AS ("
	" UPDATE telegram_chats c SET tried_at = clock_now() FROM done WHERE c.chat_id = "
	"done.chat_id"
	"), evidence AS ("
	" INSERT INTO session_events (session_id, kind, happened_at, source, detail, dedupe)"
	" SELECT session_id, 'delivery', clock_now(), 'telegram',"
	"  jsonb_build_object('state', $3, 'outcome', $4), 'delivery:' || $4 FROM done"
	" WHERE kind = 'join_link' AND $3 IN ('sent', 'failed')"
	" ON CONFLICT (session_id, dedupe) DO NOTHING)"
	" SELECT count(*) FROM done";

/* Whose chat (0: none) stays what it is until the transaction ends. */
static const char SQL_STUDENT[] =
	"SELECT st.id, coalesce(CASE WHEN st.disabled_at IS NULL THEN st.telegram_chat_id END, 0)"
	" FROM sessions s JOIN students st ON st.id = s.student_id"
	" WHERE s.id = $1::bigint FOR SHARE OF st";

/*
 * Whether message $1 was sent elsewhere than to chat $3, which student $2 has
 * linked from within it since the message was written. Since it was taken would
 * be too late: a code may have been used then, and what waits not moved yet.
 */
static const char SQL_LINKED_SINCE[] =
	"SELECT EXISTS (SELECT FROM messages m JOIN chat_codes k ON k.used_at >= m.created_at"
	" WHERE m.id = $1::bigint AND m.state = 'sent' AND m.chat_id <> $3::bigint"
	" AND k.student_id = $2::bigint AND k.chat_id = $3::bigint)::integer";

static const char SQL_HOLD_CHAT[] =
	"UPDATE telegram_chats SET"
	" hold_until = greatest(hold_until, clock_now() + $2::bigint * interval '1 second')"
	" WHERE chat_id = $1::bigint";

void pause_ms(int64_t ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static enum err take(const struct outbox *o, struct arena *a, int64_t message, int slots,
		     struct claim *out)
{
	const char *args[] = { telegram_bot_key(&o->telegram, a),
			       arena_int(a, o->telegram.total_ms + LOCK_EXTRA_MS),
			       message ? arena_int(a, message) : NULL,
			       slots ? arena_int(a, slots) : NULL };
	struct db_rows r;
	enum err e = db_write(o->db, a, SQL_CLAIM, 4, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	*out = (struct claim){ .id = db_i64(&r), .attempt = db_i64(&r) };
	out->doubtful = db_bool(&r);
	out->migrated = db_bool(&r);
	out->chat_id = db_i64(&r);
	out->kind = db_str(&r);
	out->session_id = db_i64(&r);
	out->language = db_str(&r);
	out->parts.student = db_str(&r);
	out->parts.teacher = db_str(&r);
	out->parts.time = db_str(&r);
	return db_end(&r);
}

enum err claim_take(const struct outbox *o, struct arena *a, int64_t message, int slots,
		    struct claim *out)
{
	enum err e;

	if (!slots)
		return take(o, a, message, 0, out);
	/* One after the other, so that each sees the slots that were taken before. */
	e = db_begin(o->db);
	if (e)
		return e;
	e = db_write(o->db, a, SQL_QUEUE_UP, 0, NULL, NULL);
	return db_finish(o->db, e ? e : take(o, a, message, slots, out));
}

enum err claim_wait(const struct outbox *o, struct arena *a, int64_t message, int64_t *ms,
		    bool *is_sending)
{
	const char *args[] = { telegram_bot_key(&o->telegram, a),
			       message ? arena_int(a, message) : NULL };
	struct db_rows r;
	enum err e = db_read(o->db, a, SQL_WAIT, 2, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*ms = db_i64_or(&r, INT64_MIN);
	*is_sending = db_bool(&r);
	e = db_end(&r);
	return !e && *ms == INT64_MIN ? ERR_NOT_FOUND : e;
}

static enum err compose(const struct outbox *o, struct arena *a, const struct claim *c,
			struct telegram_message *out)
{
	struct session_links links = { 0 };
	enum err e = OK;

	*out = (struct telegram_message){ .chat_id = c->chat_id };
	out->text = telegram_text(a, c->kind, c->language, &c->parts, &out->button);
	if (c->session_id)
		e = session_links(o->db, a, o->conf, o->keys, c->session_id, &links);
	out->url = !strcmp(c->kind, "class_opened") ? links.leave_url : links.join_url;
	return e;
}

static int64_t backoff_ms(int64_t attempt)
{
	int64_t ms = RETRY_FIRST_MS;

	while (--attempt > 0 && ms < RETRY_LAST_MS)
		ms *= 2;
	if (ms > RETRY_LAST_MS)
		ms = RETRY_LAST_MS;
	return ms * 3 / 4 + randombytes_uniform((uint32_t)(ms / 2));
}

/* The message's state after answer, and when it is tried again (-1: never). */
static const char *state_after(const struct claim *c, const struct telegram_answer *answer,
			       int64_t *next_ms)
{
	*next_ms = backoff_ms(c->attempt);
	switch (answer->outcome) {
	case TELEGRAM_SENT:
		*next_ms = -1;
		return "sent";
	case TELEGRAM_UNKNOWN:
		return "unknown";
	case TELEGRAM_WAIT:
		*next_ms = answer->retry_after_s * 1000;
		break;
	case TELEGRAM_MIGRATED:
		*next_ms = 0;
		if (!c->migrated)
			break;
		*next_ms = -1; /* once is a move, twice a circle */
		return "failed";
	case TELEGRAM_UNREACHABLE:
	case TELEGRAM_BAD_TOKEN:
		break;
	default:
		*next_ms = -1;
		return "failed";
	}
	return c->doubtful ? "unknown" : "queued";
}

/* What the answer says about the chat and the bot goes with the message. */
static enum err record_attempt(const struct outbox *o, struct arena *a, const struct claim *c,
			       const struct telegram_answer *answer, int64_t message_id)
{
	int64_t next_ms, n = 0;
	const char *state = state_after(c, answer, &next_ms);
	const char *args[] = { arena_int(a, c->id),
			       arena_int(a, c->attempt),
			       state,
			       telegram_word(answer->outcome),
			       telegram_advice(answer->outcome),
			       next_ms < 0 ? NULL : arena_int(a, next_ms),
			       message_id ? arena_int(a, message_id) : NULL,
			       answer->status ? arena_int(a, answer->status) : NULL };
	const char *hold[] = { arena_int(a, c->chat_id), arena_int(a, answer->retry_after_s) };
	struct db_rows r;
	enum err e = db_write(o->db, a, SQL_RECORD, 8, args, &r);

	if (!e)
		e = db_one_i64(&r, &n);
	if (e || !n)
		return e;
	if (answer->outcome == TELEGRAM_WAIT) {
		e = db_write(o->db, a, SQL_HOLD_CHAT, 2, hold, NULL);
		return e ? e : telegram_bot_hold(&o->telegram, o->db, a, answer->retry_after_s);
	}
	if (answer->outcome == TELEGRAM_MIGRATED && !c->migrated)
		return outbox_migrate_chat(o->db, a, c->chat_id, answer->chat_id);
	if (telegram_is_dead_chat(answer->outcome))
		return outbox_kill_chat(o->db, a, c->chat_id, answer->outcome);
	return OK;
}

static enum err lock_student(const struct outbox *o, struct arena *a, int64_t session_id,
			     int64_t *student, int64_t *chat)
{
	const char *args[] = { arena_int(a, session_id) };
	struct db_rows r;
	enum err e = db_write(o->db, a, SQL_STUDENT, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*student = db_i64(&r);
	*chat = db_i64(&r);
	return db_end(&r);
}

/* What an admin changes about a chat does not send again what was sent: docs/decisions.md. */
static enum err follow(const struct outbox *o, struct arena *a, const struct claim *c,
		       int64_t student, int64_t chat)
{
	const char *args[] = { arena_int(a, c->id), arena_int(a, student), arena_int(a, chat) };
	int64_t linked = 0;
	struct db_rows r;
	enum err e;

	if (!chat || chat == c->chat_id)
		return OK;
	e = db_read(o->db, a, SQL_LINKED_SINCE, 3, args, &r);
	if (!e)
		e = db_one_i64(&r, &linked);
	return e || !linked ? e : outbox_follow_student(o->db, a, student, chat);
}

/*
 * Within a transaction. A link that failed goes on to the chat that its student
 * was given while it was on its way; one that arrived, to that which they have
 * linked themselves. The student first, as who changes one locks them.
 */
static enum err record(const struct outbox *o, struct arena *a, const struct claim *c,
		       const struct telegram_answer *answer, int64_t message_id)
{
	int64_t next_ms, student = 0, chat = 0;
	const char *state = state_after(c, answer, &next_ms);
	bool failed = !strcmp(state, "failed");
	bool moves = !strcmp(c->kind, "join_link") && (failed || !strcmp(state, "sent"));
	enum err e = moves ? lock_student(o, a, c->session_id, &student, &chat) : OK;

	if (!e)
		e = record_attempt(o, a, c, answer, message_id);
	if (e || !moves)
		return e;
	return failed ? outbox_settle(o->db, a, student) : follow(o, a, c, student, chat);
}

/*
 * What Telegram has done is known here alone, so the database gets ms to come
 * back. Recording it twice does no harm.
 */
static enum err record_surely(const struct outbox *o, struct arena *a, const struct claim *c,
			      const struct telegram_answer *answer, int64_t message_id, int ms)
{
	int64_t until = monotonic_ms() + ms;
	enum err e;

	for (;;) {
		db_deadline(o->db, RECORD_TRY_MS);
		e = db_begin(o->db);
		if (!e)
			e = db_finish(o->db, record(o, a, c, answer, message_id));
		if ((e != ERR_UNAVAILABLE && e != ERR_IN_DOUBT) || monotonic_ms() >= until)
			break;
		pause_ms(RECORD_PAUSE_MS);
	}
	if (e)
		log_error("message %lld: cannot record that it is %s", (long long)c->id,
			  telegram_word(answer->outcome));
	return e;
}

enum err claim_deliver(const struct outbox *o, struct arena *a, const struct claim *c,
		       int record_ms, struct telegram_answer *answer, const char **state)
{
	struct telegram_message message;
	int64_t message_id = 0;
	int64_t next_ms;
	enum err e = compose(o, a, c, &message);

	if (e) /* it did not leave */
		*answer = (struct telegram_answer){ .outcome = TELEGRAM_UNREACHABLE };
	else
		telegram_send(&o->telegram, a, &message, answer, &message_id);
	*state = state_after(c, answer, &next_ms);
	return record_surely(o, a, c, answer, message_id, record_ms);
}
