/* A line of the journal says what was written, or nothing. */
#define _GNU_SOURCE /* syscall */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "journal_state.h"

static int64_t set_s, went_by_s; /* the node's clock was set by so much, and so much time went by */

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, t);

	t->tv_sec += went_by_s + (clock == CLOCK_REALTIME ? set_s : 0);
	return failed;
}

static struct journal_entry sample(void)
{
	return (struct journal_entry){
		.kind = JOURNAL_CLICK,
		.id = "AAAAAAAAAAAAAAAAAAAAAA",
		.happened_us = 1795356656544357,
		.offset_us = -36,
		.session_id = 98192,
		.link_id = "23c2b5d25e25410b8ba6b59e8ac934d6",
		.sent_us = 1795356218071247,
		.expires_us = 1795399418071247,
		.address = "2001:db8::1",
		.agent = "an agent \"with\" blanks\nand a line end",
	};
}

static void assert_same(const struct journal_entry *a, const struct journal_entry *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->happened_us, b->happened_us);
	assert_int_equal(a->offset_us, b->offset_us);
	assert_int_equal(a->session_id, b->session_id);
	assert_string_equal(a->link_id, b->link_id);
	assert_int_equal(a->sent_us, b->sent_us);
	assert_int_equal(a->expires_us, b->expires_us);
	assert_string_equal(a->address, b->address);
	assert_string_equal(a->agent, b->agent);
}

static void reads_what_it_wrote(void **state)
{
	struct journal_entry e = sample(), got;
	const char *line = journal_line(*state, &e);

	assert_null(strpbrk(line, "\r\n"));
	assert_int_equal(journal_parse(*state, line, &got), OK);
	assert_same(&got, &e);
}

static void what_is_unknown_stays_unknown(void **state)
{
	struct journal_entry e = { .kind = JOURNAL_LEFT,
				   .id = "BBBBBBBBBBBBBBBBBBBBBB",
				   .session_id = 1 };
	struct journal_entry got;

	assert_int_equal(journal_parse(*state, journal_line(*state, &e), &got), OK);
	assert_int_equal(got.kind, JOURNAL_LEFT);
	assert_null(got.address);
	assert_null(got.agent);
}

static void a_line_torn_anywhere_is_refused(void **state)
{
	struct journal_entry e = sample(), got;
	const char *line = journal_line(*state, &e);

	for (size_t len = 0; len < strlen(line); len++)
		assert_int_equal(journal_parse(*state, arena_copy(*state, line, len), &got),
				 ERR_INVALID);
}

static void a_line_changed_anywhere_is_refused(void **state)
{
	struct journal_entry e = sample(), got;
	const char *line = journal_line(*state, &e);

	for (size_t i = 0; i < strlen(line); i++) {
		char *other = arena_copy(*state, line, strlen(line));

		other[i] ^= 1;
		assert_int_equal(journal_parse(*state, other, &got), ERR_INVALID);
	}
}

/* A folder for a journal, which ends with the test if that leaves nothing behind. */
static char *folder(void **state)
{
	char *dir = arena_printf(*state, "/tmp/journal.XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void a_clock_that_answers_between_question_and_answer_is_right(void **state)
{
	const char *dir = folder(state);
	struct journal_entry got, e = { .kind = JOURNAL_LEFT, .session_id = 1 };
	static const struct {
		int64_t before, theirs, after, offset;
	} cases[] = { { 100, 150, 200, 0 }, { 100, 90, 200, -10 }, { 100, 260, 200, 60 } };
	char text[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *path = arena_printf(*state, "%s/journal", dir);
		FILE *f;

		journal_note_clock(dir, cases[i].before, cases[i].theirs, cases[i].after);
		assert_int_equal(journal_append(dir, *state, &e, 1), OK);
		f = fopen(path, "re");
		assert_non_null(f);
		assert_string_equal(fgets(text, sizeof text, f), "\n");
		assert_non_null(fgets(text, sizeof text, f));
		fclose(f);
		text[strcspn(text, "\n")] = '\0';
		assert_int_equal(journal_parse(*state, text, &got), OK);
		assert_int_equal(got.offset_us, cases[i].offset);
		unlink(path);
	}
	unlink(arena_printf(*state, "%s/offset", dir));
	assert_int_equal(rmdir(dir), 0);
}

static int64_t saved_offset(void **state, const char *dir)
{
	FILE *f = fopen(arena_printf(*state, "%s/offset", dir), "re");
	char text[32];

	assert_non_null(f);
	assert_non_null(fgets(text, sizeof text, f));
	fclose(f);
	return strtoll(text, NULL, 10);
}

static void save_offset(void **state, const char *dir, const char *text)
{
	FILE *f = fopen(arena_printf(*state, "%s/offset", dir), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void an_offset_is_saved_once_a_minute(void **state)
{
	const char *dir = folder(state);

	went_by_s += 61;
	journal_note_clock(dir, 100, 90, 200);
	went_by_s += 30;
	journal_note_clock(dir, 100, 80, 200);
	assert_int_equal(saved_offset(state, dir), -10);
	went_by_s += 31;
	journal_note_clock(dir, 100, 70, 200);
	assert_int_equal(saved_offset(state, dir), -30);
	unlink(arena_printf(*state, "%s/offset", dir));
	assert_int_equal(rmdir(dir), 0);
}

static void and_at_once_when_the_clock_was_set_back(void **state)
{
	const char *dir = folder(state);

	went_by_s += 61;
	journal_note_clock(dir, 100, 150, 200);
	set_s -= 3600;
	journal_note_clock(dir, 100, 3600000150, 200);
	assert_int_equal(saved_offset(state, dir), 3599999950);
	unlink(arena_printf(*state, "%s/offset", dir));
	assert_int_equal(rmdir(dir), 0);
}

/* A program that asks seldom, beside one that does each minute. */
static void what_others_measured_since_is_believed(void **state)
{
	const char *dir = folder(state);

	went_by_s += 61;
	journal_note_clock(dir, 100, 90, 200);
	save_offset(state, dir, "-500\n");
	went_by_s += 110;
	assert_int_equal(journal_clock_offset_us(dir), -10);
	went_by_s += 20;
	assert_int_equal(journal_clock_offset_us(dir), -500);
	unlink(arena_printf(*state, "%s/offset", dir));
	assert_int_equal(journal_clock_offset_us(dir), -10);
	journal_note_clock(dir, 100, 80, 200);
	save_offset(state, dir, "");
	went_by_s += 130;
	assert_int_equal(journal_clock_offset_us(dir), -20);
	unlink(arena_printf(*state, "%s/offset", dir));
	assert_int_equal(rmdir(dir), 0);
}

static void what_a_kill_left_is_forgotten(void **state)
{
	const char *dir = folder(state);
	static const char *const left[] = { "offset.4711", "AAAA.new", "1-2.replay.bad" };
	static const char *const kept[] = { "offset", "journal", "lost", "AAAA.replay" };

	for (size_t i = 0; i < COUNT(left); i++)
		fclose(fopen(arena_printf(*state, "%s/%s", dir, left[i]), "we"));
	for (size_t i = 0; i < COUNT(kept); i++)
		fclose(fopen(arena_printf(*state, "%s/%s", dir, kept[i]), "we"));
	assert_int_equal(journal_forget(dir, 14), 0);
	went_by_s += INT64_C(86400) * 15;
	assert_int_equal(journal_forget(dir, 14), COUNT(left));
	for (size_t i = 0; i < COUNT(kept); i++)
		assert_int_equal(unlink(arena_printf(*state, "%s/%s", dir, kept[i])), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void assert_line_is(void **state, const char *text, const struct journal_entry *wanted)
{
	char *line = arena_copy(*state, text, strlen(text));
	struct journal_entry got;

	line[strcspn(line, "\n")] = '\0';
	assert_int_equal(journal_parse(*state, line, &got), OK);
	assert_string_equal(got.id, wanted->id);
	assert_int_equal(got.session_id, wanted->session_id);
}

static void assert_file_has(void **state, const char *path, const struct journal_entry *e, size_t n)
{
	FILE *f = fopen(path, "re");
	char text[512];

	assert_non_null(f);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(fgets(text, sizeof text, f), "\n");
		assert_non_null(fgets(text, sizeof text, f));
		assert_line_is(state, text, &e[i]);
	}
	assert_null(fgets(text, sizeof text, f));
	fclose(f);
	unlink(path);
}

static const struct journal_entry three[] = { { .id = "AAAA", .session_id = 1 },
					      { .id = "BBBB", .session_id = 2 },
					      { .id = "CCCC", .session_id = 3 } };

static void takes_many_at_once(void **state)
{
	const char *dir = folder(state);

	assert_int_equal(journal_append(dir, *state, three, COUNT(three)), OK);
	assert_file_has(state, arena_printf(*state, "%s/journal", dir), three, COUNT(three));
	assert_int_equal(rmdir(dir), 0);
}

static void many_have_a_file_of_their_own_where_the_common_one_fails(void **state)
{
	const char *dir = folder(state), *path = arena_printf(*state, "%s/journal", dir);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(journal_append(dir, *state, three, COUNT(three)), OK);
	assert_file_has(state, arena_printf(*state, "%s/AAAA.replay", dir), three, COUNT(three));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Such as a disk without room for all; here a name that is taken. */
static void each_has_a_file_where_one_for_all_fails(void **state)
{
	const char *dir = folder(state), *path = arena_printf(*state, "%s/journal", dir);
	const char *taken = arena_printf(*state, "%s/AAAA.new", dir);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mkdir(taken, 0700), 0);
	assert_int_equal(journal_append(dir, *state, three, COUNT(three)), ERR_UNAVAILABLE);
	assert_file_has(state, arena_printf(*state, "%s/BBBB.replay", dir), &three[1], 1);
	assert_file_has(state, arena_printf(*state, "%s/CCCC.replay", dir), &three[2], 1);
	assert_int_equal(rmdir(taken), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(reads_what_it_wrote),
		WITH_ARENA(what_is_unknown_stays_unknown),
		WITH_ARENA(a_line_torn_anywhere_is_refused),
		WITH_ARENA(a_line_changed_anywhere_is_refused),
		WITH_ARENA(a_clock_that_answers_between_question_and_answer_is_right),
		WITH_ARENA(an_offset_is_saved_once_a_minute),
		WITH_ARENA(and_at_once_when_the_clock_was_set_back),
		WITH_ARENA(what_others_measured_since_is_believed),
		WITH_ARENA(what_a_kill_left_is_forgotten),
		WITH_ARENA(takes_many_at_once),
		WITH_ARENA(each_has_a_file_where_one_for_all_fails),
		WITH_ARENA(many_have_a_file_of_their_own_where_the_common_one_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
