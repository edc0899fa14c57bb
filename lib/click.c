#include <arpa/inet.h>
#include <string.h>

#include "click.h"
#include "utf8.h"

#define AGENT_BYTES_MAX 300

/*
 * One statement, one commit: starts the session if this is its first human
 * click, writes the evidence and keeps the click. A class that is "sent" in
 * the snapshot and yet did not start was changed by somebody else meanwhile:
 * the answer says so ("again"), nothing was kept, and the caller asks anew.
 *
 * $1 session  $2 link_id  $3 expires_us  $4 is human  $5 address  $6 agent  $7 verdict otherwise
 */
static const char SQL_CLICK[] =
	"WITH was AS ("
	" SELECT s.id, s.session_status, s.zoom_url, s.superseded_by, s.session_ended_at,"
	"  clock_now() >= least(s.sent_at + s.link_hours * interval '1 hour', at_us($3::bigint))"
	"   AS expired"
	" FROM sessions s WHERE s.id = $1::bigint AND s.link_id = $2::uuid"
	"), started AS ("
	" UPDATE sessions s SET session_status = 'active', clicked_at = clock_now(),"
	"  times_out_at = clock_now() + (s.duration_minutes + s.buffer_minutes) * interval '1 "
	"minute'"
	" FROM was WHERE s.id = was.id AND s.session_status = 'sent' AND NOT was.expired"
	"  AND $4::boolean RETURNING s.id, s.clicked_at"
	"), evidence AS ("
	" INSERT INTO session_events (session_id, kind, happened_at, received_at, source)"
	" SELECT id, 'clicked', clicked_at, clicked_at, 'student' FROM started"
	"), now AS ("
	" SELECT coalesce(was.session_status, 'orphan') AS status, was.zoom_url, was.superseded_by,"
	"  coalesce(was.expired, clock_now() >= at_us($3::bigint)) AS expired,"
	"  EXISTS (SELECT FROM started) AS started, was.id, was.session_ended_at"
	" FROM (VALUES (1)) one LEFT JOIN was ON true"
	"), verdict AS ("
	" SELECT CASE WHEN NOT $4::boolean THEN $7"
	"   WHEN status = 'orphan' THEN 'orphan'"
	"   WHEN status = 'cancelled' AND superseded_by IS NULL THEN 'cancelled'"
	"   WHEN expired THEN 'expired'"
	"   WHEN status IN ('ended', 'timeout', 'missed') THEN 'late'"
	"   WHEN status = 'sent' AND NOT started THEN 'again'"
	"   ELSE 'human' END AS verdict, now.* FROM now"
	"), kept AS ("
	" INSERT INTO clicks (session_id, happened_at, received_at, verdict, address, agent)"
	" SELECT id, clock_now(), clock_now(), verdict, network(set_masklen($5::inet,"
	"  CASE family($5::inet) WHEN 4 THEN 24 ELSE 48 END)), $6 FROM verdict"
	" WHERE verdict <> 'again' AND superseded_by IS NULL"
	"), ignored AS ("
	" INSERT INTO session_events (session_id, kind, happened_at, source, detail, dedupe)"
	" SELECT id, 'click_ignored', clock_now(), 'student',"
	"  jsonb_build_object('why', verdict), 'ignored:' || verdict || "
	"coalesce(us(session_ended_at)::text, '')"
	" FROM verdict WHERE id IS NOT NULL AND superseded_by IS NULL"
	"  AND verdict IN ('late', 'prefetch', 'crawler', 'head', 'signed_in')"
	" ON CONFLICT (session_id, dedupe) DO NOTHING)"
	" SELECT verdict, status, expired, zoom_url, superseded_by FROM verdict";

static const char SQL_NEWER[] =
	"SELECT id, link_id, us(sent_at + link_hours * interval '1 hour') FROM sessions"
	" WHERE id = $1::bigint";

struct seen {
	const char *verdict, *status, *zoom_url;
	bool expired;
	int64_t superseded_by; /* 0: by none */
};

static enum err ask(struct db *db, struct arena *a, const char *const args[7], struct seen *out)
{
	struct db_rows r;
	enum err e = db_write(db, a, SQL_CLICK, 7, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	out->verdict = db_str(&r);
	out->status = db_str(&r);
	out->expired = db_bool(&r);
	out->zoom_url = db_str(&r);
	out->superseded_by = db_i64_or(&r, 0);
	return db_end(&r);
}

/* Points the arguments at the session that superseded theirs: the old button opens the new class.
 */
static enum err follow(struct db *db, struct arena *a, int64_t id, const char *args[7])
{
	const char *by[] = { arena_int(a, id) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_NEWER, 1, by, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	args[0] = arena_int(a, db_i64(&r));
	args[1] = db_str(&r);
	args[2] = arena_int(a, db_i64(&r));
	return db_end(&r);
}

/* What a visitor that is no person is recorded as; NULL for a person. */
static const char *verdict_of(enum visitor visitor)
{
	static const char *const verdicts[] = {
		[VISITOR_HUMAN] = NULL,
		[VISITOR_HEAD] = "head",
		[VISITOR_PREFETCH] = "prefetch",
		[VISITOR_CRAWLER] = "crawler",
	};

	return verdicts[visitor];
}

/* An address as PostgreSQL reads it, or NULL: a strange one must not cost a click. */
static const char *address_text(const char *address)
{
	unsigned char raw[16];

	if (address &&
	    (inet_pton(AF_INET, address, raw) == 1 || inet_pton(AF_INET6, address, raw) == 1))
		return address;
	return NULL;
}

static const char *uuid_text(struct arena *a, const unsigned char id[JOIN_LINK_ID_BYTES])
{
	char *text = arena_alloc(a, 2 * JOIN_LINK_ID_BYTES + 1);

	for (size_t i = 0; i < JOIN_LINK_ID_BYTES; i++) {
		text[2 * i] = "0123456789abcdef"[id[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
	}
	text[2 * JOIN_LINK_ID_BYTES] = '\0';
	return text;
}

static void arguments(struct arena *a, const struct click *click, const char *verdict,
		      const char *args[7])
{
	args[0] = arena_int(a, click->link->session_id);
	args[1] = uuid_text(a, click->link->link_id);
	args[2] = arena_int(a, click->link->expires_us);
	args[3] = verdict ? "f" : "t";
	args[4] = address_text(click->address);
	args[5] = click->agent ? utf8_clean(a, click->agent, AGENT_BYTES_MAX) : NULL;
	args[6] = verdict;
}

/* Newer links form a chain of at most this many before something is wrong. */
#define FOLLOW_MAX 50

enum err click_record(struct db *db, struct arena *a, const struct click *click,
		      struct click_result *out)
{
	const char *args[7];
	struct seen seen;
	enum err e = OK;

	arguments(a, click, verdict_of(click->visitor), args);
	for (int i = 0; i < FOLLOW_MAX; i++) {
		e = ask(db, a, args, &seen);
		if (e)
			return e;
		if (seen.superseded_by)
			e = follow(db, a, seen.superseded_by, args);
		else if (strcmp(seen.verdict, "again") != 0)
			break;
		if (e)
			return e;
	}
	if (!strcmp(seen.status, "cancelled"))
		out->answer = CLICK_CANCELLED;
	else
		out->answer = seen.expired ? CLICK_EXPIRED : CLICK_OPENS;
	out->zoom_url = seen.zoom_url ? seen.zoom_url : click->link->zoom_url;
	return OK;
}

enum err click_by_account(struct db *db, struct arena *a, const struct click *click)
{
	const char *args[7];
	struct seen seen;

	arguments(a, click, "signed_in", args);
	return ask(db, a, args, &seen);
}
