/* Whose class a meeting was: by moments alone, whatever their order. */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>

#include "zoom_match.h"

#define MAX 8

/* Minutes of a day as microseconds; a class may take 70. */
#define AT(hour, minute) (((hour)*INT64_C(60) + (minute)) * 60000000)
#define WINDOW		 AT(1, 10)
#define LIFE		 AT(12, 0)
#define NONE		 INT64_C(-1)

struct day {
	struct match_session sessions[MAX + 1];
	struct match_occurrence occurrences[MAX];
	size_t n_sessions, n;
};

/* A session sent then and opened then (NONE: never), with the next id. */
static void session(struct day *d, int64_t sent_us, int64_t clicked_us)
{
	d->sessions[d->n_sessions] = (struct match_session){
		.id = (int64_t)d->n_sessions + 1,
		.sent_us = sent_us,
		.link_end_us = sent_us + LIFE,
		.has_click = clicked_us != NONE,
		.clicked_us = clicked_us,
		.deadline_us = clicked_us == NONE ? INT64_MIN : clicked_us + WINDOW,
		.came_us = INT64_MIN,
		.left_us = INT64_MAX,
	};
	d->n_sessions++;
}

/* The link of the last session went to another meeting then. */
static void leaves(struct day *d, int64_t left_us)
{
	d->sessions[d->n_sessions - 1].left_us = left_us;
}

/* The link of the last session led to another meeting until then. */
static void comes(struct day *d, int64_t came_us)
{
	d->sessions[d->n_sessions - 1].came_us = came_us;
}

/* The last session was opened again then, with that start, until. */
static void reopened(struct day *d, int64_t start_us, int64_t reopened_us, int64_t until_us)
{
	struct match_session *s = &d->sessions[d->n_sessions - 1];

	s->is_reopened = true;
	s->start_us = start_us;
	s->reopened_us = reopened_us;
	s->until_us = until_us;
}

static void occurrence(struct day *d, int64_t begin_us, int64_t end_us)
{
	d->occurrences[d->n++] = (struct match_occurrence){ .begin_us = begin_us,
							    .has_end = end_us != NONE,
							    .end_us = end_us };
}

/* What the rule must not look at: beyond the sessions one that would have all, and old answers. */
static void lay_traps(struct day *turned, struct match *out, size_t turn)
{
	turned->sessions[turned->n_sessions] = (struct match_session){
		.id = MAX, .link_end_us = INT64_MAX, .came_us = INT64_MIN, .left_us = INT64_MAX
	};
	for (size_t i = 0; i < MAX; i++)
		out[i].session = (int)(turn % (turned->n_sessions + 1));
}

/* The id of the session that has occurrence i, 0 for nobody, whatever the order of the sessions. */
static int64_t owner(const struct day *d, size_t i)
{
	struct match out[MAX];
	int64_t found = -1;

	for (size_t turn = 0; turn < d->n_sessions + 1; turn++) {
		struct day turned = *d;
		int64_t id;

		for (size_t s = 0; s < d->n_sessions; s++)
			turned.sessions[s] = d->sessions[(s + turn) % d->n_sessions];
		lay_traps(&turned, out, turn);
		zoom_match(turned.sessions, d->n_sessions, d->occurrences, d->n, out);
		id = out[i].session < 0 ? 0 : turned.sessions[out[i].session].id;
		assert_int_equal(out[i].session < 0, out[i].why == MATCH_NOBODYS);
		if (turn > 0)
			assert_int_equal(id, found);
		found = id;
	}
	return found;
}

static enum match_why reason(const struct day *d, size_t i)
{
	struct match out[MAX];

	zoom_match(d->sessions, d->n_sessions, d->occurrences, d->n, out);
	return out[i].why;
}

static void a_class_has_the_meeting_that_begins_in_it(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	occurrence(&d, AT(10, 1), NONE);
	assert_int_equal(owner(&d, 0), 1);
}

static void a_class_has_the_meeting_that_it_was_opened_in(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	occurrence(&d, AT(7, 0), AT(10, 0)); /* from before the link was sent */
	assert_int_equal(owner(&d, 0), 1);
	d.occurrences[0].end_us = AT(9, 59);
	assert_int_equal(owner(&d, 0), 0);
}

static void a_link_that_nobody_opens_has_the_meeting_that_waits(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), NONE);
	occurrence(&d, AT(9, 49), AT(10, 20));
	occurrence(&d, AT(9, 50), AT(10, 20));
	occurrence(&d, AT(21, 49), AT(22, 0));
	occurrence(&d, AT(21, 50), AT(22, 0));
	assert_int_equal(owner(&d, 0), 0);
	assert_int_equal(owner(&d, 1), 1);
	assert_int_equal(owner(&d, 2), 1);
	assert_int_equal(owner(&d, 3), 0);
}

static void a_meeting_after_the_deadline_is_nobodys(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	occurrence(&d, AT(11, 10), NONE);
	occurrence(&d, AT(11, 10) + 1000000, NONE);
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 0);
}

static void moments_count_from_the_start_of_their_second(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50) + 999999, AT(10, 0) + 999999);
	occurrence(&d, AT(9, 50), AT(9, 51));
	occurrence(&d, AT(10, 0), AT(10, 0));
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 1);
	assert_int_equal(reason(&d, 1), MATCH_IN_WINDOW);
	session(&d, AT(10, 5) + 999999, NONE);
	occurrence(&d, AT(10, 5) - 1000000, AT(10, 5));
	occurrence(&d, AT(10, 5), AT(10, 6));
	assert_int_equal(owner(&d, 2), 1);
	assert_int_equal(owner(&d, 3), 2);
	/* Opened in that second, before another link was sent. */
	d = (struct day){ 0 };
	session(&d, AT(9, 50), AT(10, 0) + 200000);
	session(&d, AT(10, 0) + 500000, NONE);
	occurrence(&d, AT(10, 0), AT(10, 30));
	assert_int_equal(owner(&d, 0), 1);
}

static void restarts_are_the_sessions_that_was_sent_last(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	occurrence(&d, AT(9, 58), AT(10, 40));
	occurrence(&d, AT(10, 42), AT(10, 50));
	assert_int_equal(owner(&d, 1), 1);
	session(&d, AT(10, 41), NONE);
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 2);
	d.sessions[1].sent_us = AT(10, 43);
	assert_int_equal(owner(&d, 1), 1);
}

static void restarts_are_the_sessions_that_was_opened_last(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(8, 0), AT(10, 0));
	session(&d, AT(8, 1), AT(10, 41));
	occurrence(&d, AT(9, 58), AT(10, 40));
	occurrence(&d, AT(10, 42), AT(10, 50));
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 2);
}

static void a_class_that_overran_keeps_its_meeting(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	session(&d, AT(10, 55), AT(11, 0));
	occurrence(&d, AT(9, 58), AT(11, 5));
	occurrence(&d, AT(11, 6), AT(11, 50));
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 2);
	d.occurrences[0] = (struct match_occurrence){ .begin_us = AT(10, 1) };
	assert_int_equal(owner(&d, 0), 1); /* whatever is known of its end */
}

static void with_all_links_out_in_the_morning_the_next_class_has_its_room(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(8, 0), AT(10, 0));
	session(&d, AT(8, 1), AT(11, 0));
	session(&d, AT(8, 2), NONE);
	occurrence(&d, AT(9, 58), AT(10, 48));
	occurrence(&d, AT(10, 58), NONE); /* in the window of the first */
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 2);
	d.occurrences[1].has_end = true;
	d.occurrences[1].end_us = AT(11, 50);
	assert_int_equal(owner(&d, 1), 2);
}

static void a_restart_of_the_class_before_is_not_the_next_ones(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(8, 0), AT(10, 0));
	session(&d, AT(8, 1), AT(10, 52)); /* opened early */
	occurrence(&d, AT(9, 58), AT(10, 40));
	occurrence(&d, AT(10, 42), AT(10, 57));
	assert_int_equal(owner(&d, 1), 1);
	/* The teacher's own try before the class makes its first meeting no restart. */
	d.occurrences[0] = (struct match_occurrence){ AT(9, 40), true, AT(9, 45) };
	d.occurrences[1] = (struct match_occurrence){ AT(10, 1), false, 0 };
	assert_int_equal(owner(&d, 0), 2); /* both were out: it is the last sent one's */
	assert_int_equal(owner(&d, 1), 1);
}

static void of_two_on_one_link_the_first_to_open_has_the_meeting_that_ran(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 1));
	session(&d, AT(9, 51), AT(10, 0));
	occurrence(&d, AT(9, 58), AT(10, 50));
	assert_int_equal(owner(&d, 0), 2);
	d.occurrences[0].begin_us = AT(10, 2);
	assert_int_equal(owner(&d, 0), 1); /* then it is the last opened one's */
}

static void a_meeting_without_an_end_ends_where_the_next_begins(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 0), AT(10, 0));
	occurrence(&d, AT(7, 0), NONE);
	assert_int_equal(owner(&d, 0), 1);
	occurrence(&d, AT(9, 58), NONE);
	assert_int_equal(owner(&d, 0), 0);
	assert_int_equal(owner(&d, 1), 1);
	d.sessions[0].sent_us = AT(9, 59); /* so that nobody waits for it */
	occurrence(&d, AT(10, 12), NONE);
	occurrence(&d, AT(10, 40), NONE);
	d.sessions[0].clicked_us = AT(10, 12);
	assert_int_equal(owner(&d, 1), 1);
	d.sessions[0].clicked_us++;
	assert_int_equal(owner(&d, 1), 0);
}

static void a_meeting_without_an_end_lasts_a_day(void **state)
{
	struct day d = { 0 };

	(void)state;
	occurrence(&d, AT(10, 0), NONE);
	session(&d, AT(20, 0), AT(34, 0));
	assert_int_equal(owner(&d, 0), 1);
	d.sessions[0].clicked_us++;
	assert_int_equal(owner(&d, 0), 0);
}

static void of_two_at_the_same_moment_the_newest_has_it(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 0), NONE);
	session(&d, AT(9, 0), NONE);
	session(&d, AT(9, 0), NONE);
	occurrence(&d, AT(9, 1), NONE);
	assert_int_equal(owner(&d, 0), 3);
}

static void only_a_class_that_has_met_gives_way_to_the_next(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(8, 0), AT(10, 0));
	session(&d, AT(8, 1), AT(10, 30));
	session(&d, AT(8, 2), AT(9, 30));
	occurrence(&d, AT(9, 28), AT(10, 0)); /* the third's */
	occurrence(&d, AT(10, 10), AT(11, 20));
	assert_int_equal(owner(&d, 0), 3);
	assert_int_equal(owner(&d, 1), 1);
	d.n_sessions = 2;
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 2);
}

static void the_next_class_has_a_restart_that_lasts_longer_in_it_than_before(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(8, 0), AT(10, 0));
	session(&d, AT(8, 1), AT(10, 50));
	occurrence(&d, AT(9, 58), AT(10, 40));
	occurrence(&d, AT(10, 42), AT(10, 58)); /* as long */
	assert_int_equal(owner(&d, 1), 1);
	d.occurrences[1].end_us++;
	assert_int_equal(owner(&d, 1), 2);
	/* What lies beyond its deadline does not count, but what lasts does. */
	d.sessions[1].clicked_us = AT(12, 0);
	d.sessions[1].deadline_us = AT(13, 10);
	d.occurrences[1].end_us = AT(14, 0);
	assert_int_equal(owner(&d, 1), 1);
	d.occurrences[1].has_end = false;
	assert_int_equal(owner(&d, 1), 2);
	occurrence(&d, AT(13, 30), NONE);
	assert_int_equal(owner(&d, 1), 1);
}

static void a_better_rank_is_preferred(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	session(&d, AT(10, 10), AT(10, 12));
	occurrence(&d, AT(10, 15), AT(10, 50));
	assert_int_equal(owner(&d, 0), 2);
	d.sessions[1].rank = MATCH_BY_HOST;
	assert_int_equal(owner(&d, 0), 1);
	d.sessions[0].rank = MATCH_RANKS - 1;
	d.sessions[1].rank = MATCH_BY_ID_ALONE;
	assert_int_equal(owner(&d, 0), 2);
	d.sessions[1].link_end_us = d.sessions[1].deadline_us = AT(10, 14);
	assert_int_equal(owner(&d, 0), 1);
}

static void nothing_is_nobodys(void **state)
{
	struct day d = { 0 };

	(void)state;
	zoom_match(NULL, 0, NULL, 0, NULL);
	occurrence(&d, AT(10, 0), NONE);
	assert_int_equal(owner(&d, 0), 0);
}

static void a_link_that_went_elsewhere_takes_no_restart(void **state)
{
	const int64_t left[] = { AT(10, 41), AT(10, 52), AT(10, 52) + 1, AT(11, 20) };

	(void)state;
	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		struct day d = { 0 };

		session(&d, AT(9, 50), AT(10, 2));
		session(&d, AT(10, 40), i % 2 ? NONE : left[i]);
		leaves(&d, left[i]);
		occurrence(&d, AT(9, 58), AT(10, 50));
		occurrence(&d, AT(10, 52), AT(11, 5));
		assert_int_equal(owner(&d, 0), 1);
		assert_int_equal(owner(&d, 1), 1);
	}
}

static void a_link_that_went_elsewhere_keeps_what_began_before(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 2));
	session(&d, AT(10, 30), AT(10, 35));
	leaves(&d, AT(10, 46));
	occurrence(&d, AT(10, 40), AT(10, 44));
	occurrence(&d, AT(10, 45), NONE);
	occurrence(&d, AT(10, 46), NONE);
	assert_int_equal(owner(&d, 0), 2);
	assert_int_equal(owner(&d, 1), 2);
	assert_int_equal(owner(&d, 2), 1);
}

static void a_link_may_have_been_waited_for_before_it_went_elsewhere(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 2));
	leaves(&d, AT(10, 0));
	occurrence(&d, AT(9, 58), AT(9, 59));
	occurrence(&d, AT(10, 0), AT(10, 1));
	occurrence(&d, AT(10, 3), AT(10, 40));
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 0);
	assert_int_equal(owner(&d, 2), 0);
}

static void a_link_that_came_late_takes_no_restart(void **state)
{
	const int64_t clicked[] = { NONE, AT(9, 47), AT(9, 55), AT(10, 10), AT(11, 5) };

	(void)state;
	for (size_t i = 0; i < sizeof clicked / sizeof *clicked; i++) {
		struct day d = { 0 };

		session(&d, AT(9, 20), AT(9, 30));
		session(&d, AT(9, 45), clicked[i]);
		comes(&d, AT(11, 0));
		occurrence(&d, AT(9, 28), AT(9, 50));
		occurrence(&d, AT(10, 0), AT(10, 30));
		assert_int_equal(owner(&d, 0), 1);
		assert_int_equal(owner(&d, 1), 1);
	}
}

static void a_link_that_came_late_has_what_begins_then(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 20), AT(9, 30));
	session(&d, AT(9, 45), AT(9, 55));
	comes(&d, AT(10, 2));
	occurrence(&d, AT(9, 28), AT(9, 50));
	occurrence(&d, AT(10, 1), AT(10, 2) - 1);
	occurrence(&d, AT(10, 2), AT(10, 35));
	occurrence(&d, AT(10, 37), AT(10, 50));
	assert_int_equal(owner(&d, 1), 1);
	assert_int_equal(owner(&d, 2), 2);
	assert_int_equal(owner(&d, 3), 2);
}

/* The teacher opened the right room for a class and corrected its link meanwhile. */
static void a_link_that_comes_to_a_meeting_is_opened_there(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 20), AT(9, 30));
	session(&d, AT(9, 45), AT(10, 0));
	comes(&d, AT(10, 5));
	occurrence(&d, AT(9, 28), AT(9, 50));
	occurrence(&d, AT(9, 58), AT(10, 50));
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 2);
	d.occurrences[1].end_us = AT(10, 11);
	assert_int_equal(owner(&d, 1), 1);
}

static void a_link_that_came_too_late_has_the_meeting_that_nobody_opened(void **state)
{
	const int64_t clicked[] = { AT(9, 55), AT(10, 0), NONE };

	(void)state;
	for (size_t i = 0; i < sizeof clicked / sizeof *clicked; i++) {
		struct day d = { 0 };

		session(&d, AT(9, 45), clicked[i]);
		comes(&d, AT(11, 0));
		occurrence(&d, AT(9, 58), AT(10, 50));
		assert_int_equal(owner(&d, 0), 1);
		session(&d, AT(8, 0), NONE); /* a link for later, or one that is waited for */
		assert_int_equal(owner(&d, 0), clicked[i] == NONE ? 2 : 1);
		session(&d, AT(9, 0), AT(9, 10)); /* whose restart it may be */
		assert_int_equal(owner(&d, 0), 3);
	}
}

static void a_better_rank_that_waits_takes_nothing_from_who_opened(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	d.sessions[0].rank = MATCH_BY_HOST;
	session(&d, AT(9, 0), NONE);
	occurrence(&d, AT(9, 52), AT(9, 54));
	occurrence(&d, AT(9, 55), AT(10, 0));  /* opened while it ran */
	occurrence(&d, AT(10, 1), AT(10, 40)); /* in the window */
	assert_int_equal(owner(&d, 0), 2);
	assert_int_equal(owner(&d, 1), 1);
	assert_int_equal(owner(&d, 2), 1);
}

static void a_reopened_class_has_what_begins_until_its_new_deadline(void **state)
{
	const int64_t clicked[] = { AT(9, 55), NONE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct day d = { 0 };

		session(&d, AT(9, 50), clicked[i]);
		d.sessions[0].link_end_us = AT(10, 30);
		reopened(&d, i ? AT(11, 20) : clicked[i], AT(11, 20), AT(12, 0));
		session(&d, AT(11, 10), NONE); /* for later */
		occurrence(&d, AT(11, 19), AT(11, 19) + 1);
		occurrence(&d, AT(11, 20), AT(11, 30));
		occurrence(&d, AT(12, 0), AT(12, 30));
		occurrence(&d, AT(12, 1), AT(12, 30));
		assert_int_equal(owner(&d, 0), 2);
		assert_int_equal(owner(&d, 1), 1);
		assert_int_equal(owner(&d, 2), 1);
		assert_int_equal(owner(&d, 3), 2);
		d.occurrences[0].end_us = AT(11, 20); /* it was reopened while it ran */
		assert_int_equal(owner(&d, 0), 1);
		d.sessions[0].left_us = AT(11, 25);
		assert_int_equal(owner(&d, 1), 1);
		assert_int_equal(owner(&d, 2), 2);
		d.sessions[0].left_us = AT(11, 15);
		assert_int_equal(owner(&d, 1), 2);
	}
}

static void a_reopened_class_takes_no_meeting_of_another(void **state)
{
	const int64_t start[] = { AT(7, 0), AT(9, 45), AT(10, 50) };

	(void)state;
	for (size_t i = 0; i < sizeof start / sizeof *start; i++) {
		for (int clicked = 0; clicked < 2; clicked++) {
			struct day d = { 0 };

			session(&d, AT(9, 0), AT(10, 0));
			session(&d, AT(6, 0), clicked ? AT(6, 30) : NONE);
			d.sessions[1].link_end_us = AT(8, 0);
			reopened(&d, clicked ? AT(6, 30) : start[i], AT(10, 50), AT(12, 0));
			occurrence(&d, AT(9, 58), AT(10, 30)); /* opened while it ran */
			occurrence(&d, AT(10, 31), AT(10, 49));
			occurrence(&d, AT(10, 52), AT(11, 50)); /* both might have it */
			occurrence(&d, AT(11, 51), NONE);
			assert_int_equal(owner(&d, 0), 1);
			assert_int_equal(owner(&d, 1), 1);
			assert_int_equal(owner(&d, 2), 1);
			assert_int_equal(owner(&d, 3), 2);
		}
	}
}

static void a_reopened_class_of_a_better_rank_takes_nothing_from_a_window(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 50), AT(10, 0));
	d.sessions[0].rank = MATCH_BY_HOST;
	session(&d, AT(6, 0), AT(6, 30));
	reopened(&d, AT(6, 30), AT(10, 10), AT(12, 0));
	occurrence(&d, AT(10, 5), AT(10, 12));
	occurrence(&d, AT(10, 15), AT(10, 40));
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 1);
}

static void of_two_that_were_reopened_while_it_ran_the_first_has_it(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(6, 0), AT(6, 30));
	reopened(&d, AT(6, 30), AT(10, 20), AT(11, 0));
	session(&d, AT(5, 0), AT(5, 30));
	reopened(&d, AT(5, 30), AT(10, 10), AT(11, 0));
	session(&d, AT(4, 0), AT(4, 30));
	reopened(&d, AT(4, 30), AT(10, 15), AT(11, 0));
	occurrence(&d, AT(10, 5), AT(10, 30));
	assert_int_equal(owner(&d, 0), 2);
}

/* What waited for it before it was reopened is still its own. */
static void a_reopening_gives_nothing_away(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(6, 0), NONE);
	occurrence(&d, AT(9, 0), AT(9, 30));
	assert_int_equal(owner(&d, 0), 1);
	reopened(&d, AT(7, 0), AT(7, 0), AT(8, 0));
	assert_int_equal(owner(&d, 0), 1);
}

static void a_reopened_class_has_what_nobody_opened_since_its_start(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(6, 0), NONE);
	d.sessions[0].link_end_us = AT(8, 0);
	reopened(&d, AT(9, 45), AT(10, 50), AT(12, 0));
	occurrence(&d, AT(9, 30), AT(9, 44));
	occurrence(&d, AT(9, 30), AT(9, 46));
	occurrence(&d, AT(9, 50), AT(10, 40));
	assert_int_equal(owner(&d, 0), 0);
	assert_int_equal(owner(&d, 1), 1);
	assert_int_equal(owner(&d, 2), 1);
	session(&d, AT(9, 0), AT(9, 46)); /* who opened the same meeting */
	assert_int_equal(owner(&d, 1), 2);
	assert_int_equal(owner(&d, 2), 2);
}

static void a_reopening_counts_from_the_start_of_its_second(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(6, 0), NONE);
	d.sessions[0].link_end_us = AT(8, 0);
	reopened(&d, AT(9, 0) + 999999, AT(9, 0) + 999999, AT(10, 0));
	session(&d, AT(8, 0), NONE);
	occurrence(&d, AT(9, 0) - 1000000, AT(9, 0));
	occurrence(&d, AT(9, 0), AT(9, 0));
	assert_int_equal(owner(&d, 0), 2);
	assert_int_equal(owner(&d, 1), 1);
}

static void of_what_began_before_a_reopening_the_later_deadline_counts(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(9, 0), AT(10, 0));
	reopened(&d, AT(10, 0), AT(11, 5), AT(11, 8)); /* before the click's */
	occurrence(&d, AT(11, 9), NONE);
	occurrence(&d, AT(11, 11), NONE);
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 0);
	reopened(&d, AT(10, 0), AT(11, 20), AT(11, 40));
	assert_int_equal(owner(&d, 1), 1);
}

static void the_class_after_one_that_was_reopened_has_its_room(void **state)
{
	struct day d = { 0 };

	(void)state;
	session(&d, AT(8, 0), AT(9, 0));
	reopened(&d, AT(9, 0), AT(10, 20), AT(11, 30));
	session(&d, AT(8, 1), AT(11, 0));
	occurrence(&d, AT(10, 21), AT(10, 50));
	occurrence(&d, AT(10, 58), AT(11, 50));
	assert_int_equal(owner(&d, 0), 1);
	assert_int_equal(owner(&d, 1), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_class_has_the_meeting_that_begins_in_it),
		cmocka_unit_test(a_class_has_the_meeting_that_it_was_opened_in),
		cmocka_unit_test(a_link_that_nobody_opens_has_the_meeting_that_waits),
		cmocka_unit_test(a_meeting_after_the_deadline_is_nobodys),
		cmocka_unit_test(moments_count_from_the_start_of_their_second),
		cmocka_unit_test(restarts_are_the_sessions_that_was_sent_last),
		cmocka_unit_test(restarts_are_the_sessions_that_was_opened_last),
		cmocka_unit_test(a_class_that_overran_keeps_its_meeting),
		cmocka_unit_test(with_all_links_out_in_the_morning_the_next_class_has_its_room),
		cmocka_unit_test(a_restart_of_the_class_before_is_not_the_next_ones),
		cmocka_unit_test(of_two_on_one_link_the_first_to_open_has_the_meeting_that_ran),
		cmocka_unit_test(a_meeting_without_an_end_ends_where_the_next_begins),
		cmocka_unit_test(a_meeting_without_an_end_lasts_a_day),
		cmocka_unit_test(of_two_at_the_same_moment_the_newest_has_it),
		cmocka_unit_test(only_a_class_that_has_met_gives_way_to_the_next),
		cmocka_unit_test(the_next_class_has_a_restart_that_lasts_longer_in_it_than_before),
		cmocka_unit_test(a_better_rank_is_preferred),
		cmocka_unit_test(nothing_is_nobodys),
		cmocka_unit_test(a_link_that_went_elsewhere_takes_no_restart),
		cmocka_unit_test(a_link_that_went_elsewhere_keeps_what_began_before),
		cmocka_unit_test(a_link_may_have_been_waited_for_before_it_went_elsewhere),
		cmocka_unit_test(a_link_that_came_late_takes_no_restart),
		cmocka_unit_test(a_link_that_came_late_has_what_begins_then),
		cmocka_unit_test(a_link_that_comes_to_a_meeting_is_opened_there),
		cmocka_unit_test(a_link_that_came_too_late_has_the_meeting_that_nobody_opened),
		cmocka_unit_test(a_better_rank_that_waits_takes_nothing_from_who_opened),
		cmocka_unit_test(a_reopened_class_has_what_begins_until_its_new_deadline),
		cmocka_unit_test(a_reopened_class_takes_no_meeting_of_another),
		cmocka_unit_test(a_reopened_class_of_a_better_rank_takes_nothing_from_a_window),
		cmocka_unit_test(of_two_that_were_reopened_while_it_ran_the_first_has_it),
		cmocka_unit_test(a_reopening_gives_nothing_away),
		cmocka_unit_test(a_reopened_class_has_what_nobody_opened_since_its_start),
		cmocka_unit_test(a_reopening_counts_from_the_start_of_its_second),
		cmocka_unit_test(of_what_began_before_a_reopening_the_later_deadline_counts),
		cmocka_unit_test(the_class_after_one_that_was_reopened_has_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
