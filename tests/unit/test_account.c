/* Which texts are e-mail addresses here. */
#include "unit.h"

#include "account.h"

static void takes_addresses(void **state)
{
	static const char *const good[] = { "a@b", "hana@example.org",
					    "Hana.T+class@mail.example.org", "o'neil@example.org",
					    "ሃና@example.org" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(account_check_email(good[i], NULL), OK);
}

static void refuses_what_is_none_by_name(void **state)
{
	static const char *const bad[] = {
		"",
		"@",
		"hana",
		"hana@",
		"@example.org",
		"a@b@c",
		"a b@example.org",
		"a@exam ple.org",
		"a@example.org ",
		" a@example.org",
		"a@example.",
		"a@.example",
		"a\n@example.org",
		"a\x7f@example.org",
		"<a@example.org>",
		"a,b@example.org",
		"\"a\"@example.org",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct why why = { 0 };

		assert_int_equal(account_check_email(bad[i], &why), ERR_INVALID);
		assert_string_equal(why.field, "email");
	}
}

static void holds_the_limit_of_length(void **state)
{
	char text[ACCOUNT_EMAIL_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof text);
	text[1] = '@';
	text[ACCOUNT_EMAIL_MAX + 1] = '\0';
	assert_int_equal(account_check_email(text, NULL), ERR_INVALID);
	text[ACCOUNT_EMAIL_MAX] = '\0';
	assert_int_equal(account_check_email(text, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_addresses),
		cmocka_unit_test(refuses_what_is_none_by_name),
		cmocka_unit_test(holds_the_limit_of_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
