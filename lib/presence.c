#include <stdlib.h>
#include <string.h>

#include "presence.h"

/* The class: its evidence in two orders, and the stretch of time that counts. */
struct window {
	const struct evidence *moves; /* by connection, then moment */
	const struct evidence *marks; /* by kind and meeting, then moment */
	size_t n;
	int64_t clicked_us;
	int64_t ended_us;
};

struct span {
	int64_t from_us;
	int64_t to_us;
};

/* The times that the connections of one side account for. */
struct side {
	struct span *spans;
	size_t n;
};

/* The time that two sides share. */
struct overlap {
	int64_t us;
	int64_t from_us, to_us; /* of the first stretch, of the last; with us > 0 */
};

static bool is_presence(const struct evidence *e)
{
	return e->kind == KIND_ZOOM_JOINED || e->kind == KIND_ZOOM_LEFT;
}

static int64_t min_us(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_us(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* --- The evidence in order, so that each span is found by looking at its neighbours --- */

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* 0: they speak of one connection, as is_same_connection() has it. */
static int compare_connections(const struct evidence *a, const struct evidence *b)
{
	int order = compare(a->participant, b->participant);

	if (!order && a->participant < 0)
		order = compare((int64_t)a->role, (int64_t)b->role);
	if (!order && a->participant < 0)
		order = compare(a->occurrence, b->occurrence);
	return order;
}

/* Of one moment a join comes before a leave. */
static int compare_moves(const void *x, const void *y)
{
	const struct evidence *a = x, *b = y;
	int order = compare_connections(a, b);

	if (!order)
		order = compare(a->happened_us, b->happened_us);
	return order ? order : compare((int64_t)a->kind, (int64_t)b->kind);
}

static int compare_marks(const void *x, const void *y)
{
	const struct evidence *a = x, *b = y;
	int order = compare((int64_t)a->kind, (int64_t)b->kind);

	if (!order)
		order = compare(a->occurrence, b->occurrence);
	return order ? order : compare(a->happened_us, b->happened_us);
}

static int compare_spans(const void *x, const void *y)
{
	const struct span *a = x, *b = y;

	return compare(a->from_us, b->from_us);
}

static const struct evidence *sorted(struct arena *a, const struct evidence *events, size_t n,
				     int (*order)(const void *, const void *))
{
	struct evidence *copy = arena_alloc(a, n * sizeof *copy);

	memcpy(copy, events, n * sizeof *copy);
	qsort(copy, n, sizeof *copy, order);
	return copy;
}

/* --- When a meeting began and ended --- */

/* How many marks come before the first that is the meeting's, of the kind, and not before us. */
static size_t marks_before(const struct window *w, enum kind kind, int occurrence, int64_t us)
{
	const struct evidence sought = { .kind = kind,
					 .occurrence = occurrence,
					 .happened_us = us };
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_marks(&w->marks[middle], &sought) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_mark(const struct evidence *e, enum kind kind, int occurrence)
{
	return e->kind == kind && e->occurrence == occurrence;
}

/* The meeting's first end at or after from, or else the window's. */
static int64_t meeting_end(const struct window *w, int occurrence, int64_t from_us)
{
	size_t at = marks_before(w, KIND_ZOOM_ENDED, occurrence, from_us);

	if (at < w->n && is_mark(&w->marks[at], KIND_ZOOM_ENDED, occurrence))
		return min_us(w->marks[at].happened_us, w->ended_us);
	return w->ended_us;
}

/* The meeting's last start up to us, or else the click. */
static int64_t meeting_start(const struct window *w, int occurrence, int64_t us)
{
	size_t after = marks_before(w, KIND_ZOOM_STARTED, occurrence, us + 1);

	if (after > 0 && is_mark(&w->marks[after - 1], KIND_ZOOM_STARTED, occurrence))
		return w->marks[after - 1].happened_us;
	return w->clicked_us;
}

/* --- The time that each join and leave accounts for --- */

/* The joins and leaves of one connection, as far as they have been looked at. */
struct past {
	bool has_join;
	int64_t join_us;	      /* the last join */
	int64_t leave_us, earlier_us; /* the last leave, and of the moments before it the last */
};

static void remember(struct past *past, const struct evidence *e)
{
	if (e->kind == KIND_ZOOM_JOINED) {
		past->has_join = true;
		past->join_us = e->happened_us;
	} else if (e->happened_us > past->leave_us) {
		past->earlier_us = past->leave_us;
		past->leave_us = e->happened_us;
	}
}

/* Since when a leave shows its connection to have been there; its own moment if a join tells. */
static int64_t shown_since(const struct window *w, const struct past *past,
			   const struct evidence *leave)
{
	if (past->has_join && past->join_us >= past->earlier_us)
		return leave->happened_us;
	if (past->earlier_us == INT64_MIN)
		return meeting_start(w, leave->occurrence, leave->happened_us);
	return past->earlier_us;
}

static void add(struct side *side, int64_t from_us, int64_t to_us)
{
	side->spans[side->n++] = (struct span){ from_us, to_us };
}

/* Forwards, since a leave accounts for what lies before it. */
static void add_leaves(const struct window *w, const struct evidence *moves, size_t n,
		       struct side *side)
{
	struct past past = { .leave_us = INT64_MIN, .earlier_us = INT64_MIN };

	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &moves[i];
		int64_t from_us;

		if (!is_presence(e))
			continue;
		remember(&past, e);
		if (e->kind != KIND_ZOOM_LEFT)
			continue;
		from_us = shown_since(w, &past, e);
		add(side, from_us, min_us(e->happened_us, meeting_end(w, e->occurrence, from_us)));
	}
}

/* Backwards, since a join accounts for what lies behind it, up to the first later leave. */
static void add_joins(const struct window *w, const struct evidence *moves, size_t n,
		      struct side *side)
{
	int64_t leave_us = INT64_MAX, later_us = INT64_MAX; /* the next, and the one behind it */

	for (size_t i = n; i-- > 0;) {
		const struct evidence *e = &moves[i];

		if (e->kind == KIND_ZOOM_LEFT && e->happened_us < leave_us) {
			later_us = leave_us;
			leave_us = e->happened_us;
		}
		if (e->kind == KIND_ZOOM_JOINED)
			add(side, e->happened_us,
			    min_us(leave_us > e->happened_us ? leave_us : later_us,
				   meeting_end(w, e->occurrence, e->happened_us)));
	}
}

/* --- The sides --- */

static size_t connection_end(const struct window *w, size_t from)
{
	size_t to = from + 1;

	while (to < w->n && !compare_connections(&w->moves[from], &w->moves[to]))
		to++;
	return to;
}

/* Whether any event of the connection says so, as is_teachers() has it. */
static bool is_of_teacher(const struct evidence *events, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (events[i].role == ROLE_TEACHER)
			return true;
	return false;
}

static struct side side_new(struct arena *a, size_t max)
{
	return (struct side){ .spans = arena_alloc(a, max * sizeof(struct span)) };
}

static void fill_sides(const struct window *w, struct side *teacher, struct side *student)
{
	for (size_t from = 0, to; from < w->n; from = to) {
		const struct evidence *events = &w->moves[from];
		struct side *side;

		to = connection_end(w, from);
		side = is_of_teacher(events, to - from) ? teacher : student;
		add_leaves(w, events, to - from, side);
		add_joins(w, events, to - from, side);
	}
}

/* Makes a side's spans disjoint, in order, and within the class. */
static void merge(const struct window *w, struct side *side)
{
	int64_t until_us = w->clicked_us;
	size_t n = 0;

	qsort(side->spans, side->n, sizeof *side->spans, compare_spans);
	for (size_t i = 0; i < side->n; i++) {
		struct span s = { max_us(side->spans[i].from_us, until_us), side->spans[i].to_us };

		if (s.to_us <= s.from_us)
			continue;
		side->spans[n++] = s;
		until_us = s.to_us;
	}
	side->n = n;
}

/* Which sides some join or leave is of: false for the teacher's, and nothing is known. */
static bool find_sides(struct arena *a, const struct evidence *events, size_t n, int64_t clicked_us,
		       int64_t ended_us, struct side *teacher, struct side *student)
{
	const struct window w = { sorted(a, events, n, compare_moves),
				  sorted(a, events, n, compare_marks), n, clicked_us, ended_us };

	*teacher = side_new(a, n);
	*student = side_new(a, n);
	fill_sides(&w, teacher, student);
	if (!teacher->n)
		return false;
	merge(&w, teacher);
	merge(&w, student);
	return true;
}

static int64_t length_us(const struct side *side)
{
	int64_t sum = 0;

	for (size_t i = 0; i < side->n; i++)
		sum += side->spans[i].to_us - side->spans[i].from_us;
	return sum;
}

static struct overlap overlap_of(const struct side *x, const struct side *y)
{
	struct overlap o = { 0 };

	for (size_t i = 0, j = 0; i < x->n && j < y->n;) {
		const struct span *a = &x->spans[i], *b = &y->spans[j];
		int64_t from_us = max_us(a->from_us, b->from_us);
		int64_t to_us = min_us(a->to_us, b->to_us);

		if (from_us < to_us) {
			o.from_us = o.us ? o.from_us : from_us;
			o.to_us = to_us;
			o.us += to_us - from_us;
		}
		if (a->to_us < b->to_us)
			i++;
		else
			j++;
	}
	return o;
}

static int64_t rounded_s(int64_t us)
{
	return (us + 500000) / 1000000;
}

struct presence presence_of(struct arena *a, const struct evidence *events, size_t n,
			    int64_t clicked_us, int64_t ended_us)
{
	struct presence p = { 0 };
	struct side teacher, student;

	for (size_t i = 0; i < n; i++)
		p.has |= is_presence(&events[i]);
	if (!p.has)
		return p;
	p.sides = find_sides(a, events, n, clicked_us, ended_us, &teacher, &student);
	if (!p.sides)
		return p;
	p.teacher_s = rounded_s(length_us(&teacher));
	p.student_s = rounded_s(length_us(&student));
	p.both_s = rounded_s(overlap_of(&teacher, &student).us);
	return p;
}

bool presence_same(const struct presence *x, const struct presence *y)
{
	return x->sides == y->sides && x->teacher_s == y->teacher_s &&
	       x->student_s == y->student_s && x->both_s == y->both_s;
}

bool presence_together(struct arena *a, const struct evidence *events, size_t n, int64_t clicked_us,
		       int64_t ended_us, int64_t *from_us, int64_t *to_us)
{
	struct side teacher, student;
	struct overlap o;

	if (!n || !find_sides(a, events, n, clicked_us, ended_us, &teacher, &student))
		return false;
	o = overlap_of(&teacher, &student);
	if (!o.us)
		return false;
	*from_us = o.from_us;
	*to_us = o.to_us;
	return true;
}
