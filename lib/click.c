#include <string.h>

#include "address.h"
#include "click.h"
#include "login.h"
#include "utf8.h"

#define AGENT_BYTES_MAX 300
#define ARGS		8

/*
 * One statement, one commit, for any number of clicks: starts the sessions
 * whose first human click is among them, writes the evidence, keeps the clicks
 * and has the teacher told who wants to be. A click on a class that is "sent" in the snapshot and
 * yet did not start was overtaken by another transaction: its verdict is "again", nothing of it was
 * kept, and the caller asks anew. Nor is "missed" the last word: the job may have passed a click
 * that is on its way, or its clock has been ahead, and what counts is the moment of the click. A
 * class is over at its deadline, whether or not the job has come round: a click after it is late.
 *
 * $1 session  $2 link_id  $3 expires_us  $4 verdict, NULL for a person  $5 address  $6 agent
 * $7 hash of the login token that came along, NULL if none  $8 key
 */
static const char SQL_CLICKS[] =
	"WITH was AS ("
	" SELECT w.n, w.address, w.agent, w.key, s.id, s.session_status, s.zoom_url,"
	"  s.superseded_by, coalesce(s.session_ended_at, s.times_out_at) AS over_at,"
	"  CASE WHEN w.login IS NOT NULL AND (SELECT true FROM logins l"
	"    JOIN accounts a ON a.id = l.account_id"
	"    WHERE l.token_hash = w.login AND " LOGIN_IS_GOOD " LIMIT 1)"
	"   THEN 'signed_in' ELSE w.verdict END AS verdict, clock_now() >="
	"   coalesce(least(s.sent_at + s.link_hours * interval '1 hour', at_us(w.expires_us)),"
	"    at_us(w.expires_us))"
	"   AND (s.session_status = 'active' AND clock_now() <= s.times_out_at) IS NOT TRUE"
	"   AS expired"
	" FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[], $5::inet[], $6::text[],"
	"   $7::bytea[], $8::uuid[]) WITH ORDINALITY"
	"  AS w(session_id, link_id, expires_us, verdict, address, agent, login, key, n)"
	" LEFT JOIN sessions s ON s.id = w.session_id AND s.link_id = w.link_id"
	"), first AS ("
	" SELECT s.id FROM sessions s WHERE s.session_status IN ('sent', 'missed') AND s.id IN ("
	"  SELECT was.id FROM was WHERE verdict IS NULL AND session_status IN ('sent', 'missed')"
	"   AND NOT expired)"
	" ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED), started AS ("
	" UPDATE sessions s SET session_status = 'active',"
	"  clicked_at = greatest(clock_now(), s.sent_at), times_out_at ="
	"   greatest(clock_now(), s.sent_at) + (s.duration_minutes + s.buffer_minutes)"
	"   * interval '1 minute'"
	" FROM first WHERE s.id = first.id RETURNING s.id, s.clicked_at, s.teacher_id"
	"), evidence AS ("
	" INSERT INTO session_events (session_id, kind, happened_at, received_at, source)"
	" SELECT id, 'clicked', clicked_at, clicked_at, 'student' FROM started"
	"), told AS ("
	" INSERT INTO messages (kind, session_id, chat_id)"
	" SELECT 'class_opened', started.id, t.telegram_chat_id FROM started"
	" JOIN accounts t ON t.id = started.teacher_id"
	" LEFT JOIN telegram_chats c ON c.chat_id = t.telegram_chat_id"
	" WHERE t.telegram_chat_id IS NOT NULL AND c.dead IS NULL"
	" ON CONFLICT (session_id, kind) DO NOTHING"
	"), judged AS ("
	" SELECT was.*, CASE WHEN superseded_by IS NOT NULL THEN 'superseded'"
	"   WHEN verdict IS NOT NULL THEN verdict"
	"   WHEN was.id IS NULL THEN CASE WHEN expired THEN 'expired' ELSE 'orphan' END"
	"   WHEN session_status = 'cancelled' THEN 'cancelled'"
	"   WHEN expired THEN 'expired'"
	"   WHEN clock_now() > over_at THEN 'late'"
	"   WHEN session_status IN ('sent', 'missed') AND started.id IS NULL THEN 'again'"
	"   ELSE 'human' END AS outcome"
	" FROM was LEFT JOIN started ON started.id = was.id"
	"), kept AS ("
	" INSERT INTO clicks (session_id, happened_at, received_at, verdict, address, agent, key)"
	" SELECT id, clock_now(), clock_now(), outcome, address, agent, key"
	" FROM judged WHERE outcome NOT IN ('again', 'superseded')"
	" ON CONFLICT (session_id, key) DO NOTHING"
	"), ignored AS ("
	" INSERT INTO session_events (session_id, kind, happened_at, source, detail, dedupe)"
	" SELECT id, 'click_ignored', clock_now(), 'student',"
	"  jsonb_build_object('why', outcome),"
	"  'ignored:' || outcome || CASE WHEN clock_now() > over_at"
	"   THEN us(over_at)::text ELSE '' END"
	" FROM judged WHERE id IS NOT NULL"
	"  AND outcome IN ('late', 'prefetch', 'crawler', 'head', 'signed_in')"
	" ON CONFLICT (session_id, dedupe) DO NOTHING)"
	" SELECT n, outcome, (session_status = 'cancelled' AND superseded_by IS NULL) IS TRUE,"
	"  expired, zoom_url, superseded_by FROM judged";

static const char SQL_NEWER[] =
	"SELECT id, link_id, us(sent_at + link_hours * interval '1 hour') FROM sessions"
	" WHERE id = $1::bigint";

/* A click whose fate was in doubt may be there already, at the moment it was received. */
static const char SQL_KEEP[] =
	"INSERT INTO clicks AS c (session_id, happened_at, verdict, address, agent, key)"
	" VALUES ($1::bigint, at_us($2::bigint), $3, $4::inet, $5,"
	"  coalesce($6::uuid, gen_random_uuid()))"
	" ON CONFLICT (session_id, key) DO UPDATE"
	" SET happened_at = least(c.happened_at, excluded.happened_at)";

/* What the statement says of one click. */
struct seen {
	bool again, by_account, cancelled, expired;
	const char *zoom_url;
	int64_t superseded_by; /* 0: by none */
};

/* The statement's arguments for one click; with several, one column of each array. */
struct asked {
	const char *values[ARGS];
};

/* What a visitor that is no person is recorded as; NULL for a person. */
static const char *verdict_of(const struct click *click)
{
	return click->visitor == VISITOR_HUMAN ? NULL : visitor_name(click->visitor);
}

static struct asked asked_of(struct arena *a, const struct click *click)
{
	return (struct asked){ {
		arena_int(a, click->link->session_id),
		join_link_id_text(a, click->link),
		arena_int(a, click->link->expires_us),
		verdict_of(click),
		address_network(a, click->address),
		click->agent ? utf8_clean(a, click->agent, AGENT_BYTES_MAX) : NULL,
		click->login ? token_hash(a, click->login) : NULL,
		click->key,
	} };
}

/* Records n clicks; seen[i] is what became of asked[i]. */
static enum err ask(struct db *db, struct arena *a, const struct asked *asked, size_t n,
		    struct seen *seen)
{
	const char *args[ARGS], **column = arena_alloc(a, n * sizeof *column);
	struct db_rows r;
	enum err e;

	for (int c = 0; c < ARGS; c++) {
		for (size_t i = 0; i < n; i++)
			column[i] = asked[i].values[c];
		args[c] = db_text_array(a, column, n);
	}
	e = db_write_kept(db, a, SQL_CLICKS, ARGS, args, &r);
	if (e)
		return e;
	while (db_next(&r)) {
		int64_t i = db_i64(&r) - 1;
		struct seen *s = i >= 0 && i < (int64_t)n ? &seen[i] : &seen[0];
		const char *outcome = db_str(&r);

		s->again = outcome && !strcmp(outcome, "again");
		s->by_account = outcome && !strcmp(outcome, "signed_in");
		s->cancelled = db_bool(&r);
		s->expired = db_bool(&r);
		s->zoom_url = db_str(&r);
		s->superseded_by = db_i64_or(&r, 0);
	}
	return db_end(&r);
}

static void answer(const struct seen *seen, const struct click *click, struct click_result *out)
{
	if (seen->by_account)
		out->answer = CLICK_BY_ACCOUNT;
	else if (seen->cancelled)
		out->answer = CLICK_CANCELLED;
	else
		out->answer = seen->expired ? CLICK_EXPIRED : CLICK_OPENS;
	out->zoom_url = seen->zoom_url ? seen->zoom_url : click->link->zoom_url;
}

/* Points asked at the session that superseded its own: the old button opens the new class. */
static enum err follow(struct db *db, struct arena *a, int64_t id, struct asked *asked)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_NEWER, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	asked->values[0] = db_str(&r);
	asked->values[1] = db_str(&r);
	asked->values[2] = db_str(&r);
	return db_end(&r);
}

/* A chain of newer links ends at some point. */
#define LINKS_MAX 50

enum err click_record(struct db *db, struct arena *a, const struct click *click,
		      struct click_result *out)
{
	struct asked asked = asked_of(a, click);
	struct seen seen = { 0 };
	int links = 0;
	enum err e;

	do {
		e = ask(db, a, &asked, 1, &seen);
		if (!e && seen.superseded_by)
			e = follow(db, a, seen.superseded_by, &asked);
	} while (!e && seen.superseded_by && ++links < LINKS_MAX);
	if (e)
		return e;
	if (seen.again)
		return ERR_CONFLICT;
	answer(&seen, click, out);
	return OK;
}

enum err click_record_group(struct db *db, struct arena *a, const struct click *const *clicks,
			    size_t n, bool *is_done, struct click_result *out)
{
	struct asked *asked = arena_alloc(a, n * sizeof *asked);
	struct seen *seen = arena_alloc(a, n * sizeof *seen);
	enum err e;

	for (size_t i = 0; i < n; i++) {
		asked[i] = asked_of(a, clicks[i]);
		seen[i] = (struct seen){ .again = true };
	}
	e = ask(db, a, asked, n, seen);
	for (size_t i = 0; !e && i < n; i++) {
		is_done[i] = !seen[i].again && !seen[i].superseded_by;
		if (is_done[i])
			answer(&seen[i], clicks[i], &out[i]);
	}
	return e;
}

enum err click_keep(struct db *db, struct arena *a, const struct click *click, int64_t session_id,
		    int64_t happened_us, const char *verdict)
{
	const char *args[] = {
		session_id ? arena_int(a, session_id) : NULL,
		arena_int(a, happened_us),
		verdict,
		address_network(a, click->address),
		click->agent ? utf8_clean(a, click->agent, AGENT_BYTES_MAX) : NULL,
		click->key,
	};

	return db_write(db, a, SQL_KEEP, 6, args, NULL);
}
