#include <json-c/json.h>
#include <string.h>

#include "evidence.h"
#include "session_action.h"

#define US_PER_S      INT64_C(1000000)
#define REOPEN_MIN_US (600 * US_PER_S)	 /* source: design §3.9, at least 10 minutes */
#define DAY_US	      (86400 * US_PER_S) /* no admin makes a class longer */

/* Its link opens no newer class any more. */
static const char SQL_WITHDRAW[] = "UPDATE sessions SET superseded_by = NULL WHERE id = $1::bigint";

/*
 * What people decided last about a class, the newest first: whether it is this
 * account's, with this reason; what it is, and the moment that it gives.
 */
static const char SQL_LAST[] =
	"SELECT coalesce(account_id = $2::bigint AND detail->>'reason' = $3, false),"
	" coalesce(detail->>'field', kind), us(happened_at)"
	" + coalesce(round((detail->>'seconds')::numeric * 1000000)::bigint, 0)"
	" FROM session_events WHERE session_id = $1::bigint AND kind IN ('corrected',"
	" 'admin_ended', 'cancelled', 'reopened', 'released') ORDER BY id DESC LIMIT 2";

static void put(void *o)
{
	json_object_put(o);
}

/* Exact to the microsecond, which a double would not print. */
static struct json_object *seconds(struct arena *a, int64_t us)
{
	return json_object_new_double_s((double)us / (double)US_PER_S,
					arena_printf(a, "%lld.%06lld", (long long)(us / US_PER_S),
						     (long long)(us % US_PER_S)));
}

/* {"name": value, "seconds": s}: leaves out what is NULL or 0. Belongs to the arena. */
static const char *detail(struct arena *a, const char *name, const char *value, const char *reason,
			  int64_t lasts_us)
{
	struct json_object *o = json_object_new_object();

	arena_defer(a, put, o);
	if (value)
		json_object_object_add(o, name, json_object_new_string(value));
	if (reason)
		json_object_object_add(o, "reason", json_object_new_string(reason));
	if (lasts_us)
		json_object_object_add(o, "seconds", seconds(a, lasts_us));
	return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
}

static enum err wrong_state(struct arena *a, const struct session_row *row, const char *what,
			    struct why *why)
{
	return why_not(why, ERR_CONFLICT, "action",
		       arena_printf(a, "This class is %s: it cannot be %s.",
				    status_name(row->decided.status), what));
}

static enum err add(struct db *db, struct arena *a, const struct action_want *want,
		    const char *kind, int64_t happened_us, const char *detail_text,
		    const char *dedupe)
{
	const struct observation seen = {
		.kind = kind,
		.happened_us = happened_us,
		.source = want->by_admin ? SOURCE_ADMIN : SOURCE_TEACHER,
		.account_id = want->account_id,
		.detail = detail_text,
		.dedupe = dedupe,
	};

	return evidence_add(db, a, want->session_id, &seen, NULL);
}

/* Whether the next of SQL_LAST is this; MOMENT_NONE: at whatever moment. */
static bool is_next(struct db_rows *r, const char *what, int64_t us)
{
	bool is_own;
	const char *name;
	int64_t given_us;

	if (!db_next(r))
		return false;
	is_own = db_bool(r);
	name = db_str(r);
	given_us = db_i64(r);
	return is_own && !strcmp(name, what) && (us == MOMENT_NONE || us == given_us);
}

/*
 * Whether what was decided last about the class is this very action: whoever did
 * not hear that it was done repeats it. what (may be NULL) was added at us, after
 * the start that is wanted, if one is.
 */
static enum err is_repeat(struct db *db, struct arena *a, const struct action_want *want,
			  const char *what, int64_t us, bool *out)
{
	const char *args[] = { arena_int(a, want->session_id), arena_int(a, want->account_id),
			       want->reason };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_LAST, 3, args, &r);

	if (e)
		return e;
	*out = !what || is_next(&r, what, us);
	if (*out && want->clicked_us != MOMENT_NONE)
		*out = is_next(&r, "clicked_at", want->clicked_us);
	return db_end(&r);
}

static enum err end(struct db *db, struct arena *a, const struct action_want *want,
		    struct session_row *row, struct why *why)
{
	/* The teacher's word is kept beside Zoom's, each time, once a second: Zoom may yet tell of
	 * a restart between; and beside a correction, which may be released. */
	if (row->decided.has_end &&
	    (want->by_admin || (!row->decided.zoom_seen && !row->decided.corrected)))
		return OK;
	if (row->decided.status != STATUS_ACTIVE && !row->decided.has_end)
		return wrong_state(a, row, "ended", why);
	return add(db, a, want, want->by_admin ? "admin_ended" : "teacher_ended", HAPPENED_NOW,
		   detail(a, NULL, NULL, want->reason, 0),
		   want->by_admin ? NULL
				  : arena_printf(a, "ended:%lld:%lld",
						 (long long)row->decided.times_out_us,
						 (long long)(row->now_us / US_PER_S)));
}

static enum err cancel(struct db *db, struct arena *a, const struct action_want *want,
		       struct session_row *row, struct why *why)
{
	enum status status = row->decided.status;
	const char *args[] = { arena_int(a, row->id) };
	enum err e;

	/* A link that was replaced opens the newer class until somebody withdraws it. */
	if (status == STATUS_CANCELLED && !row->superseded_by)
		return OK;
	if (status != STATUS_SENT && status != STATUS_ACTIVE && status != STATUS_CANCELLED)
		return wrong_state(a, row, "cancelled", why);
	if (want->seen && status != STATUS_CANCELLED &&
	    strcmp(want->seen, status_name(status)) != 0)
		return why_not(why, ERR_CONFLICT, "session_status",
			       arena_printf(a, "This class is %s by now: it was not cancelled.",
					    status_name(status)));
	e = add(db, a, want, "cancelled", HAPPENED_NOW, detail(a, NULL, NULL, want->reason, 0),
		NULL);
	return e || !row->superseded_by ? e : db_write(db, a, SQL_WITHDRAW, 1, args, NULL);
}

/*
 * What was left of the class when it ended, or all of it if it never began; of one that began at
 * the start that is given, what is left now. Never too little.
 */
static int64_t left_us(const struct action_want *want, const struct session_row *row)
{
	const struct decision *d = &row->decided;
	int64_t left = (row->terms.duration_s + row->terms.buffer_s) * US_PER_S;

	if (want->clicked_us != MOMENT_NONE)
		left -= row->now_us - want->clicked_us;
	else if (d->has_end)
		left = d->times_out_us - d->ended_us;
	return left > REOPEN_MIN_US ? left : REOPEN_MIN_US;
}

static enum err too_long(const char *field, struct why *why)
{
	return why_not(why, ERR_INVALID, field, "The class would last longer than a day.");
}

static enum err reopen(struct db *db, struct arena *a, const struct action_want *want,
		       struct session_row *row, struct why *why)
{
	enum status status = row->decided.status;
	int64_t until = want->times_out_us;
	bool done = false;
	enum err e = OK;

	if (status == STATUS_ACTIVE)
		e = is_repeat(db, a, want, "reopened", until, &done);
	if (e || done)
		return e;
	if (status != STATUS_ENDED && status != STATUS_TIMEOUT && status != STATUS_MISSED)
		return wrong_state(a, row, "reopened", why);
	if (until == MOMENT_NONE)
		until = row->now_us + left_us(want, row);
	if (want->clicked_us != MOMENT_NONE && want->clicked_us > row->now_us)
		return why_not(why, ERR_INVALID, "clicked_at", "It lies in the future.");
	if (until <= row->now_us || until > row->now_us + DAY_US)
		return why_not(why, ERR_INVALID, "times_out_at",
			       "It must lie within the next 24 hours.");
	if (want->clicked_us != MOMENT_NONE && until - want->clicked_us > DAY_US)
		return too_long("clicked_at", why);
	if (want->clicked_us != MOMENT_NONE)
		e = add(db, a, want, "corrected", want->clicked_us,
			detail(a, "field", "clicked_at", want->reason, 0), NULL);
	return e ? e
		 : add(db, a, want, "reopened", row->now_us,
		       detail(a, NULL, NULL, want->reason, until - row->now_us), NULL);
}

/* The end that is wanted or stands. What runs lasts until now, reopened until that deadline. */
static int64_t end_us(const struct action_want *want, const struct session_row *row)
{
	const struct decision *d = &row->decided;
	int64_t own = d->clicked_us + (row->terms.duration_s + row->terms.buffer_s) * US_PER_S;

	if (want->ended_us != MOMENT_NONE)
		return want->ended_us;
	if (d->has_end)
		return d->ended_us;
	return d->times_out_us == own ? row->now_us : d->times_out_us;
}

static enum err check_correction(const struct action_want *want, const struct session_row *row,
				 struct why *why)
{
	const struct decision *d = &row->decided;
	bool has_click = want->clicked_us != MOMENT_NONE, has_end = want->ended_us != MOMENT_NONE;
	int64_t click = has_click ? want->clicked_us : d->clicked_us;
	int64_t ended = end_us(want, row);

	if (!has_click && !has_end)
		return why_not(why, ERR_INVALID, "clicked_at",
			       "Give clicked_at, session_ended_at or both.");
	if (!has_click && !d->has_click)
		return why_not(why, ERR_INVALID, "clicked_at",
			       "Nobody opened this class: say when it began.");
	if (!has_end && !d->has_end && d->status != STATUS_ACTIVE)
		return why_not(why, ERR_INVALID, "session_ended_at",
			       "This class has no end: say when it ended.");
	if (has_click && click > row->now_us)
		return why_not(why, ERR_INVALID, "clicked_at", "It lies in the future.");
	if (has_end && ended > row->now_us)
		return why_not(why, ERR_INVALID, "session_ended_at", "It lies in the future.");
	if (ended < click)
		return why_not(why, ERR_INVALID, has_end ? "session_ended_at" : "clicked_at",
			       "The end would lie before the start.");
	if (ended - click > DAY_US)
		return too_long(has_end ? "session_ended_at" : "clicked_at", why);
	return OK;
}

/* Whether the class is over with the correction; one that still runs needs facts to end it. */
static enum err is_over_with(struct db *db, struct arena *a, const struct action_want *want,
			     const struct session_row *row, bool *over)
{
	struct evidence *events, *with;
	size_t n;
	enum err e = OK;

	*over = want->ended_us != MOMENT_NONE;
	if (!*over)
		e = evidence_read(db, a, want->session_id, &events, &n);
	if (e || *over)
		return e;
	with = arena_alloc(a, (n + 1) * sizeof *with);
	memcpy(with, events, n * sizeof *with);
	with[n] = (struct evidence){ .id = INT64_MAX,
				     .happened_us = want->clicked_us,
				     .received_us = row->now_us,
				     .kind = KIND_CORRECTED_CLICK,
				     .occurrence = -1,
				     .participant = -1 };
	*over = decide(&row->terms, with, n + 1, row->now_us).has_end;
	return OK;
}

static enum err correct_moment(struct db *db, struct arena *a, const struct action_want *want,
			       const char *field, int64_t us, bool over)
{
	struct json_object *o = json_object_new_object();

	arena_defer(a, put, o);
	json_object_object_add(o, "field", json_object_new_string(field));
	json_object_object_add(o, "reason", json_object_new_string(want->reason));
	if (over) /* evidence_read() heeds nothing that comes later */
		json_object_object_add(o, "over", json_object_new_boolean(true));
	return add(db, a, want, "corrected", us,
		   json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), NULL);
}

static enum err correct(struct db *db, struct arena *a, const struct action_want *want,
			struct session_row *row, struct why *why)
{
	const char *what = want->ended_us != MOMENT_NONE ? "session_ended_at" : NULL;
	bool over, done = false;
	enum err e;

	if (row->decided.status == STATUS_CANCELLED)
		return wrong_state(a, row, "corrected", why);
	e = check_correction(want, row, why);
	if (!e)
		e = is_repeat(db, a, want, what, want->ended_us, &done);
	if (e || done)
		return e;
	e = is_over_with(db, a, want, row, &over);
	if (!e && want->clicked_us != MOMENT_NONE)
		e = correct_moment(db, a, want, "clicked_at", want->clicked_us, over);
	if (!e && want->ended_us != MOMENT_NONE)
		e = correct_moment(db, a, want, "session_ended_at", want->ended_us, over);
	return e;
}

static enum err release(struct db *db, struct arena *a, const struct action_want *want,
			struct session_row *row, struct why *why)
{
	bool done = false;
	enum err e = OK;

	if (!row->decided.corrected)
		e = is_repeat(db, a, want, "released", MOMENT_NONE, &done);
	if (e || done)
		return e;
	if (!row->decided.corrected)
		return why_not(why, ERR_CONFLICT, "action", "This class has no correction.");
	return add(db, a, want, "released", HAPPENED_NOW, detail(a, NULL, NULL, want->reason, 0),
		   NULL);
}

static enum err act_locked(struct db *db, struct arena *a, const struct action_want *want,
			   struct why *why)
{
	static enum err (*const actions[])(struct db *, struct arena *, const struct action_want *,
					   struct session_row *, struct why *) = {
		[ACTION_END] = end,	    [ACTION_CANCEL] = cancel,	[ACTION_REOPEN] = reopen,
		[ACTION_CORRECT] = correct, [ACTION_RELEASE] = release,
	};
	struct session_row row;
	enum err e = session_lock(db, a, want->session_id, &row);

	if (!e && !want->by_admin && row.teacher_id != want->account_id)
		e = ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return session_none(why);
	/* Time that has passed unnoticed comes first: a class past its deadline is over. */
	if (!e)
		e = evidence_settle(db, a, &row);
	if (!e)
		e = actions[want->action](db, a, want, &row, why);
	return e ? e : evidence_settle(db, a, &row);
}

enum err session_act(struct db *db, struct arena *a, const struct action_want *want,
		     struct why *why)
{
	enum err e = db_begin(db);

	return e ? e : db_finish(db, act_locked(db, a, want, why));
}

/*
 * Kept also when nobody has opened the class yet: the click may still be on
 * its way. One second is one observation, so repeats do not pile up. It is heard
 * before time is: a class that was left in time did not time out.
 */
enum err session_teacher_left_in(struct db *db, struct arena *a, int64_t session_id,
				 int64_t happened_us, const char *detail_text)
{
	struct observation seen = { .kind = "teacher_left",
				    .source = SOURCE_TEACHER,
				    .detail = detail_text };
	struct session_row row;
	enum err e = session_lock(db, a, session_id, &row);

	/* A link that was replaced may come to life yet: its tap is in a journal. */
	if (e || (row.decided.status == STATUS_CANCELLED && !row.superseded_by))
		return e;
	seen.happened_us = happened_us == HAPPENED_NOW ? row.now_us : happened_us;
	/* The earliest counts, unless Zoom may yet tell of a restart after it. */
	if (row.decided.ended_by == ENDER_TEACHER_LEFT && !row.decided.zoom_seen &&
	    seen.happened_us >= row.decided.ended_us)
		return OK;
	seen.dedupe = arena_printf(a, "left:%lld", (long long)(seen.happened_us / US_PER_S));
	e = evidence_add(db, a, session_id, &seen, NULL);
	return e ? e : evidence_settle(db, a, &row);
}

enum err session_teacher_left(struct db *db, struct arena *a, int64_t session_id,
			      int64_t happened_us)
{
	enum err e = db_begin(db);

	return e ? e : db_finish(db, session_teacher_left_in(db, a, session_id, happened_us, NULL));
}
