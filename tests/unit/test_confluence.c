/*
 * The same facts give the same row, in whatever order they are stored and in
 * whatever order they arrived: tried for every order of sets of up to eight
 * facts, drawn from a grid around every boundary, with duplicates. Each set is
 * also held to what must be true of any row, at every moment of the grid.
 *
 * CLASSCLOCK_LONG=1 or --long tries far more sets; CLASSCLOCK_SEED=n repeats a run.
 */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "story.h"

#define SET_MAX	 8
#define ATOM_MAX 512

/* A link of two hours, so that its end is near the other boundaries. */
static const struct terms TERMS = { .duration_s = 3600, .buffer_s = 600, .link_s = 7200 };

#define SENT_AT	 CLOCK(10, 0, 0)
#define CLICK	 CLOCK(10, 5, 0)
#define MEETING	 CLOCK(10, 40, 0) /* ended and restarted about then */
#define REOPENED CLOCK(10, 55, 0)
#define DEADLINE CLOCK(11, 15, 0)
#define LASTS	 (25 * MINUTE) /* past the first deadline: 11:20 */
#define LINK_END CLOCK(12, 0, 0)

static const int64_t boundaries[] = {
	CLICK, MEETING, REOPENED, DEADLINE, REOPENED + LASTS, LINK_END
};

/* The moment sent, and each boundary with its neighbours. */
static int64_t grid[1 + 3 * COUNT(boundaries)];

/* Every fact that a set may hold, without id and moment of receipt. */
static struct evidence atoms[ATOM_MAX];
static size_t n_atoms;

static bool is_long;
static uint64_t random_state;
static unsigned long n_sets, n_decisions;

struct set {
	size_t n;
	struct evidence facts[SET_MAX + 2]; /* room for what a check adds */
};

static size_t random_below(size_t n)
{
	/* Knuth's MMIX generator; the high bits are the good ones. */
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(random_state >> 33) % n;
}

static void add_atom(enum kind kind, int64_t at_us, int occurrence, int participant, enum role role)
{
	assert_true(n_atoms < ATOM_MAX);
	atoms[n_atoms++] = (struct evidence){
		.kind = kind,
		.happened_us = at_us,
		.lasts_us = kind == KIND_REOPENED ? LASTS : 0,
		.occurrence = occurrence,
		.participant = participant,
		.role = role,
	};
}

static void add_atoms_at(int64_t at_us)
{
	for (enum kind k = 0; k < KIND__MAX; k++) {
		if (!kind_is_zoom(k))
			add_atom(k, at_us, -1, -1, ROLE_UNKNOWN);
	}
	for (int occurrence = 0; occurrence < 2; occurrence++) {
		add_atom(KIND_ZOOM_STARTED, at_us, occurrence, -1, ROLE_UNKNOWN);
		add_atom(KIND_ZOOM_ENDED, at_us, occurrence, -1, ROLE_UNKNOWN);
		add_atom(KIND_ZOOM_JOINED, at_us, occurrence, occurrence, ROLE_TEACHER);
		add_atom(KIND_ZOOM_LEFT, at_us, occurrence, occurrence, ROLE_TEACHER);
	}
	add_atom(KIND_ZOOM_JOINED, at_us, 1, 2, ROLE_STUDENT);
	add_atom(KIND_ZOOM_LEFT, at_us, 0, 0, ROLE_UNKNOWN);
}

static int make_grid(void **state)
{
	size_t n = 0;

	(void)state;
	grid[n++] = SENT_AT;
	for (size_t i = 0; i < COUNT(boundaries); i++) {
		grid[n++] = boundaries[i] - 1;
		grid[n++] = boundaries[i];
		grid[n++] = boundaries[i] + 1;
	}
	for (size_t i = 0; i < COUNT(grid); i++)
		add_atoms_at(grid[i]);
	return 0;
}

/* --- Sets --- */

static void put(struct set *s, struct evidence fact)
{
	fact.id = (int64_t)s->n + 1;
	fact.received_us = CLOCK(13, 0, 0) + (int64_t)s->n;
	s->facts[s->n++] = fact;
}

static void put_kind(struct set *s, enum kind kind, int64_t at_us)
{
	put(s, (struct evidence){ .kind = kind,
				  .happened_us = at_us,
				  .lasts_us = LASTS,
				  .occurrence = -1,
				  .participant = -1 });
}

static struct set opened(void)
{
	struct set s = { 0 };

	put_kind(&s, KIND_SENT, SENT_AT);
	put_kind(&s, KIND_CLICKED, CLICK);
	return s;
}

/* Every fourth fact is an earlier one again: as another row, or as the very same. */
static struct set random_set(size_t n)
{
	struct set s = opened();

	if (random_below(8) == 0)
		s.n = 1;
	while (s.n < n) {
		struct evidence again = s.facts[random_below(s.n)];

		if (random_below(4) != 0)
			put(&s, atoms[random_below(n_atoms)]);
		else if (random_below(2) != 0)
			put(&s, again);
		else
			s.facts[s.n++] = again;
	}
	return s;
}

/* --- Checks --- */

static bool is_admins(enum kind kind)
{
	return kind == KIND_ADMIN_ENDED || kind == KIND_CANCELLED || kind == KIND_CORRECTED_CLICK ||
	       kind == KIND_CORRECTED_END || kind == KIND_REOPENED || kind == KIND_RELEASED;
}

static struct decision decide_set(const struct set *s, int64_t now_us)
{
	n_decisions++;
	return decide(&TERMS, s->facts, s->n, now_us);
}

static const struct evidence *find(const struct set *s, int64_t id)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->facts[i].id == id)
			return &s->facts[i];
	}
	return NULL;
}

static void print_set(const struct set *s, int64_t now_us)
{
	print_error("now %lld\n", (long long)now_us);
	for (size_t i = 0; i < s->n; i++) {
		const struct evidence *e = &s->facts[i];

		print_error(
			"%s %s at %lld: id %lld, received %lld, occurrence %d, participant %d\n",
			kind_name(e->kind), kind_field(e->kind) ? kind_field(e->kind) : "",
			(long long)e->happened_us, (long long)e->id, (long long)e->received_us,
			e->occurrence, e->participant);
	}
}

static void hold(bool claim, const char *what, const struct set *s, int64_t now_us)
{
	if (claim)
		return;
	print_set(s, now_us);
	fail_msg("%s", what);
}

/* The same row, but for the id of the deciding evidence: that must be the same fact. */
static bool is_same_row(const struct set *a, struct decision da, const struct set *b,
			struct decision db)
{
	const struct evidence *ea = find(a, da.deciding_id), *eb = find(b, db.deciding_id);

	if (!ea != !eb || (ea && (ea->kind != eb->kind || ea->happened_us != eb->happened_us)))
		return false;
	da.deciding_id = db.deciding_id;
	return decision_equal(&da, &db);
}

/* The facts as they would be stored had they arrived in the order of the array. */
static struct set arrived(struct set s)
{
	for (size_t i = 0; i < s.n; i++) {
		s.facts[i].id = (int64_t)i + 1;
		s.facts[i].received_us = CLOCK(14, 0, 0) + (int64_t)i;
	}
	return s;
}

/* What people decided means what it means by its order, so that order is kept. */
static bool keeps_admins_order(const struct set *s)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < s->n; i++) {
		if (!is_admins(s->facts[i].kind))
			continue;
		if (s->facts[i].received_us < last)
			return false;
		last = s->facts[i].received_us;
	}
	return true;
}

static void check_order(const struct set *s, const struct set *order, int64_t now_us,
			const struct decision *want)
{
	struct decision got = decide_set(order, now_us);
	struct set late;

	hold(decision_equal(&got, want), "another order of the rows, another decision", order,
	     now_us);
	if (!keeps_admins_order(order))
		return;
	late = arrived(*order);
	got = decide_set(&late, now_us);
	hold(is_same_row(&late, got, s, *want), "another order of arrival, another row", &late,
	     now_us);
}

static void swap(struct evidence *a, struct evidence *b)
{
	struct evidence c = *a;

	*a = *b;
	*b = c;
}

/* Heap's algorithm. */
static void check_every_order(const struct set *s, int64_t now_us)
{
	const struct decision want = decide_set(s, now_us);
	struct set order = *s;
	size_t count[SET_MAX] = { 0 };

	check_order(s, &order, now_us, &want);
	for (size_t i = 1; i < s->n;) {
		if (count[i] == i) {
			count[i++] = 0;
			continue;
		}
		swap(&order.facts[i % 2 ? count[i] : 0], &order.facts[i]);
		count[i]++;
		i = 1;
		check_order(s, &order, now_us, &want);
	}
}

static void check_row(const struct set *s, int64_t now_us)
{
	const struct decision d = decide_set(s, now_us);
	const struct evidence *by = find(s, d.deciding_id);
	const bool is_over = d.status == STATUS_ENDED || d.status == STATUS_TIMEOUT;

	hold(d.has_end == is_over, "an end exactly when it is over", s, now_us);
	hold(d.has_click == (is_over || d.status == STATUS_ACTIVE), "a click exactly when opened",
	     s, now_us);
	hold(!d.has_click || d.times_out_us >= d.clicked_us, "the deadline is not before the click",
	     s, now_us);
	hold(!d.has_end || d.ended_us >= d.clicked_us, "the end is not before the click", s,
	     now_us);
	hold(!d.has_end || d.ended_us <= d.times_out_us || d.corrected,
	     "only a correction ends after the deadline", s, now_us);
	hold((d.ended_by != ENDER_NONE) == (d.status == STATUS_ENDED),
	     "an ender exactly when ended", s, now_us);
	hold((by != NULL) == (d.status == STATUS_ENDED), "one deciding fact exactly when ended", s,
	     now_us);
	hold(!by || by->happened_us == d.ended_us, "the end is the deciding fact's moment", s,
	     now_us);
	hold(d.status != STATUS_TIMEOUT || (d.ended_us == d.times_out_us && now_us >= d.ended_us),
	     "a timeout is at the deadline, once it has passed", s, now_us);
	hold(!d.estimated || d.status == STATUS_TIMEOUT, "only a timeout is estimated", s, now_us);
	hold(d.status != STATUS_ACTIVE || now_us < d.times_out_us,
	     "nothing is active at its deadline", s, now_us);
}

/* What the set-based timeout makes of a row by the moment now. */
static struct decision swept(struct decision d, int64_t now_us)
{
	if (d.status == STATUS_SENT && now_us >= LINK_END)
		d.status = STATUS_MISSED;
	if (d.status == STATUS_ACTIVE && now_us >= d.times_out_us) {
		d.status = STATUS_TIMEOUT;
		d.has_end = true;
		d.ended_us = d.times_out_us;
		d.estimated = true;
	}
	return d;
}

/* A settled row, left to the set-based timeout, is right at every later moment. */
static void check_sweep(const struct set *s, int64_t now_us)
{
	const struct decision d = decide_set(s, now_us);
	bool is_right = true;

	for (size_t i = 0; i <= COUNT(grid); i++) {
		const int64_t later = i < COUNT(grid) ? grid[i] : IN_THE_END;
		struct decision want, got;

		if (later <= now_us)
			continue;
		want = decide_set(s, later);
		got = swept(d, later);
		got.unsettled = want.unsettled = false;
		is_right &= decision_equal(&got, &want);
	}
	hold(is_right || d.unsettled, "the timeout would write a wrong row", s, now_us);
	hold(!is_right || !d.unsettled, "the timeout would write this row right", s, now_us);
}

/* Another row of a fact that is there, or a fact that never decides, changes no row. */
static void check_idle_facts(const struct set *s, int64_t now_us)
{
	static const enum kind idle[] = { KIND_CLICK_IGNORED, KIND_TIMED_OUT, KIND_MISSED,
					  KIND_OTHER };
	const struct decision want = decide_set(s, now_us);
	const struct evidence again = s->facts[random_below(s->n)];
	struct set more = *s;
	struct decision got;

	if (!is_admins(again.kind))
		put(&more, again);
	put_kind(&more, idle[random_below(4)], again.happened_us);
	got = decide_set(&more, now_us);
	hold(is_same_row(&more, got, s, want), "an idle fact changed the row", &more, now_us);
}

static void check_set(const struct set *s)
{
	const int64_t now_us = grid[random_below(COUNT(grid))];

	n_sets++;
	check_every_order(s, now_us);
	check_row(s, now_us);
	check_row(s, IN_THE_END);
	check_sweep(s, now_us);
	check_idle_facts(s, now_us);
}

/* --- Tests --- */

static void every_pair_of_facts_on_the_grid_decides_alike_in_every_order(void **state)
{
	const size_t step = is_long ? 1 : 7;

	(void)state;
	for (size_t i = 0, skip = random_below(step); i < n_atoms; i++) {
		for (size_t j = i; j < n_atoms; j++) {
			struct set s = opened();

			if (skip-- != 0)
				continue;
			skip = step - 1;
			put(&s, atoms[i]);
			put(&s, atoms[j]);
			check_set(&s);
		}
	}
}

static void random_sets_decide_alike_in_every_order(void **state)
{
	const size_t sets[SET_MAX + 1] = { [5] = 4000, [6] = 600, [7] = 60, [8] = 12 };

	(void)state;
	for (size_t n = 5; n <= SET_MAX; n++) {
		for (size_t i = 0; i < sets[n] * (is_long ? 100 : 1); i++) {
			struct set s = random_set(n);

			check_set(&s);
		}
	}
}

static void tell_zoom_of(struct set *s, enum kind kind, int64_t at_us, int occurrence,
			 int participant)
{
	put(s, (struct evidence){ .kind = kind,
				  .happened_us = at_us,
				  .occurrence = occurrence,
				  .participant = participant,
				  .role = participant == 0 ? ROLE_TEACHER : ROLE_UNKNOWN });
}

static void a_restarted_class_decides_alike_in_all_40320_orders(void **state)
{
	struct set s = opened();

	(void)state;
	tell_zoom_of(&s, KIND_ZOOM_STARTED, CLICK, 0, -1);
	tell_zoom_of(&s, KIND_ZOOM_ENDED, MEETING, 0, -1);
	tell_zoom_of(&s, KIND_ZOOM_ENDED, MEETING, 0, -1);
	tell_zoom_of(&s, KIND_ZOOM_JOINED, MEETING + 1, 1, 0);
	tell_zoom_of(&s, KIND_ZOOM_LEFT, REOPENED, 1, 0);
	put_kind(&s, KIND_TEACHER_LEFT, REOPENED);
	assert_int_equal(decide_set(&s, DEADLINE - 1).ended_by, ENDER_TEACHER_LEFT);
	assert_int_equal(decide_set(&s, DEADLINE).ended_by, ENDER_ZOOM);
	check_every_order(&s, DEADLINE - 1);
	check_set(&s);
}

static void what_an_admin_undid_stays_undone_in_all_40320_orders(void **state)
{
	const enum kind acts[] = { KIND_ADMIN_ENDED, KIND_CORRECTED_END, KIND_CANCELLED,
				   KIND_REOPENED, KIND_RELEASED };
	struct set s = opened();

	(void)state;
	for (size_t i = 0; i < COUNT(acts); i++)
		put_kind(&s, acts[i], MEETING);
	tell_zoom_of(&s, KIND_ZOOM_ENDED, MEETING + 1, 0, -1);
	assert_int_equal(decide_set(&s, DEADLINE).ended_us, MEETING + 1);
	check_set(&s);
}

static uint64_t chosen_seed(void)
{
	const char *seed = getenv("CLASSCLOCK_SEED");

	return seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
}

static int report(void **state)
{
	(void)state;
	print_message("%lu sets, %lu decisions\n", n_sets, n_decisions);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_facts_on_the_grid_decides_alike_in_every_order),
		cmocka_unit_test(random_sets_decide_alike_in_every_order),
		cmocka_unit_test(a_restarted_class_decides_alike_in_all_40320_orders),
		cmocka_unit_test(what_an_admin_undid_stays_undone_in_all_40320_orders),
	};
	const char *wish = getenv("CLASSCLOCK_LONG");

	is_long = (wish && strcmp(wish, "1") == 0) || (argc > 1 && strcmp(argv[1], "--long") == 0);
	random_state = chosen_seed();
	print_message("seed %llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, make_grid, report);
}
