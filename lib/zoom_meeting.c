#include <string.h>

#include "evidence.h"
#include "zoom_evidence.h"
#include "zoom_match.h"
#include "zoom_meeting.h"

/* Where an occurrence is, as far as is known. */
struct place {
	const char *uuid;
	const char *meeting_id; /* as the database writes it; NULL: unknown */
	const char *host_id;	/* NULL: unknown */
	const char *around_us;
};

/* One at a time for a meeting. Ends with the transaction. */
static const char SQL_LOCK[] = "SELECT pg_advisory_xact_lock(hashtextextended('zoom ' || $1, 0))";

static const char SQL_KNOWN_ID[] = "SELECT meeting_id FROM zoom_occurrences WHERE uuid = $1";

/* $1 uuid  $2 meeting or NULL  $3 host or NULL  $4 moment */
static const char SQL_NOTE[] =
	"INSERT INTO zoom_occurrences AS o (uuid, meeting_id, host_id, around, matched_at)"
	" VALUES ($1, $2::bigint, $3, at_us($4::bigint), clock_now())"
	" ON CONFLICT (uuid) DO UPDATE SET"
	"  meeting_id = coalesce(o.meeting_id, excluded.meeting_id),"
	"  host_id = least(o.host_id, excluded.host_id), matched_at = excluded.matched_at";

/* $1 host  $2 its address */
static const char SQL_KNOWN_BY_EMAIL[] =
	"INSERT INTO zoom_hosts AS h (host_id, account_id, confirmed) SELECT $1, id, true"
	" FROM accounts WHERE lower(email) = lower($2) AND role = 'teacher'"
	" ON CONFLICT (host_id, account_id) DO UPDATE SET confirmed = true WHERE NOT h.confirmed";

/* A meeting id is one host's, so another occurrence may tell who. */
static const char SQL_PLACE[] =
	"SELECT o.meeting_id, coalesce(o.host_id, (SELECT min(other.host_id)"
	"  FROM zoom_occurrences other WHERE other.meeting_id = o.meeting_id"
	"  AND other.around BETWEEN o.around - interval '2 days' AND o.around + interval '2 "
	"days')),"
	" us(o.around) FROM zoom_occurrences o WHERE o.uuid = $1";

/*
 * The occurrences of a meeting near a moment, in order of beginning, by the
 * moments that decide: those in the evidence of the session that has it, else
 * those that Zoom told. Near enough to be asked about are those of a day; the
 * others are there because their ends bound them.
 * $1 meeting or NULL  $2 uuid  $3 around
 */
static const char SQL_OCCURRENCES[] =
	"SELECT o.uuid, o.host_id, o.session_id, o.admin_id IS NULL"
	"  AND o.around BETWEEN at_us($3::bigint) - interval '1 day'"
	"   AND at_us($3::bigint) + interval '1 day',"
	" us(min(fact.happened_at)), us(max(fact.happened_at) FILTER (WHERE kind = 'zoom_ended'))"
	" FROM zoom_occurrences o CROSS JOIN LATERAL ("
	"  SELECT e.kind, e.happened_at FROM session_events e WHERE e.session_id = o.session_id"
	"   AND e.detail->>'uuid' = o.uuid"
	"   AND e.kind IN ('zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended')"
	"  UNION ALL"
	"  SELECT r.kind, r.happened_at FROM zoom_raw r WHERE r.uuid = o.uuid"
	"   AND NOT EXISTS (SELECT FROM session_events e WHERE e.session_id = o.session_id"
	"    AND e.dedupe = r.key)) fact"
	" WHERE o.uuid = $2 OR (o.meeting_id = $1::bigint"
	"  AND o.around BETWEEN at_us($3::bigint) - interval '2 days'"
	"   AND at_us($3::bigint) + interval '2 days')"
	" GROUP BY o.uuid ORDER BY 5, 1";

/*
 * The sessions that may be held there, with the window that their clicks give,
 * apart from corrections of minutes, and what an admin's reopening gives. A
 * class that was withdrawn before anybody opened it claims nothing, whoever
 * taps it after that. One that was sent with this meeting came from no other,
 * though it was away for a while. A link that names no meeting came from
 * another only where that one did.
 * $1 meeting or NULL  $2 host or NULL  $3 around; ranks as enum match_rank
 */
static const char SQL_SESSIONS[] =
	"WITH here AS ("
	" SELECT s.*, CASE WHEN s.meeting_id IS DISTINCT FROM $1::bigint THEN ("
	"  SELECT max(e.happened_at) FROM session_events e WHERE e.session_id = s.id"
	"   AND e.kind = 'zoom_url' AND e.detail->>'was' = ($1::bigint)::text) END AS left_at,"
	"  CASE WHEN $2::text IS NOT NULL"
	"   AND EXISTS (SELECT FROM zoom_hosts WHERE host_id = $2::text)"
	"   AND NOT EXISTS (SELECT FROM zoom_hosts WHERE host_id = $2 AND account_id = "
	"s.teacher_id)"
	"   AND EXISTS (SELECT FROM zoom_hosts WHERE account_id = s.teacher_id)"
	"   THEN 1 ELSE 0 END AS rank"
	" FROM sessions s WHERE s.meeting_id = $1::bigint OR s.id IN (SELECT e.session_id"
	"  FROM session_events e WHERE e.kind = 'zoom_url' AND e.detail ? 'was'"
	"   AND e.detail->>'was' = ($1::bigint)::text)"
	" UNION ALL"
	" SELECT s.*, NULL, 2 FROM sessions s WHERE s.meeting_id IS NULL AND s.teacher_id IN"
	"  (SELECT account_id FROM zoom_hosts WHERE host_id = $2))"
	" SELECT here.id, rank, us(sent_at), us(sent_at + link_hours * interval '1 hour'),"
	"  us(click.at), us(click.at + (duration_minutes + buffer_minutes) * interval '1 minute'),"
	"  us(again.at), us(here.times_out_at), us(here.clicked_at),"
	"  CASE WHEN began.was IS DISTINCT FROM ($1::bigint)::text THEN"
	"   us((SELECT max(e.happened_at) FROM session_events e WHERE e.session_id = here.id"
	"    AND e.kind = 'zoom_url' AND e.detail->>'was' IS DISTINCT FROM ($1::bigint)::text"
	"    AND (rank <> 2 OR e.detail ? 'was')"
	"    AND (left_at IS NULL OR e.happened_at < left_at))) END, us(left_at)"
	" FROM here LEFT JOIN LATERAL (SELECT min(e.happened_at) AS at FROM session_events e"
	"  WHERE e.session_id = here.id AND e.kind = 'clicked' AND e.happened_at >= sent_at"
	"   AND e.happened_at < sent_at + link_hours * interval '1 hour'"
	"   AND NOT EXISTS (SELECT FROM session_events w WHERE w.session_id = here.id"
	"    AND w.kind IN ('cancelled', 'superseded') AND w.happened_at < e.happened_at)"
	"  ) click ON true"
	" LEFT JOIN LATERAL (SELECT max(e.happened_at) AS at FROM session_events e"
	"  WHERE e.session_id = here.id AND e.kind = 'reopened'"
	"   AND here.session_status <> 'cancelled') again ON true"
	" LEFT JOIN LATERAL (SELECT e.detail->>'was' AS was FROM session_events e"
	"  WHERE e.session_id = here.id AND e.kind = 'zoom_url' ORDER BY e.id LIMIT 1"
	"  ) began ON true"
	" WHERE sent_at BETWEEN at_us($3::bigint) - interval '10 days'"
	"  AND at_us($3::bigint) + interval '3 days'"
	"  AND (session_status <> 'cancelled' OR click.at IS NOT NULL)"
	" ORDER BY here.id";

static const char SQL_MATCHED[] =
	"UPDATE zoom_occurrences SET matched_at = clock_now() WHERE uuid = $1";

static const char SQL_OWNED[] =
	"SELECT session_id, host_id, admin_id IS NOT NULL FROM zoom_occurrences WHERE uuid = $1";

static const char *const why_words[MATCH_WHY__MAX] = {
	[MATCH_NOBODYS] = "no class there",
	[MATCH_IN_WINDOW] = "began in the class",
	[MATCH_CLICKED] = "opened while it ran",
	[MATCH_WAITED] = "waited for the student",
};

/* --- What is near --- */

struct near {
	size_t n, n_sessions;
	struct zoom_move *moves; /* of each occurrence, from and to the session that has it */
	bool *is_free;		 /* the rule may decide about it */
	struct match_occurrence *occurrences;
	struct match_session *sessions;
	struct match *answers;
};

static enum err load_occurrences(struct db *db, struct arena *a, const struct place *p,
				 struct near *near)
{
	const char *args[] = { p->meeting_id, p->uuid, p->around_us };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_OCCURRENCES, 3, args, &r);

	if (e)
		return e;
	near->n = (size_t)db_count(&r);
	near->moves = arena_alloc(a, near->n * sizeof *near->moves + 1);
	near->is_free = arena_alloc(a, near->n * sizeof *near->is_free + 1);
	near->occurrences = arena_alloc(a, near->n * sizeof *near->occurrences + 1);
	near->answers = arena_alloc(a, near->n * sizeof *near->answers + 1);
	for (size_t i = 0; db_next(&r); i++) {
		struct zoom_move *m = &near->moves[i];
		struct match_occurrence *o = &near->occurrences[i];

		*m = (struct zoom_move){ .uuid = db_str(&r) };
		m->host_id = db_str(&r);
		m->from = m->to = db_i64_or(&r, 0);
		near->is_free[i] = db_bool(&r);
		o->begin_us = db_i64(&r);
		o->end_us = db_i64_or(&r, INT64_MIN);
		o->has_end = o->end_us != INT64_MIN;
	}
	return db_end(&r);
}

static enum err load_sessions(struct db *db, struct arena *a, const struct place *p,
			      struct near *near)
{
	const char *args[] = { p->meeting_id, p->host_id, p->around_us };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_SESSIONS, 3, args, &r);

	if (e)
		return e;
	near->n_sessions = (size_t)db_count(&r);
	near->sessions = arena_alloc(a, near->n_sessions * sizeof *near->sessions + 1);
	for (size_t i = 0; db_next(&r); i++) {
		struct match_session *s = &near->sessions[i];

		s->id = db_i64(&r);
		s->rank = (enum match_rank)db_i64(&r);
		s->sent_us = db_i64(&r);
		s->link_end_us = db_i64(&r);
		s->clicked_us = db_i64_or(&r, INT64_MIN);
		s->has_click = s->clicked_us != INT64_MIN;
		s->deadline_us = db_i64_or(&r, INT64_MIN);
		s->reopened_us = db_i64_or(&r, INT64_MIN);
		s->is_reopened = s->reopened_us != INT64_MIN;
		s->until_us = db_i64_or(&r, INT64_MIN);
		s->start_us = db_i64_or(&r, INT64_MIN);
		s->came_us = db_i64_or(&r, INT64_MIN);
		s->left_us = db_i64_or(&r, INT64_MAX);
	}
	return db_end(&r);
}

/* Asks the rule about what is near p and says in near->moves what it answers. */
static enum err ask(struct db *db, struct arena *a, const struct place *p, struct near *near)
{
	enum err e = load_occurrences(db, a, p, near);

	if (!e)
		e = load_sessions(db, a, p, near);
	if (e)
		return e;
	zoom_match(near->sessions, near->n_sessions, near->occurrences, near->n, near->answers);
	for (size_t i = 0; i < near->n; i++) {
		const struct match *m = &near->answers[i];

		if (!near->is_free[i])
			continue;
		near->moves[i].to = m->session < 0 ? 0 : near->sessions[m->session].id;
		near->moves[i].why = why_words[m->why];
	}
	return OK;
}

/* --- The sessions that an answer touches --- */

struct touched {
	size_t n;
	int64_t *ids; /* ascending */
	struct session_row *rows;
};

static void touch(struct touched *t, int64_t id)
{
	size_t at = t->n;

	if (!id)
		return;
	for (size_t i = 0; i < t->n; i++)
		if (t->ids[i] == id)
			return;
	for (; at > 0 && t->ids[at - 1] > id; at--)
		t->ids[at] = t->ids[at - 1];
	t->ids[at] = id;
	t->n++;
}

static struct touched touched_new(struct arena *a, size_t max)
{
	return (struct touched){ .ids = arena_alloc(a, max * sizeof(int64_t) + 1),
				 .rows = arena_alloc(a, max * sizeof(struct session_row) + 1) };
}

static enum err lock_touched(struct db *db, struct arena *a, struct touched *t)
{
	enum err e = OK;

	for (size_t i = 0; i < t->n && !e; i++)
		e = session_lock(db, a, t->ids[i], &t->rows[i]);
	return e;
}

static enum err settle_touched(struct db *db, struct arena *a, struct touched *t)
{
	enum err e = OK;

	for (size_t i = 0; i < t->n && !e; i++)
		e = evidence_settle(db, a, &t->rows[i]);
	return e;
}

/* --- The events --- */

static enum err lock(struct db *db, struct arena *a, const char *meeting_id, const char *uuid)
{
	const char *args[] = { meeting_id ? meeting_id : uuid };

	return db_write(db, a, SQL_LOCK, 1, args, NULL);
}

static enum err find(struct db *db, struct arena *a, const char *uuid, struct place *out)
{
	const char *args[] = { uuid };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_PLACE, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	out->uuid = uuid;
	out->meeting_id = db_str(&r);
	out->host_id = db_str(&r);
	out->around_us = db_str(&r);
	return db_end(&r);
}

/* Carries out the answers near p; also brings news of the occurrence at p. */
static enum err carry_out(struct db *db, struct arena *a, const struct place *p,
			  const struct near *near, int64_t *changed)
{
	struct touched t = touched_new(a, 2 * near->n);
	enum err e;

	for (size_t i = 0; i < near->n; i++) {
		const struct zoom_move *m = &near->moves[i];

		if (m->from != m->to)
			touch(&t, m->from);
		if (m->from != m->to || !strcmp(m->uuid, p->uuid))
			touch(&t, m->to);
	}
	e = lock_touched(db, a, &t);
	for (size_t i = 0; i < near->n && !e; i++) {
		const struct zoom_move *m = &near->moves[i];

		*changed += m->from != m->to;
		if (m->from != m->to)
			e = zoom_evidence_move(db, a, m);
		else if (m->to && !strcmp(m->uuid, p->uuid))
			e = zoom_evidence_bring(db, a, m->uuid, m->host_id, m->to);
	}
	return e ? e : settle_touched(db, a, &t);
}

static enum err review_at(struct db *db, struct arena *a, const char *uuid, int64_t *changed)
{
	struct place p;
	struct near near;
	enum err e = find(db, a, uuid, &p);

	if (!e)
		e = ask(db, a, &p, &near);
	return e ? e : carry_out(db, a, &p, &near, changed);
}

/* The meeting id that the database has for uuid, else the one given (0: none). */
static enum err known_id(struct db *db, struct arena *a, const char *uuid, int64_t given,
			 const char **out)
{
	const char *args[] = { uuid };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_KNOWN_ID, 1, args, &r);

	if (e)
		return e;
	*out = db_next(&r) ? db_str(&r) : NULL;
	if (!*out && given)
		*out = arena_int(a, given);
	return OK;
}

enum err zoom_meeting_learn(struct db *db, struct arena *a, const struct zoom_event *event)
{
	const char *note[] = { event->uuid, NULL, event->host_id,
			       arena_int(a, event->happened_us) };
	const char *email[] = { event->host_id, event->host_email };
	int64_t changed = 0;
	enum err e = known_id(db, a, event->uuid, event->meeting_id, &note[1]);

	if (!e)
		e = lock(db, a, note[1], event->uuid);
	if (!e)
		e = db_write(db, a, SQL_NOTE, 4, note, NULL);
	if (!e && event->host_email)
		e = db_write(db, a, SQL_KNOWN_BY_EMAIL, 2, email, NULL);
	return e ? e : review_at(db, a, event->uuid, &changed);
}

enum err zoom_meeting_review(struct db *db, struct arena *a, const char *uuid, int64_t *changed)
{
	const char *args[] = { uuid };
	const char *meeting_id;
	enum err e = known_id(db, a, uuid, 0, &meeting_id);

	if (!e)
		e = lock(db, a, meeting_id, uuid);
	if (!e)
		e = db_write(db, a, SQL_MATCHED, 1, args, NULL);
	return e ? e : review_at(db, a, uuid, changed);
}

static enum err assign_locked(struct db *db, struct arena *a, const struct zoom_meeting_want *want,
			      struct why *why)
{
	const char *args[] = { want->uuid };
	struct zoom_move move = { .uuid = want->uuid,
				  .to = want->session_id,
				  .account_id = want->account_id,
				  .reason = want->reason };
	struct touched t = touched_new(a, 2);
	const char *meeting_id;
	bool by_admin;
	struct db_rows r;
	enum err e = known_id(db, a, want->uuid, 0, &meeting_id);

	if (!e)
		e = lock(db, a, meeting_id, want->uuid);
	if (!e)
		e = db_read(db, a, SQL_OWNED, 1, args, &r);
	if (e)
		return e;
	if (!db_next(&r))
		return why_not(why, ERR_NOT_FOUND, "uuid", "Zoom has not told of such a meeting.");
	move.from = db_i64_or(&r, 0);
	move.host_id = db_str(&r);
	by_admin = db_bool(&r);
	touch(&t, move.from);
	touch(&t, move.to);
	e = db_end(&r);
	if (e || (by_admin && move.from == move.to))
		return e;
	e = lock_touched(db, a, &t);
	if (e == ERR_NOT_FOUND)
		return session_none(why);
	if (!e)
		e = zoom_evidence_move(db, a, &move);
	return e ? e : settle_touched(db, a, &t);
}

enum err zoom_meeting_assign(struct db *db, struct arena *a, const struct zoom_meeting_want *want,
			     struct why *why)
{
	enum err e = db_begin(db);

	return e ? e : db_finish(db, assign_locked(db, a, want, why));
}
