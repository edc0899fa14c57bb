#include "decide.h"
#include "occurrence.h"

#define KIND_BIT(kind) (UINT32_C(1) << (kind))

static const uint32_t CLOSINGS = KIND_BIT(KIND_CANCELLED) | KIND_BIT(KIND_SUPERSEDED);

/* What the evidence says before anyone asks what time it is. */
struct reading {
	const struct evidence *events;
	size_t n;
	int64_t sent_us;
	int64_t link_end_us;
	const struct evidence *released; /* the latest received, or NULL; so are the next two */
	const struct evidence *reopened;
	const struct evidence *corrected_click; /* in force */
	bool is_cancelled;
	bool has_click;
	int64_t clicked_us;
	int64_t deadline_us; /* with has_click, as the rest */
	bool teacher_stays;  /* in the meeting at the deadline, as far as is known */
};

static bool is_one_of(const struct evidence *e, uint32_t kinds)
{
	return kinds & KIND_BIT(e->kind);
}

/* Moments beyond the end of time are at the end of time. */
static int64_t plus_us(int64_t us, int64_t more_us)
{
	int64_t sum;

	return __builtin_add_overflow(us, more_us, &sum) ? INT64_MAX : sum;
}

static int64_t plus_s(int64_t us, int64_t more_s)
{
	int64_t more_us;

	if (__builtin_mul_overflow(more_s, INT64_C(1000000), &more_us))
		return INT64_MAX;
	return plus_us(us, more_us);
}

/* --- Orders, and the best of what counts --- */

static bool is_earlier(const struct evidence *a, const struct evidence *b)
{
	if (a->happened_us != b->happened_us)
		return a->happened_us < b->happened_us;
	return a->kind != b->kind ? a->kind < b->kind : a->id < b->id;
}

static bool is_later(const struct evidence *a, const struct evidence *b)
{
	return a->happened_us != b->happened_us ? a->happened_us > b->happened_us : a->id < b->id;
}

static bool is_received_later(const struct evidence *a, const struct evidence *b)
{
	return a->received_us != b->received_us ? a->received_us > b->received_us : a->id > b->id;
}

typedef bool counts_fn(const struct reading *r, const struct evidence *e);
typedef bool beats_fn(const struct evidence *a, const struct evidence *b);

/* Of the evidence that counts, the one that no other beats, or NULL. */
static const struct evidence *best(const struct reading *r, counts_fn *counts, beats_fn *beats)
{
	const struct evidence *found = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct evidence *e = &r->events[i];

		if ((!found || beats(e, found)) && counts(r, e))
			found = e;
	}
	return found;
}

/* The earliest of a kind, or NULL. */
static const struct evidence *earliest(const struct reading *r, enum kind kind)
{
	const struct evidence *found = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct evidence *e = &r->events[i];

		if (e->kind == kind && (!found || is_earlier(e, found)))
			found = e;
	}
	return found;
}

/* The latest received of a kind, of those received after another (NULL: of all), or NULL. */
static const struct evidence *latest(const struct reading *r, enum kind kind,
				     const struct evidence *after)
{
	const struct evidence *found = after;

	for (size_t i = 0; i < r->n; i++) {
		const struct evidence *e = &r->events[i];

		if (e->kind == kind && (!found || is_received_later(e, found)))
			found = e;
	}
	return found == after ? NULL : found;
}

/* --- Link, click and deadline --- */

/* The moment of the last of some kinds up to t; INT64_MIN if there is none. */
static int64_t last_moment(const struct reading *r, uint32_t kinds, int64_t t)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < r->n; i++) {
		const struct evidence *e = &r->events[i];

		if (is_one_of(e, kinds) && e->happened_us <= t && e->happened_us > last)
			last = e->happened_us;
	}
	return last;
}

static bool link_is_open(const struct reading *r, int64_t t)
{
	return t >= r->sent_us && t < r->link_end_us &&
	       last_moment(r, CLOSINGS, t) <= last_moment(r, KIND_BIT(KIND_REOPENED), t);
}

/* Only with a reopening. */
static int64_t promised_deadline(const struct reading *r)
{
	return plus_us(r->reopened->happened_us, r->reopened->lasts_us);
}

static bool is_valid_click(const struct reading *r, const struct evidence *e)
{
	return e->kind == KIND_CLICKED && link_is_open(r, e->happened_us) &&
	       !(r->reopened && e->happened_us >= promised_deadline(r));
}

/* What clicked_at comes from, or NULL. */
static const struct evidence *start(const struct reading *r)
{
	const struct evidence *click = r->corrected_click;

	if (!click)
		click = best(r, is_valid_click, is_earlier);
	return click ? click : earliest(r, KIND_REOPENED);
}

static int64_t deadline(const struct reading *r, const struct terms *terms)
{
	if (r->reopened && r->clicked_us < promised_deadline(r))
		return promised_deadline(r);
	return plus_s(plus_s(r->clicked_us, terms->duration_s), terms->buffer_s);
}

/* --- The ladder of ends, best first --- */

static bool is_in_window(const struct reading *r, const struct evidence *e)
{
	return e->happened_us >= r->clicked_us && e->happened_us <= r->deadline_us;
}

/* For all evidence but the admin's. */
static bool ends_the_class(const struct reading *r, const struct evidence *e)
{
	return is_in_window(r, e) && !(r->reopened && e->happened_us <= r->reopened->happened_us) &&
	       !occurrence_follows(r->events, r->n, e, r->deadline_us);
}

static bool is_corrected_end(const struct reading *r, const struct evidence *e)
{
	return e->kind == KIND_CORRECTED_END && e->happened_us >= r->clicked_us &&
	       !(r->released && !is_received_later(e, r->released));
}

/* A reopening takes back what was received before it; a release, the corrections alone. */
static bool is_admins_end(const struct reading *r, const struct evidence *e)
{
	if (r->reopened && !is_received_later(e, r->reopened))
		return false;
	return is_corrected_end(r, e) || (e->kind == KIND_ADMIN_ENDED && is_in_window(r, e));
}

static bool is_meetings_end(const struct reading *r, const struct evidence *e)
{
	return e->kind == KIND_ZOOM_ENDED && ends_the_class(r, e);
}

static bool is_teachers_leave(const struct reading *r, const struct evidence *e)
{
	return e->kind == KIND_ZOOM_LEFT && !r->teacher_stays && is_teachers(r->events, r->n, e) &&
	       ends_the_class(r, e);
}

static bool is_teachers_end(const struct reading *r, const struct evidence *e)
{
	return (e->kind == KIND_TEACHER_LEFT || e->kind == KIND_TEACHER_ENDED) &&
	       ends_the_class(r, e);
}

static const struct rung {
	counts_fn *counts;
	beats_fn *beats;
	bool waits; /* counts only once the deadline has passed */
} ladder[] = {
	{ is_admins_end, is_received_later, false },
	{ is_meetings_end, is_later, false },
	{ is_teachers_leave, is_later, true },
	{ is_teachers_end, is_earlier, false },
};

static enum ender ender_of(enum kind kind)
{
	if (kind == KIND_TEACHER_LEFT)
		return ENDER_TEACHER_LEFT;
	if (kind == KIND_TEACHER_ENDED)
		return ENDER_TEACHER;
	return kind_is_zoom(kind) ? ENDER_ZOOM : ENDER_ADMIN;
}

/* --- The decision --- */

static bool is_zoom_seen(const struct reading *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (kind_is_zoom(r->events[i].kind))
			return true;
	}
	return false;
}

static void end(struct decision *d, const struct evidence *e)
{
	d->status = STATUS_ENDED;
	d->has_end = true;
	d->ended_us = e->happened_us;
	d->ended_by = ender_of(e->kind);
	d->deciding_id = e->id;
	d->corrected |= e->kind == KIND_CORRECTED_END;
}

static void time_out(struct decision *d, bool estimated)
{
	d->status = STATUS_TIMEOUT;
	d->has_end = true;
	d->ended_us = d->times_out_us;
	d->estimated = estimated;
}

static void judge_opened(const struct reading *r, int64_t now, struct decision *d)
{
	const bool is_due = now >= r->deadline_us;

	d->has_click = true;
	d->clicked_us = r->clicked_us;
	d->times_out_us = r->deadline_us;
	d->corrected = r->corrected_click;
	for (size_t i = 0; i < sizeof ladder / sizeof *ladder; i++) {
		const struct evidence *e = NULL;

		if (is_due || !ladder[i].waits)
			e = best(r, ladder[i].counts, ladder[i].beats);
		if (e) {
			end(d, e);
			return;
		}
	}
	d->status = STATUS_ACTIVE;
	if (is_due)
		time_out(d, !occurrence_ran_at(r->events, r->n, r->deadline_us));
}

static enum status judge_unopened(const struct reading *r, int64_t now)
{
	const struct evidence *superseded = earliest(r, KIND_SUPERSEDED);

	if (superseded && superseded->happened_us < r->link_end_us)
		return STATUS_CANCELLED;
	return now >= r->link_end_us ? STATUS_MISSED : STATUS_SENT;
}

static struct decision judge(const struct reading *r, int64_t now)
{
	struct decision d = { .zoom_seen = is_zoom_seen(r) };

	if (r->is_cancelled)
		d.status = STATUS_CANCELLED;
	else if (r->has_click)
		judge_opened(r, now, &d);
	else
		d.status = judge_unopened(r, now);
	return d;
}

static void read_evidence(struct reading *r, const struct terms *terms, int64_t sent_us)
{
	const struct evidence *click;

	r->sent_us = sent_us;
	r->link_end_us = plus_s(sent_us, terms->link_s);
	r->released = latest(r, KIND_RELEASED, NULL);
	r->reopened = latest(r, KIND_REOPENED, NULL);
	r->corrected_click = latest(r, KIND_CORRECTED_CLICK, r->released);
	r->is_cancelled = latest(r, KIND_CANCELLED, r->reopened);
	click = start(r);
	if (!click)
		return;
	r->has_click = true;
	r->clicked_us = click->happened_us;
	r->deadline_us = deadline(r, terms);
	r->teacher_stays = occurrence_holds_teacher(r->events, r->n, r->deadline_us);
}

/* What becomes of the row when nothing but the set-based timeout touches it. */
static struct decision swept(struct decision d)
{
	if (d.status == STATUS_SENT)
		d.status = STATUS_MISSED;
	else if (d.status == STATUS_ACTIVE)
		time_out(&d, true);
	return d;
}

struct decision decide(const struct terms *terms, const struct evidence *events, size_t n,
		       int64_t now_us)
{
	struct reading r = { .events = events, .n = n };
	const struct evidence *sent = earliest(&r, KIND_SENT);
	struct decision now, in_the_end, left_to_the_sweep;

	if (!sent)
		return (struct decision){ .zoom_seen = is_zoom_seen(&r), .unsettled = true };
	read_evidence(&r, terms, sent->happened_us);
	now = judge(&r, now_us);
	in_the_end = judge(&r, INT64_MAX);
	left_to_the_sweep = swept(now);
	now.unsettled = !decision_equal(&left_to_the_sweep, &in_the_end);
	return now;
}

bool decision_equal(const struct decision *a, const struct decision *b)
{
	return a->status == b->status && a->has_click == b->has_click &&
	       a->clicked_us == b->clicked_us && a->times_out_us == b->times_out_us &&
	       a->has_end == b->has_end && a->ended_us == b->ended_us &&
	       a->ended_by == b->ended_by && a->estimated == b->estimated &&
	       a->deciding_id == b->deciding_id && a->corrected == b->corrected &&
	       a->zoom_seen == b->zoom_seen && a->unsettled == b->unsettled;
}

const char *const status_names[STATUS__MAX + 1] = {
	[STATUS_SENT] = "sent",	      [STATUS_ACTIVE] = "active",	[STATUS_ENDED] = "ended",
	[STATUS_TIMEOUT] = "timeout", [STATUS_CANCELLED] = "cancelled", [STATUS_MISSED] = "missed",
};

const char *status_name(enum status status)
{
	return status_names[status];
}

const char *ender_name(enum ender ender)
{
	static const char *const names[ENDER__MAX] = {
		[ENDER_ADMIN] = "admin",
		[ENDER_ZOOM] = "zoom",
		[ENDER_TEACHER_LEFT] = "teacher_left",
		[ENDER_TEACHER] = "teacher",
	};

	return names[ender];
}
