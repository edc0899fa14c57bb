#include <string.h>

#include "evidence.h"

#define SELECT_ROW                                                                                 \
	"SELECT id, teacher_id, student_id, us(clock_now()), duration_minutes, buffer_minutes,"    \
	" link_hours, session_status, us(sent_at), us(clicked_at), us(times_out_at),"              \
	" us(session_ended_at), ended_by, estimated, corrected, zoom_seen, unsettled,"             \
	" teacher_seconds, student_seconds, both_seconds, superseded_by, zoom_url, link_id"        \
	" FROM sessions WHERE id = $1::bigint"

static const char SQL_LOOK[] = SELECT_ROW;

/* Nobody deletes a session: a stronger lock would hold up everyone whose evidence refers to it. */
static const char SQL_LOCK[] = SELECT_ROW " FOR NO KEY UPDATE";

static const char SQL_ADD[] =
	"INSERT INTO session_events (session_id, kind, happened_at, source, account_id, detail,"
	" dedupe) VALUES ($1::bigint, $2, coalesce(at_us($3::bigint), clock_now()), $4,"
	" $5::bigint, coalesce($6::jsonb, '{}'), $7)"
	" ON CONFLICT (session_id, dedupe) DO NOTHING";

/*
 * Behind a correction of a class that was over with it (the first since the
 * class last ran) only people's decisions are heeded: source, design, States, 9.
 */
static const char SQL_READ[] =
	"WITH ran AS ("
	" SELECT coalesce(max(id), 0) AS id FROM session_events WHERE session_id = $1::bigint"
	"  AND (kind IN ('released', 'reopened') OR (kind = 'corrected' AND NOT detail ? 'over'))"
	"), fixed AS ("
	" SELECT min(e.id) AS id FROM ran"
	"  JOIN session_events e ON e.session_id = $1::bigint AND e.kind = 'corrected'"
	"   AND e.id > ran.id)"
	" SELECT e.id, kind, us(happened_at), us(received_at), detail->>'field',"
	" round((detail->>'seconds')::numeric * 1000000)::bigint, detail->>'uuid',"
	" detail->>'participant', detail->>'side'"
	" FROM session_events e CROSS JOIN fixed WHERE session_id = $1::bigint"
	" AND (fixed.id IS NULL OR e.id <= fixed.id OR kind IN ('corrected', 'admin_ended', "
	"'cancelled',"
	"  'reopened', 'released')) ORDER BY e.id";

/*
 * The taps after the end ($2) that were taken for taps in time. Not the first, which the class
 * began with, unless an earlier one took its place ($3): who shifts a class and its evidence in
 * time (design, States) leaves its clicks where they were. Of evidence one is enough.
 */
static const char SQL_LATE[] =
	"WITH late AS ("
	" UPDATE clicks c SET verdict = 'late' WHERE session_id = $1::bigint AND verdict = 'human'"
	"  AND happened_at > at_us($2::bigint) AND ($3::boolean OR EXISTS (SELECT FROM clicks f"
	"   WHERE f.session_id = $1::bigint AND f.verdict = 'human'"
	"   AND f.happened_at < c.happened_at)) RETURNING happened_at)"
	" INSERT INTO session_events (session_id, kind, happened_at, source, detail, dedupe)"
	" SELECT $1::bigint, 'click_ignored', min(happened_at), 'student', '{\"why\": \"late\"}',"
	"  'ignored:late' || $2::bigint FROM late HAVING count(*) > 0"
	" ON CONFLICT (session_id, dedupe) DO NOTHING";

/* Of a class that came to life after all the old button opens it, and no newer one. */
static const char SQL_STORE[] =
	"UPDATE sessions SET session_status = $2, clicked_at = at_us($3::bigint),"
	" times_out_at = at_us($4::bigint), session_ended_at = at_us($5::bigint),"
	" ended_by = $6, estimated = $7::boolean, corrected = $8::boolean,"
	" zoom_seen = $9::boolean, unsettled = $10::boolean, teacher_seconds = $11::integer,"
	" student_seconds = $12::integer, both_seconds = $13::integer, superseded_by ="
	" CASE WHEN $2 = 'cancelled' THEN superseded_by END WHERE id = $1::bigint";

static const char *const source_names[] = {
	[SOURCE_STUDENT] = "student", [SOURCE_TEACHER] = "teacher",   [SOURCE_ADMIN] = "admin",
	[SOURCE_ZOOM] = "zoom",	      [SOURCE_TELEGRAM] = "telegram", [SOURCE_SYSTEM] = "system",
};

/* Reads a nullable moment: whether it is there, and which. */
static bool take_moment(struct db_rows *r, int64_t *us)
{
	*us = db_i64_or(r, INT64_MIN);
	if (*us != INT64_MIN)
		return true;
	*us = 0;
	return false;
}

/* Of presence the row keeps what can be told in minutes. */
static void take_presence(struct db_rows *r, struct presence *out)
{
	out->teacher_s = db_i64_or(r, -1);
	out->student_s = db_i64_or(r, 0);
	out->both_s = db_i64_or(r, 0);
	out->has = out->sides = out->teacher_s >= 0;
	if (!out->has)
		out->teacher_s = 0;
}

static bool status_of(const char *name, enum status *out)
{
	for (*out = 0; *out < STATUS__MAX; (*out)++)
		if (!strcmp(name, status_name(*out)))
			return true;
	return false;
}

/* NULL is nobody. */
static bool ender_of(const char *name, enum ender *out)
{
	*out = ENDER_NONE;
	if (!name)
		return true;
	for (*out = ENDER_NONE + 1; *out < ENDER__MAX; (*out)++)
		if (!strcmp(name, ender_name(*out)))
			return true;
	return false;
}

/* The one row of SELECT_ROW. */
static enum err take_row(struct db_rows *r, struct session_row *out)
{
	struct decision *d = &out->decided;
	const char *status, *ended_by;
	enum err e;

	if (!db_next(r))
		return ERR_NOT_FOUND;
	*out = (struct session_row){ .id = db_i64(r) };
	out->teacher_id = db_i64(r);
	out->student_id = db_i64(r);
	out->now_us = db_i64(r);
	out->terms.duration_s = db_i64(r) * 60;
	out->terms.buffer_s = db_i64(r) * 60;
	out->terms.link_s = db_i64(r) * 3600;
	status = db_str(r);
	out->sent_us = db_i64(r);
	d->has_click = take_moment(r, &d->clicked_us);
	(void)take_moment(r, &d->times_out_us);
	d->has_end = take_moment(r, &d->ended_us);
	ended_by = db_str(r);
	d->estimated = db_bool(r);
	d->corrected = db_bool(r);
	d->zoom_seen = db_bool(r);
	d->unsettled = db_bool(r);
	take_presence(r, &out->presence);
	out->superseded_by = db_i64_or(r, 0);
	out->zoom_url = db_str(r);
	out->link_id = db_str(r);
	e = db_end(r);
	if (!e && (!status_of(status, &d->status) || !ender_of(ended_by, &d->ended_by)))
		e = ERR_INTERNAL;
	return e;
}

enum err session_lock(struct db *db, struct arena *a, int64_t id, struct session_row *out)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows r;
	enum err e = db_write(db, a, SQL_LOCK, 1, args, &r);

	return e ? e : take_row(&r, out);
}

enum err session_none(struct why *why)
{
	return why_not(why, ERR_NOT_FOUND, "session_id", "There is no such class.");
}

enum err session_look(struct db *db, struct arena *a, int64_t id, struct session_row *out)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_LOOK, 1, args, &r);

	return e ? e : take_row(&r, out);
}

enum err evidence_add(struct db *db, struct arena *a, int64_t session_id,
		      const struct observation *seen, bool *added)
{
	const char *args[] = {
		arena_int(a, session_id),
		seen->kind,
		seen->happened_us == HAPPENED_NOW ? NULL : arena_int(a, seen->happened_us),
		source_names[seen->source],
		seen->account_id ? arena_int(a, seen->account_id) : NULL,
		seen->detail,
		seen->dedupe,
	};
	struct db_rows r;
	enum err e = db_write(db, a, SQL_ADD, 7, args, &r);

	if (!e && added)
		*added = db_affected(&r) == 1;
	return e;
}

/* The place of text in the names met so far, so that decide() compares small numbers. */
static int number_of(const char **names, int *n, const char *text)
{
	int i;

	if (!text)
		return -1;
	for (i = 0; i < *n; i++)
		if (!strcmp(names[i], text))
			return i;
	names[(*n)++] = text;
	return i;
}

static enum role role_of(const char *side)
{
	if (!side)
		return ROLE_UNKNOWN;
	return !strcmp(side, "teacher") ? ROLE_TEACHER : ROLE_STUDENT;
}

/* Numbers for the texts of Zoom's evidence. */
struct names {
	const char **meetings, **people;
	int n_meetings, n_people;
	bool *is_taken; /* by number of the meeting: it is not the session's any more */
};

static void take_evidence(struct db_rows *r, struct names *names, struct evidence *out)
{
	const char *kind;

	*out = (struct evidence){ .id = db_i64(r) };
	kind = db_str(r);
	out->happened_us = db_i64(r);
	out->received_us = db_i64(r);
	(void)kind_of(kind, db_str(r), &out->kind); /* an unknown one never decides */
	out->lasts_us = db_i64_or(r, 0);
	out->occurrence = number_of(names->meetings, &names->n_meetings, db_str(r));
	out->participant = number_of(names->people, &names->n_people, db_str(r));
	out->role = role_of(db_str(r));
	if (out->occurrence >= 0 && !strcmp(kind, "zoom_released"))
		names->is_taken[out->occurrence] = true;
	if (out->occurrence >= 0 && !strcmp(kind, "zoom_assigned"))
		names->is_taken[out->occurrence] = false;
}

/* Drops the evidence of meetings that were taken from the session. */
static size_t keep_own(struct evidence *events, size_t n, const struct names *names)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (events[i].occurrence < 0 || !names->is_taken[events[i].occurrence])
			events[kept++] = events[i];
	return kept;
}

enum err evidence_read(struct db *db, struct arena *a, int64_t session_id, struct evidence **out,
		       size_t *n)
{
	const char *args[] = { arena_int(a, session_id) };
	struct names names = { 0 };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_READ, 1, args, &r);

	if (e)
		return e;
	*n = (size_t)db_count(&r);
	*out = arena_alloc(a, *n * sizeof **out + 1);
	names.meetings = arena_alloc(a, *n * sizeof *names.meetings + 1);
	names.people = arena_alloc(a, *n * sizeof *names.people + 1);
	names.is_taken = arena_alloc(a, *n * sizeof *names.is_taken + 1);
	memset(names.is_taken, 0, *n * sizeof *names.is_taken);
	for (size_t i = 0; db_next(&r); i++)
		take_evidence(&r, &names, &(*out)[i]);
	*n = keep_own(*out, *n, &names);
	return db_end(&r);
}

bool decision_same(const struct decision *x, const struct decision *y)
{
	return x->status == y->status && x->has_click == y->has_click &&
	       x->clicked_us == y->clicked_us && x->times_out_us == y->times_out_us &&
	       x->has_end == y->has_end && x->ended_us == y->ended_us &&
	       x->ended_by == y->ended_by && x->estimated == y->estimated &&
	       x->corrected == y->corrected && x->zoom_seen == y->zoom_seen &&
	       x->unsettled == y->unsettled;
}

static enum err store(struct db *db, struct arena *a, const struct session_row *row)
{
	const struct decision *d = &row->decided;
	const struct presence *p = &row->presence;
	const char *args[] = {
		arena_int(a, row->id),
		status_name(d->status),
		d->has_click ? arena_int(a, d->clicked_us) : NULL,
		d->has_click ? arena_int(a, d->times_out_us) : NULL,
		d->has_end ? arena_int(a, d->ended_us) : NULL,
		ender_name(d->ended_by),
		d->estimated ? "t" : "f",
		d->corrected ? "t" : "f",
		d->zoom_seen ? "t" : "f",
		d->unsettled ? "t" : "f",
		p->sides ? arena_int(a, p->teacher_s) : NULL,
		p->sides ? arena_int(a, p->student_s) : NULL,
		p->sides ? arena_int(a, p->both_s) : NULL,
	};

	return db_write(db, a, SQL_STORE, 13, args, NULL);
}

/* What the job would have written, when something else notices first that time has passed. */
static enum err note_time(struct db *db, struct arena *a, const struct session_row *row,
			  enum status before)
{
	const struct decision *d = &row->decided;
	struct observation seen = { .source = SOURCE_SYSTEM };

	if (d->status == before)
		return OK;
	if (d->status == STATUS_TIMEOUT) {
		seen.kind = "timed_out";
		seen.happened_us = d->times_out_us;
	} else if (d->status == STATUS_MISSED) {
		seen.kind = "missed";
		seen.happened_us = row->sent_us + row->terms.link_s * 1000000;
	} else {
		return OK;
	}
	return evidence_add(db, a, row->id, &seen, NULL);
}

/* What is not known leaves no minutes; neither does a class that still goes on. */
void evidence_fold(struct arena *a, const struct session_row *row, const struct evidence *events,
		   size_t n, int64_t now_us, struct decision *d, struct presence *p)
{
	*d = decide(&row->terms, events, n, now_us);
	*p = (struct presence){ 0 };
	if (d->has_end)
		*p = presence_of(a, events, n, d->clicked_us, d->ended_us);
	if (!p->sides)
		*p = (struct presence){ 0 };
}

int64_t evidence_over_us(const struct decision *d)
{
	if (d->has_end)
		return d->ended_us;
	return d->has_click ? d->times_out_us : INT64_MAX;
}

/* Whoever asks for late taps reads that word alone: lib/attention.c. */
static enum err judge_taps(struct db *db, struct arena *a, const struct session_row *row,
			   const struct decision *before)
{
	const struct decision *d = &row->decided;
	bool replaced = before->has_click && d->has_click && !d->corrected &&
			d->clicked_us < before->clicked_us;
	const char *args[] = { arena_int(a, row->id), arena_int(a, evidence_over_us(d)),
			       replaced ? "t" : "f" };

	if (evidence_over_us(d) >= evidence_over_us(before))
		return OK;
	return db_write(db, a, SQL_LATE, 3, args, NULL);
}

enum err evidence_settle(struct db *db, struct arena *a, struct session_row *row)
{
	struct decision before = row->decided;
	struct presence there = row->presence;
	struct evidence *events;
	size_t n;
	enum err e = evidence_read(db, a, row->id, &events, &n);

	if (e)
		return e;
	evidence_fold(a, row, events, n, row->now_us, &row->decided, &row->presence);
	if (decision_same(&before, &row->decided) && presence_same(&there, &row->presence))
		return OK;
	e = store(db, a, row);
	if (!e)
		e = judge_taps(db, a, row, &before);
	return e ? e : note_time(db, a, row, before.status);
}
