/* Who was there, and how long: each rule of presence.h. The class runs 10:00 to 11:00. */
#include "unit.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "presence.h"
#include "story.h"

#define CLICK CLOCK(10, 0, 0)
#define END   CLOCK(11, 0, 0)
#define AT(m) (CLICK + (m)*MINUTE)

/* Connections: even numbers are the teacher's. All are in meeting 0. */
static void joins(struct story *s, int connection, int64_t at_us)
{
	tell_move(s, KIND_ZOOM_JOINED, at_us, 0, connection,
		  connection % 2 ? ROLE_UNKNOWN : ROLE_TEACHER);
}

static void leaves(struct story *s, int connection, int64_t at_us)
{
	tell_move(s, KIND_ZOOM_LEFT, at_us, 0, connection,
		  connection % 2 ? ROLE_UNKNOWN : ROLE_TEACHER);
}

static struct presence during(const struct evidence *events, size_t n, int64_t from_us,
			      int64_t to_us)
{
	struct arena *a = arena_new();
	struct presence p = presence_of(a, events, n, from_us, to_us);

	arena_free(a);
	return p;
}

static bool together(const struct evidence *events, size_t n, int64_t clicked_us, int64_t ended_us,
		     int64_t *from_us, int64_t *to_us)
{
	struct arena *a = arena_new();
	bool is = presence_together(a, events, n, clicked_us, ended_us, from_us, to_us);

	arena_free(a);
	return is;
}

static struct presence there(const struct story *s)
{
	return during(s->events, s->n, CLICK, END);
}

static void assert_seconds(const struct story *s, int64_t teacher, int64_t student, int64_t both)
{
	struct presence p = there(s);

	assert_true(p.has);
	assert_true(p.sides);
	assert_int_equal(p.teacher_s, teacher);
	assert_int_equal(p.student_s, student);
	assert_int_equal(p.both_s, both);
}

static void assert_minutes(const struct story *s, int64_t teacher, int64_t student, int64_t both)
{
	assert_seconds(s, teacher * 60, student * 60, both * 60);
}

static void nothing_is_known_without_joins_and_leaves(void **state)
{
	struct story s = { 0 };

	(void)state;
	tell(&s, KIND_CLICKED, CLICK);
	tell_zoom(&s, KIND_ZOOM_STARTED, CLICK, 0);
	tell_zoom(&s, KIND_ZOOM_ENDED, END, 0);
	assert_false(there(&s).has);
	assert_false(there(&s).sides);
	assert_false(during(NULL, 0, CLICK, END).has);
}

static void without_a_recognised_teacher_no_side_is_known(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 1, AT(1));
	leaves(&s, 1, AT(50));
	tell_zoom(&s, KIND_ZOOM_ENDED, AT(55), 0)->role = ROLE_TEACHER;
	assert_true(there(&s).has);
	assert_false(there(&s).sides);
	assert_int_equal(there(&s).student_s, 0);
}

static void each_side_and_both_are_counted(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(3));
	leaves(&s, 0, AT(50));
	joins(&s, 1, AT(1));
	leaves(&s, 1, AT(40));
	assert_minutes(&s, 47, 39, 37);
}

static void the_order_of_the_events_is_irrelevant(void **state)
{
	struct story s = { 0 };

	(void)state;
	leaves(&s, 1, AT(40));
	leaves(&s, 0, AT(50));
	joins(&s, 1, AT(1));
	joins(&s, 0, AT(3));
	leaves(&s, 1, AT(20));
	joins(&s, 1, AT(20));
	assert_minutes(&s, 47, 39, 37);
}

static void only_the_class_counts(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(-10));
	leaves(&s, 0, AT(70));
	joins(&s, 1, AT(-10));
	leaves(&s, 1, AT(-5));
	joins(&s, 3, AT(61));
	leaves(&s, 3, AT(65));
	assert_minutes(&s, 60, 0, 0);
}

static void a_class_without_length_has_no_minutes(void **state)
{
	struct story s = { 0 };
	struct presence p;

	(void)state;
	joins(&s, 0, AT(-10));
	p = during(s.events, s.n, CLICK, CLICK);
	assert_true(p.sides);
	assert_int_equal(p.teacher_s, 0);
}

static void overlapping_connections_of_a_side_count_once(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(0));
	joins(&s, 2, AT(20));
	leaves(&s, 0, AT(21));
	leaves(&s, 2, AT(50));
	joins(&s, 1, AT(10));
	leaves(&s, 1, AT(30));
	joins(&s, 3, AT(15));
	leaves(&s, 3, AT(20));
	assert_minutes(&s, 50, 20, 20);
}

static void a_gap_between_two_connections_is_no_presence(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(0));
	leaves(&s, 0, AT(20));
	joins(&s, 2, AT(25));
	leaves(&s, 2, AT(50));
	assert_minutes(&s, 45, 0, 0);
}

static void a_move_between_rooms_leaves_no_gap(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(0));
	joins(&s, 0, AT(20));
	leaves(&s, 0, AT(20));
	leaves(&s, 0, AT(50));
	assert_minutes(&s, 50, 0, 0);
}

static void a_join_without_leave_lasts_to_its_meeting_s_end_or_else_the_class_s(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(10));
	assert_minutes(&s, 50, 0, 0);
	tell_zoom(&s, KIND_ZOOM_ENDED, AT(9), 0);
	tell_zoom(&s, KIND_ZOOM_ENDED, AT(20), 1);
	assert_minutes(&s, 50, 0, 0);
	tell_zoom(&s, KIND_ZOOM_ENDED, AT(40), 0);
	assert_minutes(&s, 30, 0, 0);
	leaves(&s, 0, AT(41));
	assert_minutes(&s, 30, 0, 0);
}

static void a_leave_without_join_lasts_from_its_meeting_s_start_or_else_the_click(void **state)
{
	struct story s = { 0 };

	(void)state;
	leaves(&s, 0, AT(50));
	assert_minutes(&s, 50, 0, 0);
	tell_zoom(&s, KIND_ZOOM_STARTED, AT(20), 1);
	tell_zoom(&s, KIND_ZOOM_STARTED, AT(51), 0);
	assert_minutes(&s, 50, 0, 0);
	tell_zoom(&s, KIND_ZOOM_STARTED, AT(10), 0);
	assert_minutes(&s, 40, 0, 0);
}

static void a_second_leave_without_join_goes_on_from_the_first(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(10));
	leaves(&s, 0, AT(20));
	leaves(&s, 0, AT(50));
	assert_minutes(&s, 40, 0, 0);
	leaves(&s, 0, AT(50));
	assert_minutes(&s, 40, 0, 0);
}

static void a_join_in_the_second_of_the_leave_is_known(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(50));
	leaves(&s, 0, AT(50));
	assert_minutes(&s, 10, 0, 0);
}

static void a_connection_is_the_teacher_s_when_any_of_its_events_says_so(void **state)
{
	struct story s = { 0 };

	(void)state;
	tell_move(&s, KIND_ZOOM_JOINED, AT(0), 0, 7, ROLE_UNKNOWN);
	tell_move(&s, KIND_ZOOM_LEFT, AT(30), 0, 7, ROLE_TEACHER);
	assert_minutes(&s, 30, 0, 0);
}

static void events_without_a_participant_are_one_connection_for_each_role(void **state)
{
	struct story s = { 0 };

	(void)state;
	tell_move(&s, KIND_ZOOM_JOINED, AT(0), 0, -1, ROLE_TEACHER);
	tell_move(&s, KIND_ZOOM_JOINED, AT(5), 0, -1, ROLE_UNKNOWN);
	tell_move(&s, KIND_ZOOM_LEFT, AT(30), 0, -1, ROLE_UNKNOWN);
	tell_move(&s, KIND_ZOOM_LEFT, AT(40), 0, -1, ROLE_TEACHER);
	assert_minutes(&s, 40, 25, 25);
}

static void sums_are_rounded_half_up_to_seconds(void **state)
{
	struct story s = { 0 };

	(void)state;
	joins(&s, 0, AT(0));
	leaves(&s, 0, AT(1) + SECOND / 2);
	joins(&s, 1, AT(0));
	leaves(&s, 1, AT(1) + SECOND / 2 - 1);
	assert_seconds(&s, 61, 60, 60);
}

static void tells_from_when_to_when_both_were_there(void **state)
{
	struct story s = { 0 };
	int64_t from, to;

	(void)state;
	joins(&s, 0, AT(-5));
	joins(&s, 1, AT(1));
	leaves(&s, 1, AT(10));
	joins(&s, 3, AT(20));
	leaves(&s, 0, AT(30));
	leaves(&s, 3, AT(40));
	assert_true(together(s.events, s.n, AT(0), AT(60), &from, &to));
	assert_int_equal(from, AT(1));
	assert_int_equal(to, AT(30));
	assert_false(together(s.events, s.n, AT(30), AT(60), &from, &to));
	assert_false(together(s.events, 0, AT(0), AT(60), &from, &to));
}

static void is_the_same_when_every_sum_is(void **state)
{
	const struct presence a = { true, true, 3, 2, 1 };
	const struct presence others[] = {
		{ true, false, 3, 2, 1 },
		{ true, true, 4, 2, 1 },
		{ true, true, 3, 3, 1 },
		{ true, true, 3, 2, 2 },
	};

	(void)state;
	assert_true(presence_same(&a, &a));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(presence_same(&a, &others[i]));
}

/* What lies behind the events in memory is none of them, whatever it looks like. */
static void no_more_events_are_read_than_there_are(void **state)
{
	const enum kind kinds[] = { KIND_ZOOM_JOINED, KIND_ZOOM_LEFT, KIND_ZOOM_STARTED,
				    KIND_ZOOM_ENDED };
	struct story s = { 0 };
	size_t n;

	(void)state;
	joins(&s, 0, AT(5));
	joins(&s, 1, AT(10));
	leaves(&s, 3, AT(50));
	n = s.n;
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (int connection = 0; connection < 4; connection++)
			for (int minute = 1; minute < 60; minute += 7) {
				int64_t from, to;

				tell_move(&s, kinds[i], AT(minute), 0, connection,
					  connection % 2 ? ROLE_UNKNOWN : ROLE_TEACHER);
				s.n = n;
				assert_minutes(&s, 55, 60, 55);
				assert_true(together(s.events, n, CLICK, END, &from, &to));
				assert_int_equal(from, AT(5));
				assert_int_equal(to, END);
			}
	assert_false(during(s.events, 0, CLICK, END).has);
}

#define CROWD	10000 /* connections, a join and a leave each */
#define CROWD_S 60    /* of processor time */

/* A guest with the link joins and leaves as often as he likes. Whoever is asked about that in a
 * transaction must be done at once: were each looked up among all others, the limit would end this.
 */
static void a_crowd_is_counted_at_once(void **state)
{
	struct rlimit limit;
	struct evidence *events = calloc(2 * CROWD + 1, sizeof *events);
	struct presence p;
	int64_t from, to;

	(void)state;
	assert_non_null(events);
	assert_int_equal(getrlimit(RLIMIT_CPU, &limit), 0);
	if (limit.rlim_max > CROWD_S) /* whoever runs the tests may have set a lower one */
		limit.rlim_cur = CROWD_S;
	assert_int_equal(setrlimit(RLIMIT_CPU, &limit), 0);
	for (int i = 0; i <= 2 * CROWD; i++)
		events[i] = (struct evidence){
			.id = i + 1,
			.kind = i % 2 ? KIND_ZOOM_LEFT : KIND_ZOOM_JOINED,
			.happened_us = AT(1) + i / 2 * (SECOND / 4) + i % 2 * (SECOND / 8),
			.participant = i / 2,
		};
	events[2 * CROWD].happened_us = AT(2);
	events[2 * CROWD].role = ROLE_TEACHER;
	p = during(events, 2 * CROWD + 1, CLICK, END);
	assert_int_equal(p.teacher_s, 58 * 60);
	assert_int_equal(p.student_s, CROWD / 8);
	assert_int_equal(p.both_s, CROWD / 8 - 30);
	assert_true(together(events, 2 * CROWD + 1, CLICK, END, &from, &to));
	assert_int_equal(from, AT(2));
	assert_int_equal(to, AT(1) + (CROWD - 1) * (SECOND / 4) + SECOND / 8);
	free(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_without_joins_and_leaves),
		cmocka_unit_test(without_a_recognised_teacher_no_side_is_known),
		cmocka_unit_test(each_side_and_both_are_counted),
		cmocka_unit_test(the_order_of_the_events_is_irrelevant),
		cmocka_unit_test(only_the_class_counts),
		cmocka_unit_test(a_class_without_length_has_no_minutes),
		cmocka_unit_test(overlapping_connections_of_a_side_count_once),
		cmocka_unit_test(a_gap_between_two_connections_is_no_presence),
		cmocka_unit_test(a_move_between_rooms_leaves_no_gap),
		cmocka_unit_test(
			a_join_without_leave_lasts_to_its_meeting_s_end_or_else_the_class_s),
		cmocka_unit_test(
			a_leave_without_join_lasts_from_its_meeting_s_start_or_else_the_click),
		cmocka_unit_test(a_second_leave_without_join_goes_on_from_the_first),
		cmocka_unit_test(a_join_in_the_second_of_the_leave_is_known),
		cmocka_unit_test(a_connection_is_the_teacher_s_when_any_of_its_events_says_so),
		cmocka_unit_test(events_without_a_participant_are_one_connection_for_each_role),
		cmocka_unit_test(sums_are_rounded_half_up_to_seconds),
		cmocka_unit_test(is_the_same_when_every_sum_is),
		cmocka_unit_test(tells_from_when_to_when_both_were_there),
		cmocka_unit_test(no_more_events_are_read_than_there_are),
		cmocka_unit_test(a_crowd_is_counted_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
