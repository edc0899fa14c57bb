/* Text is what RFC 3629 calls UTF-8, and nothing that only looks like it. */
#include "unit.h"

#include "utf8.h"

static void takes_every_script(void **state)
{
	static const char *const good[] = {
		"",
		"plain",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"\u0633\u0627\u0631\u0629 \u1230\u120b\u121d \U0001F692",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	assert_true(utf8_valid("a\0b", 3));
}

static void refuses_what_only_looks_like_it(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80", /* NUL, overlong */
		"\xc1\xbf",
		"\xc2",
		"\xc2\x7f",
		"\xc2\xc0",
		"\xe0\x9f\xbf", /* overlong */
		"\xe1\x80",
		"\xe1\x80\x7f",
		"\xed\xa0\x80", /* surrogates */
		"\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf", /* overlong */
		"\xf0\x90\x80",
		"\xf0\x90\x80\xc0",
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xff",
		"good until here\xfe",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
}

static void a_character_is_not_completed_by_what_lies_behind_the_end(void **state)
{
	(void)state;
	assert_false(utf8_valid("\xc2\x80", 1));
	assert_false(utf8_valid("\xf0\x90\x80\x80", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_script),
		cmocka_unit_test(refuses_what_only_looks_like_it),
		cmocka_unit_test(a_character_is_not_completed_by_what_lies_behind_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
