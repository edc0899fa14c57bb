/* A moment has one text, and only moments that exist are taken. */
#include "unit.h"

#include <time.h>

#include "when.h"

static void texts_and_moments_agree_both_ways(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1, "1970-01-01T00:00:00.000001Z" },
		{ INT64_C(68169599999999), "1972-02-28T23:59:59.999999Z" },
		{ INT64_C(68169600000000), "1972-02-29T00:00:00Z" },
		{ INT64_C(951782400000000), "2000-02-29T00:00:00Z" },
		{ INT64_C(1767261600123456), "2026-01-01T10:00:00.123456Z" },
		{ INT64_C(1767261600100000), "2026-01-01T10:00:00.100000Z" },
		{ INT64_C(1798761599000000), "2026-12-31T23:59:59Z" },
		{ INT64_C(4107542400000000), "2100-03-01T00:00:00Z" },
		{ WHEN_MAX_US, "9999-12-31T23:59:59.999999Z" },
	};
	int64_t us;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(when_text(*state, rows[i].us), rows[i].text);
		assert_int_equal(when_parse(rows[i].text, &us), OK);
		assert_int_equal(us, rows[i].us);
	}
}

/* gmtime_r is the witness: every day for 800 years, at a moving hour. */
static void days_and_seconds_follow_the_calendar(void **state)
{
	char want[32];
	struct tm tm;

	(void)state;
	for (int64_t day = 0; day < INT64_C(800) * 366; day++) {
		struct arena *a = arena_new();
		time_t t = (time_t)(day * 86400 + day % 86400);

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_not_equal(strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm), 0);
		assert_string_equal(when_text(a, t * INT64_C(1000000)), want);
		arena_free(a);
	}
}

static void there_is_no_text_beyond_the_years(void **state)
{
	assert_null(when_text(*state, -1));
	assert_null(when_text(*state, INT64_MIN));
	assert_null(when_text(*state, WHEN_MAX_US + 1));
	assert_null(when_text(*state, INT64_MAX));
}

static void takes_one_to_six_decimals(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{ "1970-01-01T00:00:01.5Z", 1500000 },
		{ "1970-01-01T00:00:01.05Z", 1050000 },
		{ "1970-01-01T00:00:01.123Z", 1123000 },
		{ "1970-01-01T00:00:01.1234Z", 1123400 },
		{ "1970-01-01T00:00:01.12345Z", 1123450 },
		{ "1970-01-01T00:00:01.123456Z", 1123456 },
		{ "1970-01-01T00:00:01.000000Z", 1000000 },
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(when_parse(rows[i].text, &us), OK);
		assert_int_equal(us, rows[i].us);
	}
}

static void refuses_what_is_no_moment(void **state)
{
	static const char *const bad[] = {
		NULL,
		"",
		"Z",
		"2026",
		"2026-01-01",
		"2026-01-01T",
		"2026-01-01T10:00Z",
		"2026-01-01T10:00:00",
		"2026-01-01T10:00:00z",
		"2026-01-01t10:00:00Z",
		"2026-01-01 10:00:00Z",
		"2026-01-01T10:00:00+00:00",
		"2026-01-01T10:00:00-00:00",
		"2026-01-01T10:00:00ZZ",
		"2026-01-01T10:00:00Z ",
		" 2026-01-01T10:00:00Z",
		"2026-01-01T10:00:00.Z",
		"2026-01-01T10:00:00.1234567Z",
		"2026-01-01T10:00:00,5Z",
		"2026-01-01T10:00:00.5",
		"2026-01-01T10:00:00.-5Z",
		"2026-01-01T10:00:60Z", /* leap seconds are not kept */
		"2016-12-31T23:59:60Z",
		"2026-01-01T10:60:00Z",
		"2026-01-01T24:00:00Z",
		"2026-13-01T10:00:00Z",
		"2026-00-01T10:00:00Z",
		"2026-01-00T10:00:00Z",
		"2026-01-32T10:00:00Z",
		"2026-02-29T10:00:00Z",
		"2100-02-29T10:00:00Z",
		"2026-04-31T10:00:00Z",
		"1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z",
		"10000-01-01T00:00:00Z",
		"+2026-01-01T10:00:00Z",
		"-2026-01-01T10:00:00Z",
		"2026-1-01T10:00:00Z",
		"2026-01-01T1:00:00Z",
		"20260101T100000Z",
		"2026-W01-1T10:00:00Z",
		"2026-01-01T10:00: 0Z",
		"2026-01-01T-1:00:00Z",
		"\uff12\uff1026-01-01T10:00:00Z",
	};
	int64_t us;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		us = 7;
		assert_int_equal(when_parse(bad[i], &us), ERR_INVALID);
		assert_int_equal(us, 0);
	}
}

static void a_date_is_a_day_of_the_calendar(void **state)
{
	static const char *const good[] = { "2026-01-31", "2024-02-29", "2000-02-29",
					    "1970-01-01", "0001-01-01", "9999-12-31" };
	static const char *const bad[] = {
		NULL,	      "",	    "2026-02-29",  "1900-02-29",       "2026-02-30",
		"2026-04-31", "2026-13-01", "2026-00-10",  "2026-01-00",       "0000-01-01",
		"2026-1-1",   "2026-01-1",  "2026-01-011", "2026-01-01 ",      " 2026-01-01",
		"2026/01/01", "01-01-2026", "20260101",	   "2026-01-01T00:00", "today",
		"2026-01-",   "2026-01",    "-026-01-01",  "infinity",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(when_is_date(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(when_is_date(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(texts_and_moments_agree_both_ways),
		cmocka_unit_test(days_and_seconds_follow_the_calendar),
		WITH_ARENA(there_is_no_text_beyond_the_years),
		cmocka_unit_test(takes_one_to_six_decimals),
		cmocka_unit_test(refuses_what_is_no_moment),
		cmocka_unit_test(a_date_is_a_day_of_the_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
