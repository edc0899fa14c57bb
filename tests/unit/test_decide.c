/* Each rule of decide.h in a small story. Links are sent at 10:00; Europe times out after 70 min.
 */
#include "unit.h"

#include "occurrence.h"
#include "story.h"

#define SENT_AT	 CLOCK(10, 0, 0)
#define LINK_END CLOCK(22, 0, 0)
#define CLICK	 CLOCK(10, 2, 0)
#define DEADLINE CLOCK(11, 12, 0)
#define LIVE	 CLOCK(10, 30, 0)

static struct story sent(void)
{
	struct story s = { 0 };

	tell(&s, KIND_SENT, SENT_AT);
	return s;
}

static struct story clicked(void)
{
	struct story s = sent();

	tell(&s, KIND_CLICKED, CLICK);
	return s;
}

static void assert_status(const struct story *s, int64_t now_us, enum status status)
{
	assert_string_equal(status_name(decided(s, now_us).status), status_name(status));
}

static void assert_ended(const struct story *s, int64_t now_us, enum ender by, int64_t at_us)
{
	struct decision d = decided(s, now_us);

	assert_string_equal(status_name(d.status), "ended");
	assert_int_equal(d.ended_by, by);
	assert_int_equal(d.ended_us, at_us);
	assert_false(d.estimated);
}

static void assert_timeout(const struct story *s, int64_t now_us, int64_t at_us, bool estimated)
{
	struct decision d = decided(s, now_us);

	assert_string_equal(status_name(d.status), "timeout");
	assert_int_equal(d.ended_us, at_us);
	assert_int_equal(d.times_out_us, at_us);
	assert_int_equal(d.ended_by, ENDER_NONE);
	assert_int_equal(d.deciding_id, 0);
	assert_int_equal(d.estimated, estimated);
}

static void assert_clicked_at(const struct story *s, int64_t at_us)
{
	struct decision d = decided(s, LIVE);

	assert_true(d.has_click);
	assert_int_equal(d.clicked_us, at_us);
}

/* --- Link and click --- */

static void a_link_is_sent_until_its_life_is_over(void **state)
{
	struct story s = sent();

	(void)state;
	assert_status(&s, SENT_AT, STATUS_SENT);
	assert_status(&s, LINK_END - 1, STATUS_SENT);
	assert_status(&s, LINK_END, STATUS_MISSED);
	assert_false(decided(&s, IN_THE_END).has_click);
	assert_false(decided(&s, IN_THE_END).has_end);
}

static void the_first_click_starts_the_clock(void **state)
{
	struct story s = clicked();
	struct decision d;

	(void)state;
	tell(&s, KIND_CLICKED, CLICK + MINUTE);
	d = decided(&s, LIVE);
	assert_int_equal(d.status, STATUS_ACTIVE);
	assert_int_equal(d.clicked_us, CLICK);
	assert_int_equal(d.times_out_us, DEADLINE);
	assert_false(d.has_end);
}

static void a_click_replayed_late_moves_the_start_and_the_deadline(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_CLICKED, CLICK - MINUTE);
	assert_clicked_at(&s, CLICK - MINUTE);
	assert_timeout(&s, IN_THE_END, DEADLINE - MINUTE, true);
}

static void a_click_counts_from_the_moment_sent_to_the_end_of_the_link(void **state)
{
	const struct {
		int64_t at_us;
		enum status status;
	} cases[] = {
		{ SENT_AT - 1, STATUS_MISSED },
		{ SENT_AT, STATUS_TIMEOUT },
		{ LINK_END - 1, STATUS_TIMEOUT },
		{ LINK_END, STATUS_MISSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct story s = sent();

		tell(&s, KIND_CLICKED, cases[i].at_us);
		assert_status(&s, IN_THE_END, cases[i].status);
	}
}

static void what_is_no_click_starts_nothing(void **state)
{
	struct story s = sent();

	(void)state;
	tell(&s, KIND_CLICK_IGNORED, CLICK);
	tell(&s, KIND_OTHER, CLICK);
	tell_zoom(&s, KIND_ZOOM_STARTED, CLICK, 0);
	tell(&s, KIND_TEACHER_LEFT, CLICK);
	assert_status(&s, LIVE, STATUS_SENT);
	assert_true(decided(&s, LIVE).zoom_seen);
}

static void a_click_in_time_opens_a_missed_class(void **state)
{
	struct story s = sent();

	(void)state;
	tell(&s, KIND_MISSED, LINK_END);
	tell(&s, KIND_CLICKED, LINK_END - 1);
	assert_status(&s, LINK_END, STATUS_ACTIVE);
	assert_status(&s, IN_THE_END, STATUS_TIMEOUT);
}

static void a_newer_link_cancels_an_unopened_one(void **state)
{
	struct story s = sent();

	(void)state;
	tell(&s, KIND_SUPERSEDED, CLICK);
	tell(&s, KIND_CLICKED, CLICK);
	assert_status(&s, LIVE, STATUS_CANCELLED);
	assert_false(decided(&s, LIVE).has_click);
}

static void a_newer_link_leaves_an_opened_class_alone(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_SUPERSEDED, CLICK + 1);
	assert_status(&s, LIVE, STATUS_ACTIVE);
}

static void a_newer_link_after_the_link_s_life_leaves_it_missed(void **state)
{
	struct story s = sent();

	(void)state;
	tell(&s, KIND_SUPERSEDED, LINK_END);
	assert_status(&s, IN_THE_END, STATUS_MISSED);
	tell(&s, KIND_SUPERSEDED, LINK_END - 1);
	assert_status(&s, IN_THE_END, STATUS_CANCELLED);
}

/* --- Deadline and timeout --- */

static void a_class_is_active_until_its_deadline(void **state)
{
	struct story s = clicked();

	(void)state;
	assert_status(&s, DEADLINE - 1, STATUS_ACTIVE);
	assert_timeout(&s, DEADLINE, DEADLINE, true);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
}

static void what_a_job_wrote_decides_nothing(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_TIMED_OUT, DEADLINE);
	tell(&s, KIND_MISSED, LINK_END);
	assert_status(&s, LIVE, STATUS_ACTIVE);
}

static void an_end_at_the_deadline_counts_and_one_after_it_does_not(void **state)
{
	const enum kind kinds[] = { KIND_TEACHER_LEFT, KIND_TEACHER_ENDED, KIND_ADMIN_ENDED,
				    KIND_ZOOM_ENDED };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct story in_time = clicked(), late = clicked();

		tell(&in_time, kinds[i], DEADLINE);
		assert_status(&in_time, IN_THE_END, STATUS_ENDED);
		tell(&late, kinds[i], DEADLINE + 1);
		assert_status(&late, IN_THE_END, STATUS_TIMEOUT);
		assert_int_equal(decided(&late, IN_THE_END).ended_us, DEADLINE);
	}
}

static void an_end_at_the_click_counts_and_one_before_it_does_not(void **state)
{
	const enum kind kinds[] = { KIND_TEACHER_LEFT, KIND_TEACHER_ENDED, KIND_ADMIN_ENDED,
				    KIND_ZOOM_ENDED, KIND_CORRECTED_END };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct story at = clicked(), before = clicked();

		tell(&at, kinds[i], CLICK);
		assert_status(&at, LIVE, STATUS_ENDED);
		tell(&before, kinds[i], CLICK - 1);
		assert_status(&before, LIVE, STATUS_ACTIVE);
	}
}

static void a_timeout_is_not_estimated_when_zoom_saw_the_class_run(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_STARTED, CLICK, 0);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
	tell_zoom(&s, KIND_ZOOM_ENDED, DEADLINE + MINUTE, 0);
	assert_timeout(&s, IN_THE_END, DEADLINE, false);
}

static void any_event_of_a_running_meeting_after_the_deadline_shows_it_ran(void **state)
{
	const enum kind kinds[] = { KIND_ZOOM_JOINED, KIND_ZOOM_LEFT, KIND_ZOOM_ENDED };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct story s = clicked();

		tell_zoom(&s, KIND_ZOOM_JOINED, DEADLINE, 0);
		tell_zoom(&s, kinds[i], DEADLINE + MINUTE, 0);
		assert_timeout(&s, IN_THE_END, DEADLINE, false);
	}
}

static void a_meeting_of_unknown_beginning_that_ends_later_ran_at_the_deadline(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, DEADLINE + MINUTE, 0);
	assert_timeout(&s, IN_THE_END, DEADLINE, false);
}

static void a_meeting_that_began_after_the_deadline_shows_nothing(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_STARTED, CLICK, 0);
	tell_zoom(&s, KIND_ZOOM_STARTED, DEADLINE + 1, 1);
	tell_zoom(&s, KIND_ZOOM_ENDED, DEADLINE + MINUTE, 1);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
}

static void a_late_leave_of_a_meeting_that_had_ended_shows_nothing(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_STARTED, CLICK, 0);
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	tell_zoom(&s, KIND_ZOOM_STARTED, LIVE + MINUTE, 1);
	tell_zoom(&s, KIND_ZOOM_LEFT, DEADLINE + MINUTE, 0);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
}

static void a_meeting_that_ends_at_a_moment_ran_at_it(void **state)
{
	struct story s = { 0 };

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	assert_true(occurrence_ran_at(s.events, s.n, LIVE - 1));
	assert_true(occurrence_ran_at(s.events, s.n, LIVE));
	assert_false(occurrence_ran_at(s.events, s.n, LIVE + 1));
}

/* --- Zoom's end --- */

static void the_meeting_s_end_ends_the_class(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	assert_ended(&s, LIVE, ENDER_ZOOM, LIVE);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE);
	assert_int_equal(decided(&s, LIVE).deciding_id, 3);
}

static void of_several_meetings_the_last_end_counts(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE + MINUTE, 1);
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	tell_zoom(&s, KIND_ZOOM_ENDED, DEADLINE + 1, 2);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE + MINUTE);
}

static void the_same_end_delivered_twice_is_decided_by_the_first_row(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0)->id = 40;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0)->id = 30;
	assert_int_equal(decided(&s, LIVE).deciding_id, 30);
}

static void a_restart_before_the_deadline_goes_on_with_the_class(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, CLOCK(10, 42, 0), 0);
	assert_ended(&s, CLOCK(10, 43, 0), ENDER_ZOOM, CLOCK(10, 42, 0));
	tell_zoom(&s, KIND_ZOOM_STARTED, CLOCK(10, 44, 0), 1);
	assert_status(&s, CLOCK(10, 44, 0), STATUS_ACTIVE);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
	tell_zoom(&s, KIND_ZOOM_ENDED, CLOCK(11, 0, 0), 1);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, CLOCK(11, 0, 0));
}

static void a_restart_counts_before_the_deadline_and_not_in_the_second_of_the_end(void **state)
{
	const struct {
		int64_t at_us;
		enum status status;
	} cases[] = {
		{ LIVE, STATUS_ENDED },
		{ LIVE + 1, STATUS_TIMEOUT },
		{ DEADLINE - 1, STATUS_TIMEOUT },
		{ DEADLINE, STATUS_ENDED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct story started = clicked(), joined = clicked();

		tell_zoom(&started, KIND_ZOOM_ENDED, LIVE, 0);
		tell_zoom(&started, KIND_ZOOM_STARTED, cases[i].at_us, 1);
		assert_status(&started, IN_THE_END, cases[i].status);
		tell_zoom(&joined, KIND_ZOOM_ENDED, LIVE, 0);
		tell_zoom(&joined, KIND_ZOOM_JOINED, cases[i].at_us, 1);
		assert_status(&joined, IN_THE_END, cases[i].status);
	}
}

static void a_join_of_the_meeting_that_ended_is_no_restart(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	tell_zoom(&s, KIND_ZOOM_JOINED, LIVE + MINUTE, 0);
	tell_zoom(&s, KIND_ZOOM_JOINED, LIVE + MINUTE, -1);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE);
}

static void the_meeting_s_end_refines_a_timeout(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_TIMED_OUT, DEADLINE);
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE);
}

/* --- The teacher's leave by Zoom's events --- */

static struct story taught(void)
{
	struct story s = clicked();

	tell_zoom(&s, KIND_ZOOM_STARTED, CLICK, 0);
	tell_move(&s, KIND_ZOOM_JOINED, CLICK, 0, 0, ROLE_TEACHER);
	return s;
}

static void the_teacher_s_leave_serves_once_the_deadline_has_passed(void **state)
{
	struct story s = taught();

	(void)state;
	tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
	assert_status(&s, DEADLINE - 1, STATUS_ACTIVE);
	assert_ended(&s, DEADLINE, ENDER_ZOOM, LIVE);
	assert_int_equal(decided(&s, DEADLINE).deciding_id, 5);
}

static void another_s_leave_ends_nothing(void **state)
{
	struct story s = taught();

	(void)state;
	tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 1, ROLE_STUDENT);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 2, ROLE_UNKNOWN);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
}

static void a_leave_is_the_teacher_s_when_any_event_of_its_connection_says_so(void **state)
{
	struct story s = taught();

	(void)state;
	tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_UNKNOWN);
	assert_ended(&s, DEADLINE, ENDER_ZOOM, LIVE);
}

static void a_rejoin_takes_the_teacher_s_leave_back(void **state)
{
	const int64_t at[] = { LIVE, LIVE + MINUTE, DEADLINE };

	(void)state;
	for (size_t i = 0; i < COUNT(at); i++) {
		struct story s = taught();

		tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
		tell_move(&s, KIND_ZOOM_JOINED, at[i], 0, 1, ROLE_TEACHER);
		assert_status(&s, DEADLINE, STATUS_TIMEOUT);
	}
}

static void a_rejoin_after_the_deadline_comes_too_late(void **state)
{
	struct story s = taught();

	(void)state;
	tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
	tell_move(&s, KIND_ZOOM_JOINED, DEADLINE + 1, 0, 1, ROLE_TEACHER);
	assert_ended(&s, DEADLINE, ENDER_ZOOM, LIVE);
}

static void a_move_between_rooms_is_no_leave(void **state)
{
	struct story s = taught();

	(void)state;
	tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
	tell_move(&s, KIND_ZOOM_JOINED, LIVE, 0, 0, ROLE_TEACHER);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE + MINUTE, 0, 0, ROLE_TEACHER);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE + MINUTE);
}

static void a_new_connection_that_was_up_before_the_old_one_left_is_a_rejoin(void **state)
{
	struct story s = taught();

	(void)state;
	tell_move(&s, KIND_ZOOM_JOINED, LIVE, 0, 1, ROLE_TEACHER);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE + MINUTE, 0, 0, ROLE_TEACHER);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE + 2 * MINUTE, 0, 1, ROLE_TEACHER);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE + 2 * MINUTE);
}

static void the_end_of_its_meeting_closes_a_connection_of_the_teacher(void **state)
{
	struct story s = taught();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	tell_zoom(&s, KIND_ZOOM_STARTED, LIVE + MINUTE, 1);
	tell_move(&s, KIND_ZOOM_JOINED, LIVE + MINUTE, 1, 1, ROLE_TEACHER);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE + 9 * MINUTE, 1, 1, ROLE_TEACHER);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE + 9 * MINUTE);
}

static void a_restart_takes_the_teacher_s_leave_back(void **state)
{
	struct story started = taught(), joined = taught();

	(void)state;
	tell_move(&started, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
	tell_zoom(&started, KIND_ZOOM_STARTED, LIVE + 1, 1);
	assert_timeout(&started, IN_THE_END, DEADLINE, true);
	tell_move(&joined, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
	tell_move(&joined, KIND_ZOOM_JOINED, LIVE + 1, 1, 5, ROLE_STUDENT);
	assert_timeout(&joined, IN_THE_END, DEADLINE, true);
}

static void a_student_who_moves_on_without_the_teacher_restarts_nothing(void **state)
{
	struct story s = taught();

	(void)state;
	tell_move(&s, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE + 1, 1, 1, ROLE_TEACHER);
	tell_move(&s, KIND_ZOOM_JOINED, LIVE + MINUTE, 0, 5, ROLE_STUDENT);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE + 1);
}

static void a_leave_before_the_click_ends_nothing(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_move(&s, KIND_ZOOM_LEFT, CLICK - 1, 0, 0, ROLE_TEACHER);
	assert_timeout(&s, IN_THE_END, DEADLINE, true);
}

static void the_meeting_s_end_outranks_the_teacher_s_leave(void **state)
{
	struct story s = taught();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE + MINUTE, 0, 0, ROLE_TEACHER);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE);
}

static void the_teacher_s_leave_outranks_the_teacher_s_word_after_the_deadline(void **state)
{
	struct story s = taught();

	(void)state;
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	tell_move(&s, KIND_ZOOM_LEFT, LIVE + MINUTE, 0, 0, ROLE_TEACHER);
	assert_ended(&s, DEADLINE - 1, ENDER_TEACHER_LEFT, LIVE);
	assert_ended(&s, DEADLINE, ENDER_ZOOM, LIVE + MINUTE);
}

/* --- The teacher's word --- */

static void the_teacher_s_earliest_word_counts(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_TEACHER_ENDED, LIVE + MINUTE);
	assert_ended(&s, IN_THE_END, ENDER_TEACHER, LIVE + MINUTE);
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	assert_ended(&s, IN_THE_END, ENDER_TEACHER_LEFT, LIVE);
}

static void at_one_moment_teacher_left_counts_whatever_came_first(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_TEACHER_ENDED, LIVE);
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	assert_ended(&s, LIVE, ENDER_TEACHER_LEFT, LIVE);
	assert_int_equal(decided(&s, LIVE).deciding_id, 4);
}

static void zoom_outranks_the_teacher_s_word(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE + MINUTE, 0);
	assert_ended(&s, LIVE, ENDER_ZOOM, LIVE + MINUTE);
}

static void a_restart_takes_the_teacher_s_word_back(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	tell_zoom(&s, KIND_ZOOM_STARTED, LIVE + 1, 1);
	assert_status(&s, LIVE + MINUTE, STATUS_ACTIVE);
	tell(&s, KIND_TEACHER_LEFT, LIVE + 2 * MINUTE);
	assert_ended(&s, IN_THE_END, ENDER_TEACHER_LEFT, LIVE + 2 * MINUTE);
}

static void a_join_of_a_new_meeting_takes_the_teacher_s_word_back(void **state)
{
	struct story s = clicked(), same = clicked(), first = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_STARTED, CLICK, 0);
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	tell_zoom(&s, KIND_ZOOM_JOINED, LIVE + 1, 1);
	assert_status(&s, LIVE, STATUS_ACTIVE);

	tell_zoom(&same, KIND_ZOOM_STARTED, CLICK, 0);
	tell_zoom(&same, KIND_ZOOM_STARTED, LIVE, 1);
	tell(&same, KIND_TEACHER_LEFT, LIVE);
	tell_zoom(&same, KIND_ZOOM_JOINED, LIVE + 1, 1);
	assert_ended(&same, LIVE, ENDER_TEACHER_LEFT, LIVE);

	tell(&first, KIND_TEACHER_LEFT, LIVE);
	tell_zoom(&first, KIND_ZOOM_JOINED, LIVE + 1, 1);
	assert_ended(&first, LIVE, ENDER_TEACHER_LEFT, LIVE);
}

/* --- The admin --- */

static void the_admin_s_end_outranks_zoom(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_ADMIN_ENDED, LIVE);
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE + MINUTE, 0);
	tell_zoom(&s, KIND_ZOOM_STARTED, LIVE + 2 * MINUTE, 1);
	assert_ended(&s, IN_THE_END, ENDER_ADMIN, LIVE);
	assert_false(decided(&s, IN_THE_END).corrected);
}

static void the_admin_s_latest_end_counts(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_ADMIN_ENDED, LIVE + MINUTE);
	tell(&s, KIND_CORRECTED_END, LIVE);
	assert_ended(&s, IN_THE_END, ENDER_ADMIN, LIVE);
	tell(&s, KIND_ADMIN_ENDED, LIVE + 2 * MINUTE);
	assert_ended(&s, IN_THE_END, ENDER_ADMIN, LIVE + 2 * MINUTE);
}

static void of_admin_facts_received_at_one_moment_the_higher_id_is_the_later(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_CORRECTED_END, LIVE)->id = 50;
	tell(&s, KIND_CORRECTED_END, LIVE + MINUTE)->id = 40;
	s.events[3].received_us = s.events[2].received_us;
	assert_ended(&s, IN_THE_END, ENDER_ADMIN, LIVE);
}

static void an_admin_s_end_outside_the_class_changes_nothing(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_CORRECTED_END, LIVE);
	tell(&s, KIND_ADMIN_ENDED, DEADLINE + 1);
	tell(&s, KIND_CORRECTED_END, CLICK - 1);
	assert_ended(&s, IN_THE_END, ENDER_ADMIN, LIVE);
}

static void a_corrected_end_may_be_later_than_the_deadline(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_CORRECTED_END, DEADLINE + MINUTE);
	assert_ended(&s, LIVE, ENDER_ADMIN, DEADLINE + MINUTE);
	assert_true(decided(&s, LIVE).corrected);
	assert_int_equal(decided(&s, LIVE).times_out_us, DEADLINE);
}

static void a_corrected_click_moves_the_start_and_the_deadline(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_CORRECTED_CLICK, CLICK - 30 * MINUTE);
	tell(&s, KIND_CORRECTED_CLICK, CLICK + MINUTE);
	tell(&s, KIND_CLICKED, CLICK - MINUTE);
	assert_clicked_at(&s, CLICK + MINUTE);
	assert_true(decided(&s, LIVE).corrected);
	assert_timeout(&s, IN_THE_END, DEADLINE + MINUTE, true);
}

static void a_missed_or_superseded_class_can_be_corrected_into_an_ended_one(void **state)
{
	struct story missed = sent(), superseded = sent();

	(void)state;
	tell(&superseded, KIND_SUPERSEDED, CLICK);
	tell(&missed, KIND_CORRECTED_END, LIVE);
	assert_status(&missed, IN_THE_END, STATUS_MISSED);
	tell(&missed, KIND_CORRECTED_CLICK, CLICK);
	assert_ended(&missed, IN_THE_END, ENDER_ADMIN, LIVE);
	tell(&superseded, KIND_CORRECTED_CLICK, CLICK);
	assert_status(&superseded, LIVE, STATUS_ACTIVE);
}

static void a_release_lets_the_evidence_decide_again(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	tell(&s, KIND_CORRECTED_CLICK, CLICK + MINUTE);
	tell(&s, KIND_CORRECTED_END, LIVE + 2 * MINUTE);
	tell(&s, KIND_RELEASED, LIVE + 3 * MINUTE);
	assert_ended(&s, IN_THE_END, ENDER_ZOOM, LIVE);
	assert_clicked_at(&s, CLICK);
	assert_false(decided(&s, IN_THE_END).corrected);
	tell(&s, KIND_CORRECTED_CLICK, CLICK + 2 * MINUTE);
	assert_clicked_at(&s, CLICK + 2 * MINUTE);
}

static void a_release_drops_corrections_and_keeps_the_admin_s_end(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_ADMIN_ENDED, LIVE);
	tell(&s, KIND_CORRECTED_END, LIVE - MINUTE);
	assert_ended(&s, LIVE, ENDER_ADMIN, LIVE - MINUTE);
	tell(&s, KIND_RELEASED, LIVE + MINUTE);
	assert_ended(&s, LIVE, ENDER_ADMIN, LIVE);
}

static void a_cancelled_class_stays_cancelled(void **state)
{
	struct story s = clicked();
	struct decision d;

	(void)state;
	tell(&s, KIND_CANCELLED, LIVE);
	tell(&s, KIND_CORRECTED_CLICK, CLICK);
	tell(&s, KIND_CORRECTED_END, LIVE);
	tell(&s, KIND_RELEASED, LIVE);
	d = decided(&s, IN_THE_END);
	assert_int_equal(d.status, STATUS_CANCELLED);
	assert_false(d.has_click);
	assert_false(d.has_end);
	assert_int_equal(d.clicked_us | d.times_out_us | d.ended_us | d.deciding_id, 0);
	assert_false(d.unsettled);
}

/* --- Reopening --- */

static void a_reopening_lifts_a_cancel_for_good(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_CANCELLED, LIVE);
	tell_reopened(&s, LIVE + MINUTE, 10 * MINUTE);
	assert_status(&s, LIVE + MINUTE, STATUS_ACTIVE);
	assert_clicked_at(&s, CLICK);
	assert_timeout(&s, IN_THE_END, LIVE + 11 * MINUTE, true);
	tell(&s, KIND_CANCELLED, LIVE);
	assert_status(&s, LIVE + MINUTE, STATUS_CANCELLED);
}

static void after_a_reopening_only_later_evidence_ends_the_class(void **state)
{
	struct story s = clicked();

	(void)state;
	tell(&s, KIND_TEACHER_LEFT, LIVE);
	tell_zoom(&s, KIND_ZOOM_ENDED, LIVE, 0);
	tell(&s, KIND_CORRECTED_END, LIVE + MINUTE);
	tell(&s, KIND_ADMIN_ENDED, LIVE + MINUTE);
	tell_reopened(&s, LIVE, 10 * MINUTE);
	assert_status(&s, LIVE, STATUS_ACTIVE);
	tell(&s, KIND_TEACHER_LEFT, LIVE + 1);
	assert_ended(&s, LIVE, ENDER_TEACHER_LEFT, LIVE + 1);
	tell(&s, KIND_ADMIN_ENDED, LIVE - MINUTE);
	assert_ended(&s, LIVE, ENDER_ADMIN, LIVE - MINUTE);
}

static void a_class_that_nobody_opened_starts_with_its_first_reopening(void **state)
{
	struct story s = sent();

	(void)state;
	tell_reopened(&s, LIVE, 10 * MINUTE);
	tell_reopened(&s, LIVE + 9 * MINUTE, 10 * MINUTE);
	assert_clicked_at(&s, LIVE);
	assert_timeout(&s, IN_THE_END, LIVE + 19 * MINUTE, true);
	tell(&s, KIND_CLICKED, CLICK);
	assert_clicked_at(&s, CLICK);
}

static void the_student_s_click_after_a_reopening_starts_the_clock(void **state)
{
	struct story s = sent();

	(void)state;
	tell_reopened(&s, LIVE, 10 * MINUTE);
	tell(&s, KIND_CLICKED, LIVE + 10 * MINUTE - 1);
	assert_clicked_at(&s, LIVE + 10 * MINUTE - 1);
}

static void a_click_at_the_deadline_of_a_reopening_starts_nothing(void **state)
{
	struct story s = sent();

	(void)state;
	tell_reopened(&s, LIVE, 10 * MINUTE);
	tell(&s, KIND_CLICKED, LIVE + 10 * MINUTE);
	assert_clicked_at(&s, LIVE);
}

static void what_was_clicked_while_the_link_was_closed_stays_no_click(void **state)
{
	const enum kind closings[] = { KIND_CANCELLED, KIND_SUPERSEDED };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct story s = sent();

		tell(&s, closings[i], CLICK - MINUTE);
		tell(&s, KIND_CLICKED, CLICK);
		tell_reopened(&s, CLICK + MINUTE, 70 * MINUTE);
		assert_clicked_at(&s, CLICK + MINUTE);
		tell(&s, KIND_CLICKED, CLICK + 2 * MINUTE);
		assert_clicked_at(&s, CLICK + 2 * MINUTE);
	}
}

static void a_reopening_opens_the_link_at_the_moment_that_closed_it(void **state)
{
	struct story s = sent();

	(void)state;
	tell(&s, KIND_CANCELLED, CLICK);
	tell_reopened(&s, CLICK, 70 * MINUTE);
	tell(&s, KIND_CLICKED, CLICK + MINUTE);
	assert_clicked_at(&s, CLICK + MINUTE);
}

static void a_reopening_before_a_corrected_click_gives_no_deadline(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_reopened(&s, LIVE, 10 * MINUTE);
	tell(&s, KIND_CORRECTED_CLICK, LIVE + 10 * MINUTE);
	assert_timeout(&s, IN_THE_END, LIVE + 80 * MINUTE, true);
	tell(&s, KIND_CORRECTED_CLICK, LIVE + 10 * MINUTE - 1);
	assert_timeout(&s, IN_THE_END, LIVE + 10 * MINUTE, true);
}

static void a_release_keeps_the_reopening(void **state)
{
	struct story s = clicked();

	(void)state;
	tell_reopened(&s, LIVE, 10 * MINUTE);
	tell(&s, KIND_RELEASED, LIVE);
	assert_timeout(&s, IN_THE_END, LIVE + 10 * MINUTE, true);
}

/* --- Unsettled: what the set-based timeout must leave alone --- */

static void a_class_that_only_time_will_end_is_settled(void **state)
{
	struct story unopened = sent(), opened = clicked(), seen = taught(), ended = clicked();

	(void)state;
	tell(&ended, KIND_TEACHER_LEFT, LIVE);
	assert_false(decided(&unopened, LIVE).unsettled);
	assert_false(decided(&opened, LIVE).unsettled);
	assert_false(decided(&seen, LIVE).unsettled);
	assert_false(decided(&ended, LIVE).unsettled);
	assert_false(decided(&unopened, IN_THE_END).unsettled);
	assert_false(decided(&opened, IN_THE_END).unsettled);
}

static void a_class_that_the_teacher_left_is_unsettled_until_the_deadline(void **state)
{
	struct story active = taught(), ended = taught();

	(void)state;
	tell_move(&active, KIND_ZOOM_LEFT, LIVE, 0, 0, ROLE_TEACHER);
	assert_true(decided(&active, DEADLINE - 1).unsettled);
	assert_false(decided(&active, DEADLINE).unsettled);
	tell(&ended, KIND_TEACHER_LEFT, LIVE);
	tell_move(&ended, KIND_ZOOM_LEFT, LIVE + MINUTE, 0, 0, ROLE_TEACHER);
	assert_true(decided(&ended, DEADLINE - 1).unsettled);
	assert_false(decided(&ended, DEADLINE).unsettled);
}

static void a_class_known_to_run_at_its_deadline_is_unsettled_before_it(void **state)
{
	struct story s = taught();

	(void)state;
	tell_zoom(&s, KIND_ZOOM_ENDED, DEADLINE + 1, 0);
	assert_true(decided(&s, DEADLINE - 1).unsettled);
	assert_false(decided(&s, DEADLINE).unsettled);
}

static void evidence_without_a_sent_link_is_left_alone(void **state)
{
	struct story s = { 0 };

	(void)state;
	tell(&s, KIND_CLICKED, CLICK);
	assert_status(&s, IN_THE_END, STATUS_SENT);
	assert_true(decided(&s, IN_THE_END).unsettled);
	assert_true(decide(&EUROPE, NULL, 0, LIVE).unsettled);
}

static void moments_at_the_end_of_time_do_not_wrap(void **state)
{
	const struct terms endless = { INT64_MAX, INT64_MAX, INT64_MAX };
	struct story s = clicked();
	struct decision d = decide(&endless, s.events, s.n, LIVE);

	(void)state;
	assert_int_equal(d.status, STATUS_ACTIVE);
	assert_int_equal(d.times_out_us, INT64_MAX);
	s.events[0].happened_us = s.events[1].happened_us = INT64_MAX - 1;
	d = decided(&s, LIVE);
	assert_int_equal(d.clicked_us, INT64_MAX - 1);
	assert_int_equal(d.times_out_us, INT64_MAX);
}

/* --- Words --- */

static void every_kind_is_found_by_its_spelling(void **state)
{
	(void)state;
	for (enum kind k = 0; k < KIND_OTHER; k++) {
		enum kind found;

		assert_true(kind_of(kind_name(k), kind_field(k), &found));
		assert_int_equal(found, k);
	}
}

static void an_unknown_spelling_never_decides(void **state)
{
	const char *const spellings[][2] = {
		{ "attendance", NULL }, { "other", NULL },	 { "", NULL },
		{ "corrected", NULL },	{ "corrected", "note" }, { "Sent", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++) {
		enum kind found = KIND_SENT;

		assert_false(kind_of(spellings[i][0], spellings[i][1], &found));
		assert_int_equal(found, KIND_OTHER);
	}
}

static void words_are_spelled_as_the_database_has_them(void **state)
{
	enum kind found;

	(void)state;
	assert_string_equal(status_name(STATUS_SENT), "sent");
	assert_string_equal(status_name(STATUS_MISSED), "missed");
	assert_null(ender_name(ENDER_NONE));
	assert_string_equal(ender_name(ENDER_ADMIN), "admin");
	assert_string_equal(ender_name(ENDER_ZOOM), "zoom");
	assert_string_equal(ender_name(ENDER_TEACHER_LEFT), "teacher_left");
	assert_string_equal(ender_name(ENDER_TEACHER), "teacher");
	assert_true(kind_of("corrected", "session_ended_at", &found));
	assert_int_equal(found, KIND_CORRECTED_END);
	assert_true(kind_of("zoom_ended", "ignored", &found));
	assert_int_equal(found, KIND_ZOOM_ENDED);
}

static void equal_decisions_agree_in_every_field(void **state)
{
	const struct decision a = { .status = STATUS_ENDED };
	const struct decision others[] = {
		{ .status = STATUS_SENT },
		{ .status = STATUS_ENDED, .has_click = true },
		{ .status = STATUS_ENDED, .clicked_us = 1 },
		{ .status = STATUS_ENDED, .times_out_us = 1 },
		{ .status = STATUS_ENDED, .has_end = true },
		{ .status = STATUS_ENDED, .ended_us = 1 },
		{ .status = STATUS_ENDED, .ended_by = ENDER_ZOOM },
		{ .status = STATUS_ENDED, .estimated = true },
		{ .status = STATUS_ENDED, .deciding_id = 1 },
		{ .status = STATUS_ENDED, .corrected = true },
		{ .status = STATUS_ENDED, .zoom_seen = true },
		{ .status = STATUS_ENDED, .unsettled = true },
	};

	(void)state;
	assert_true(decision_equal(&a, &a));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(decision_equal(&a, &others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_is_sent_until_its_life_is_over),
		cmocka_unit_test(the_first_click_starts_the_clock),
		cmocka_unit_test(a_click_replayed_late_moves_the_start_and_the_deadline),
		cmocka_unit_test(a_click_counts_from_the_moment_sent_to_the_end_of_the_link),
		cmocka_unit_test(what_is_no_click_starts_nothing),
		cmocka_unit_test(a_click_in_time_opens_a_missed_class),
		cmocka_unit_test(a_newer_link_cancels_an_unopened_one),
		cmocka_unit_test(a_newer_link_leaves_an_opened_class_alone),
		cmocka_unit_test(a_newer_link_after_the_link_s_life_leaves_it_missed),
		cmocka_unit_test(a_class_is_active_until_its_deadline),
		cmocka_unit_test(what_a_job_wrote_decides_nothing),
		cmocka_unit_test(an_end_at_the_deadline_counts_and_one_after_it_does_not),
		cmocka_unit_test(an_end_at_the_click_counts_and_one_before_it_does_not),
		cmocka_unit_test(a_timeout_is_not_estimated_when_zoom_saw_the_class_run),
		cmocka_unit_test(any_event_of_a_running_meeting_after_the_deadline_shows_it_ran),
		cmocka_unit_test(
			a_meeting_of_unknown_beginning_that_ends_later_ran_at_the_deadline),
		cmocka_unit_test(a_meeting_that_began_after_the_deadline_shows_nothing),
		cmocka_unit_test(a_late_leave_of_a_meeting_that_had_ended_shows_nothing),
		cmocka_unit_test(a_meeting_that_ends_at_a_moment_ran_at_it),
		cmocka_unit_test(the_meeting_s_end_ends_the_class),
		cmocka_unit_test(of_several_meetings_the_last_end_counts),
		cmocka_unit_test(the_same_end_delivered_twice_is_decided_by_the_first_row),
		cmocka_unit_test(a_restart_before_the_deadline_goes_on_with_the_class),
		cmocka_unit_test(
			a_restart_counts_before_the_deadline_and_not_in_the_second_of_the_end),
		cmocka_unit_test(a_join_of_the_meeting_that_ended_is_no_restart),
		cmocka_unit_test(the_meeting_s_end_refines_a_timeout),
		cmocka_unit_test(the_teacher_s_leave_serves_once_the_deadline_has_passed),
		cmocka_unit_test(another_s_leave_ends_nothing),
		cmocka_unit_test(a_leave_is_the_teacher_s_when_any_event_of_its_connection_says_so),
		cmocka_unit_test(a_rejoin_takes_the_teacher_s_leave_back),
		cmocka_unit_test(a_rejoin_after_the_deadline_comes_too_late),
		cmocka_unit_test(a_move_between_rooms_is_no_leave),
		cmocka_unit_test(a_new_connection_that_was_up_before_the_old_one_left_is_a_rejoin),
		cmocka_unit_test(the_end_of_its_meeting_closes_a_connection_of_the_teacher),
		cmocka_unit_test(a_restart_takes_the_teacher_s_leave_back),
		cmocka_unit_test(a_student_who_moves_on_without_the_teacher_restarts_nothing),
		cmocka_unit_test(a_leave_before_the_click_ends_nothing),
		cmocka_unit_test(the_meeting_s_end_outranks_the_teacher_s_leave),
		cmocka_unit_test(
			the_teacher_s_leave_outranks_the_teacher_s_word_after_the_deadline),
		cmocka_unit_test(the_teacher_s_earliest_word_counts),
		cmocka_unit_test(at_one_moment_teacher_left_counts_whatever_came_first),
		cmocka_unit_test(zoom_outranks_the_teacher_s_word),
		cmocka_unit_test(a_restart_takes_the_teacher_s_word_back),
		cmocka_unit_test(a_join_of_a_new_meeting_takes_the_teacher_s_word_back),
		cmocka_unit_test(the_admin_s_end_outranks_zoom),
		cmocka_unit_test(the_admin_s_latest_end_counts),
		cmocka_unit_test(of_admin_facts_received_at_one_moment_the_higher_id_is_the_later),
		cmocka_unit_test(an_admin_s_end_outside_the_class_changes_nothing),
		cmocka_unit_test(a_corrected_end_may_be_later_than_the_deadline),
		cmocka_unit_test(a_corrected_click_moves_the_start_and_the_deadline),
		cmocka_unit_test(a_missed_or_superseded_class_can_be_corrected_into_an_ended_one),
		cmocka_unit_test(a_release_lets_the_evidence_decide_again),
		cmocka_unit_test(a_release_drops_corrections_and_keeps_the_admin_s_end),
		cmocka_unit_test(a_cancelled_class_stays_cancelled),
		cmocka_unit_test(a_reopening_lifts_a_cancel_for_good),
		cmocka_unit_test(after_a_reopening_only_later_evidence_ends_the_class),
		cmocka_unit_test(a_class_that_nobody_opened_starts_with_its_first_reopening),
		cmocka_unit_test(the_student_s_click_after_a_reopening_starts_the_clock),
		cmocka_unit_test(a_click_at_the_deadline_of_a_reopening_starts_nothing),
		cmocka_unit_test(what_was_clicked_while_the_link_was_closed_stays_no_click),
		cmocka_unit_test(a_reopening_opens_the_link_at_the_moment_that_closed_it),
		cmocka_unit_test(a_reopening_before_a_corrected_click_gives_no_deadline),
		cmocka_unit_test(a_release_keeps_the_reopening),
		cmocka_unit_test(a_class_that_only_time_will_end_is_settled),
		cmocka_unit_test(a_class_that_the_teacher_left_is_unsettled_until_the_deadline),
		cmocka_unit_test(a_class_known_to_run_at_its_deadline_is_unsettled_before_it),
		cmocka_unit_test(evidence_without_a_sent_link_is_left_alone),
		cmocka_unit_test(moments_at_the_end_of_time_do_not_wrap),
		cmocka_unit_test(every_kind_is_found_by_its_spelling),
		cmocka_unit_test(an_unknown_spelling_never_decides),
		cmocka_unit_test(words_are_spelled_as_the_database_has_them),
		cmocka_unit_test(equal_decisions_agree_in_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
