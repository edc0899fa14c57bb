/* A buffer grows to its cap, never beyond, and says once that something was dropped. */
#include "unit.h"

#include "buf.h"

static void collects_what_is_added(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_str(&b, "one");
	buf_char(&b, ' ');
	buf_add(&b, "t\0o", 3);
	assert_int_equal(b.err, OK);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "one t\0o", 8);
	buf_free(&b);
}

static void an_addition_of_nothing_gives_an_empty_text(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.err, OK);
	assert_string_equal(b.data, "");
	buf_free(&b);
}

static void grows_to_its_cap_and_not_a_byte_more(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (int i = 0; i < 100000; i++)
		buf_char(&b, (char)('a' + i % 26));
	assert_int_equal(b.err, OK);
	assert_int_equal(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf_char(&b, 'x');
	assert_int_equal(b.err, ERR_TOO_LARGE);
	assert_int_equal(b.len, 100000);
	buf_free(&b);
}

static void after_a_failure_nothing_more_is_added(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_str(&b, "ab");
	buf_str(&b, "cde");
	buf_str(&b, "f");
	assert_int_equal(b.err, ERR_TOO_LARGE);
	assert_string_equal(b.data, "ab");
	buf_free(&b);
}

static void a_cleared_buffer_starts_anew(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_clear(&b);
	buf_str(&b, "abcde");
	buf_clear(&b);
	assert_int_equal(b.err, OK);
	buf_str(&b, "abcd");
	assert_int_equal(b.err, OK);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	buf_free(&b);
	assert_null(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collects_what_is_added),
		cmocka_unit_test(an_addition_of_nothing_gives_an_empty_text),
		cmocka_unit_test(grows_to_its_cap_and_not_a_byte_more),
		cmocka_unit_test(after_a_failure_nothing_more_is_added),
		cmocka_unit_test(a_cleared_buffer_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
