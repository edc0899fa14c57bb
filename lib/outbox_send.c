#include <string.h>

#include "app_parent.h"
#include "log.h"
#include "outbox.h"
#include "outbox_claim.h"
#include "outbox_send.h"

/* At once: so many requests may call Telegram at the same time. They leave workers for others, and
 * keep the bot under Telegram's 30 messages a second. */
#define SLOTS	     4
#define SLOT_WAIT_MS 500
#define POLL_MS	     50
#define RECORD_MS    3000

/* The job. Source of the pace: Telegram, bots FAQ, 30 messages a second over all chats. */
#define PACE_MS	      40
#define RUN_MS	      50000 /* the next run starts after a minute */
#define COMES_SOON_MS 5000  /* what comes due in this time is waited for */
#define SILENCES_MAX  3	    /* calls without an answer, one after the other, end a run */
#define RUN_RECORD_MS 40000
#define RUN_QUERY_MS  10000

static const char SQL_LINK_MESSAGE[] =
	"SELECT id FROM messages WHERE session_id = $1::bigint AND kind = 'join_link'"
	" AND next_at IS NOT NULL";

/* The first of what waits in the chat of a reply that waits, if not itself before it. */
static const char SQL_REPLY_HEAD[] =
	"SELECT m.id FROM messages r JOIN messages m ON m.chat_id = r.chat_id AND m.id <= r.id"
	" WHERE r.update_id = $1::bigint AND r.next_at IS NOT NULL AND m.next_at IS NOT NULL"
	" ORDER BY m.id LIMIT 1";

static const char SQL_RECORD_RUN[] =
	"INSERT INTO job_runs (job, started_at, finished_at, ok, detail)"
	" VALUES ('telegram-outbox', clock_now() - $1::bigint * interval '1 millisecond',"
	"  clock_now(), $7::boolean, jsonb_build_object('sent', $2::bigint, 'unknown', $3::bigint,"
	"  'failed', $4::bigint, 'queued', $5::bigint, 'dropped', $6::bigint))";

/* Telegram repeats an update for a day; its numbers may come again after a week. */
static const char SQL_FORGET_UPDATES[] =
	"DELETE FROM telegram_updates WHERE received_at < clock_now() - interval '3 days'";

void outbox_open(struct outbox *out, struct db *db, const struct conf *conf,
		 const struct keys *keys, int total_ms)
{
	*out = (struct outbox){ .db = db, .conf = conf, .keys = keys };
	telegram_open(&out->telegram, conf, total_ms);
}

/* ------------------------------------------------------------- at once */

/* Whether it is worth staying: another request is sending it, or it can be taken in a moment.
 * *waited is the last moment when it could not be taken yet. */
static bool stays(const struct outbox *o, struct arena *a, int64_t message, int64_t *waited,
		  int64_t until)
{
	int64_t now = monotonic_ms(), ms;
	bool is_sending;

	if (now >= until || claim_wait(o, a, message, &ms, &is_sending))
		return false;
	if (is_sending || ms > 0) {
		*waited = now;
		return is_sending || now + ms < until;
	}
	return now - *waited < SLOT_WAIT_MS; /* every slot is taken */
}

static void try_message(const struct outbox *o, struct arena *a, int64_t message, int64_t until)
{
	int64_t waited = monotonic_ms();
	struct telegram_answer answer = { .outcome = TELEGRAM_MIGRATED };
	const char *state;
	struct claim c;
	enum err e;

	do {
		e = claim_take(o, a, message, SLOTS, &c);
		if (!e)
			e = claim_deliver(o, a, &c, RECORD_MS, &answer, &state);
		else if (e == ERR_NOT_FOUND && stays(o, a, message, &waited, until))
			pause_ms(POLL_MS);
		else
			return;
	} while (e == ERR_NOT_FOUND || (!e && answer.outcome == TELEGRAM_MIGRATED));
}

/* A message that can be tried; false without a bot. */
static bool find(const struct outbox *o, struct arena *a, const char *sql, int64_t id,
		 int64_t *message)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows r;

	return o->telegram.token.text && !db_read(o->db, a, sql, 1, args, &r) &&
	       !db_one_i64(&r, message);
}

void outbox_try_link(const struct outbox *o, struct arena *a, int64_t session_id)
{
	int64_t until = monotonic_ms() + o->telegram.total_ms, message;

	if (find(o, a, SQL_LINK_MESSAGE, session_id, &message))
		try_message(o, a, message, until);
}

void outbox_try_reply(const struct outbox *o, struct arena *a, int64_t update_id)
{
	int64_t until = monotonic_ms() + o->telegram.total_ms, message, last = 0;

	/* One that is still the first when it was tried keeps the others waiting. */
	while (find(o, a, SQL_REPLY_HEAD, update_id, &message) && message != last) {
		if (outbox_drop(o->db, a, 0, NULL) || outbox_settle(o->db, a, 0))
			return;
		try_message(o, a, message, until);
		last = message;
	}
}

/* --------------------------------------------------------------- a run */

static void count(struct outbox_run *run, const char *state)
{
	if (!strcmp(state, "sent"))
		run->sent++;
	else if (!strcmp(state, "unknown"))
		run->unknown++;
	else if (!strcmp(state, "failed"))
		run->failed++;
	else
		run->queued++;
}

/* Nothing can be tried now: waits for what comes due shortly, else ends the run. */
static enum err rest(const struct outbox *o, struct arena *a, bool *more)
{
	bool is_sending;
	int64_t ms;
	enum err e = claim_wait(o, a, 0, &ms, &is_sending);

	*more = !e && ms <= COMES_SOON_MS;
	if (*more)
		pause_ms(ms > POLL_MS ? ms : POLL_MS);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Takes and sends one message. */
static enum err step(const struct outbox *o, struct arena *a, struct outbox_run *run, int *silences,
		     bool *more)
{
	int64_t began = monotonic_ms(), took;
	struct telegram_answer answer;
	const char *state;
	struct claim c;
	enum err e;

	db_deadline(o->db, RUN_QUERY_MS);
	e = claim_take(o, a, 0, 0, &c);
	if (e)
		return e == ERR_NOT_FOUND ? rest(o, a, more) : e;
	e = claim_deliver(o, a, &c, RUN_RECORD_MS, &answer, &state);
	if (e)
		return e;
	count(run, state);
	if (answer.outcome == TELEGRAM_BAD_TOKEN)
		return ERR_CONFLICT;
	*silences = answer.status ? 0 : *silences + 1;
	*more = *silences < SILENCES_MAX;
	took = monotonic_ms() - began;
	if (took < PACE_MS)
		pause_ms(PACE_MS - took);
	return OK;
}

static enum err record_run(const struct outbox *o, const struct outbox_run *run, bool ok)
{
	struct arena *a = arena_new();
	const char *args[] = {
		arena_int(a, run->duration_ms),
		arena_int(a, run->sent),
		arena_int(a, run->unknown),
		arena_int(a, run->failed),
		arena_int(a, run->queued),
		arena_int(a, run->dropped),
		ok ? "t" : "f",
	};
	enum err e;

	db_deadline(o->db, RUN_QUERY_MS);
	e = db_write(o->db, a, SQL_RECORD_RUN, 7, args, NULL);
	if (!e)
		e = db_write(o->db, a, SQL_FORGET_UPDATES, 0, NULL, NULL);
	arena_free(a);
	return e;
}

enum err outbox_run(const struct outbox *o, const volatile sig_atomic_t *stop,
		    struct outbox_run *out)
{
	int64_t began = monotonic_ms();
	int silences = 0;
	bool more = true;
	enum err e = OK, recorded;

	*out = (struct outbox_run){ 0 };
	while (!e && more && !*stop && monotonic_ms() - began < RUN_MS) {
		struct arena *a = arena_new();

		db_deadline(o->db, RUN_QUERY_MS);
		e = outbox_drop(o->db, a, 0, &out->dropped);
		if (!e)
			e = outbox_settle(o->db, a, 0);
		if (!e)
			e = step(o, a, out, &silences, &more);
		arena_free(a);
	}
	out->duration_ms = monotonic_ms() - began;
	recorded = record_run(o, out, !e);
	return e ? e : recorded;
}
