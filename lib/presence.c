#include "presence.h"

/* Which connections to add up. */
enum side { SIDE_TEACHER, SIDE_STUDENT, SIDE_ANY };

/* The class: its evidence, and the stretch of time that counts. */
struct window {
	const struct evidence *events;
	size_t n;
	int64_t clicked_us;
	int64_t ended_us;
};

struct span {
	int64_t from_us;
	int64_t to_us;
};

static bool is_presence(const struct evidence *e)
{
	return e->kind == KIND_ZOOM_JOINED || e->kind == KIND_ZOOM_LEFT;
}

static bool is_of_side(const struct window *w, const struct evidence *e, enum side side)
{
	return side == SIDE_ANY || is_teachers(w->events, w->n, e) == (side == SIDE_TEACHER);
}

/* Its meeting's first end at or after from, or else the window's. */
static int64_t meeting_end(const struct window *w, const struct evidence *of, int64_t from_us)
{
	int64_t end = w->ended_us;

	for (size_t i = 0; i < w->n; i++) {
		const struct evidence *e = &w->events[i];

		if (e->kind == KIND_ZOOM_ENDED && e->occurrence == of->occurrence &&
		    e->happened_us >= from_us && e->happened_us < end)
			end = e->happened_us;
	}
	return end;
}

/* The first leave of the connection after join, or else INT64_MAX. */
static int64_t next_leave(const struct window *w, const struct evidence *join)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < w->n; i++) {
		const struct evidence *e = &w->events[i];

		if (e->kind == KIND_ZOOM_LEFT && is_same_connection(e, join) &&
		    e->happened_us > join->happened_us && e->happened_us < next)
			next = e->happened_us;
	}
	return next;
}

/* The last leave of the connection before leave, or else INT64_MIN. */
static int64_t previous_leave(const struct window *w, const struct evidence *leave)
{
	int64_t previous = INT64_MIN;

	for (size_t i = 0; i < w->n; i++) {
		const struct evidence *e = &w->events[i];

		if (e->kind == KIND_ZOOM_LEFT && is_same_connection(e, leave) &&
		    e->happened_us < leave->happened_us && e->happened_us > previous)
			previous = e->happened_us;
	}
	return previous;
}

static bool is_join_known(const struct window *w, const struct evidence *leave, int64_t since_us)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct evidence *e = &w->events[i];

		if (e->kind == KIND_ZOOM_JOINED && is_same_connection(e, leave) &&
		    e->happened_us >= since_us && e->happened_us <= leave->happened_us)
			return true;
	}
	return false;
}

/* The last start of its meeting up to leave, or else the click. */
static int64_t meeting_start(const struct window *w, const struct evidence *leave)
{
	int64_t start = INT64_MIN;

	for (size_t i = 0; i < w->n; i++) {
		const struct evidence *e = &w->events[i];

		if (e->kind == KIND_ZOOM_STARTED && e->occurrence == leave->occurrence &&
		    e->happened_us <= leave->happened_us && e->happened_us > start)
			start = e->happened_us;
	}
	return start == INT64_MIN ? w->clicked_us : start;
}

/* Since when a leave shows its connection to have been there; its own moment if a join tells. */
static int64_t shown_since(const struct window *w, const struct evidence *leave)
{
	int64_t previous = previous_leave(w, leave);

	if (is_join_known(w, leave, previous))
		return leave->happened_us;
	return previous == INT64_MIN ? meeting_start(w, leave) : previous;
}

static int64_t min_us(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The time that a join or a leave accounts for, up to the window's end; may be empty (to <= from).
 */
static struct span span_of(const struct window *w, const struct evidence *e)
{
	const bool is_join = e->kind == KIND_ZOOM_JOINED;
	struct span s;

	s.from_us = is_join ? e->happened_us : shown_since(w, e);
	s.to_us = min_us(is_join ? next_leave(w, e) : e->happened_us, meeting_end(w, e, s.from_us));
	return s;
}

/*
 * The next stretch at or after t in which the side is there or is not there,
 * without a gap: *is_there says which. Returns where it ends.
 */
static int64_t next_change(const struct window *w, enum side side, int64_t t, bool *is_there)
{
	int64_t leaves = t, comes = w->ended_us;

	for (size_t i = 0; i < w->n; i++) {
		const struct evidence *e = &w->events[i];
		struct span s;

		if (!is_presence(e) || !is_of_side(w, e, side))
			continue;
		s = span_of(w, e);
		if (s.from_us <= t && s.to_us > leaves)
			leaves = s.to_us;
		if (s.from_us > t && s.from_us < comes)
			comes = s.from_us;
	}
	*is_there = leaves > t;
	return *is_there ? leaves : comes;
}

static int64_t presence_us(const struct window *w, enum side side)
{
	int64_t sum = 0;

	for (int64_t t = w->clicked_us, change; t < w->ended_us; t = change) {
		bool is_there;

		change = next_change(w, side, t, &is_there);
		if (is_there)
			sum += change - t;
	}
	return sum;
}

static int64_t rounded_s(int64_t us)
{
	return (us + 500000) / 1000000;
}

struct presence presence_of(const struct evidence *events, size_t n, int64_t clicked_us,
			    int64_t ended_us)
{
	const struct window w = { events, n, clicked_us, ended_us };
	struct presence p = { 0 };
	int64_t teacher, student, any;

	for (size_t i = 0; i < n; i++) {
		p.has |= is_presence(&events[i]);
		p.sides |= is_presence(&events[i]) && is_of_side(&w, &events[i], SIDE_TEACHER);
	}
	if (!p.sides)
		return p;
	teacher = presence_us(&w, SIDE_TEACHER);
	student = presence_us(&w, SIDE_STUDENT);
	any = presence_us(&w, SIDE_ANY);
	p.teacher_s = rounded_s(teacher);
	p.student_s = rounded_s(student);
	p.both_s = rounded_s(teacher + student - any);
	return p;
}

bool presence_same(const struct presence *x, const struct presence *y)
{
	return x->sides == y->sides && x->teacher_s == y->teacher_s &&
	       x->student_s == y->student_s && x->both_s == y->both_s;
}

bool presence_together(const struct evidence *events, size_t n, int64_t clicked_us,
		       int64_t ended_us, int64_t *from_us, int64_t *to_us)
{
	const struct window w = { events, n, clicked_us, ended_us };
	bool together = false;

	if (!presence_of(events, n, clicked_us, ended_us).sides)
		return false;
	for (int64_t t = clicked_us, change; t < ended_us; t = change) {
		bool teacher, student;

		change = min_us(next_change(&w, SIDE_TEACHER, t, &teacher),
				next_change(&w, SIDE_STUDENT, t, &student));
		if (!teacher || !student)
			continue;
		if (!together)
			*from_us = t;
		*to_us = change;
		together = true;
	}
	return together;
}
