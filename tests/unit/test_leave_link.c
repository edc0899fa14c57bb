/* Only what we signed, unaltered and in time, ends a class. */
#include "unit.h"

#include <stdbool.h>

#include "leave_link.h"

#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

#define EXP    1767265500
#define NOW_US (INT64_C(1767265499) * 1000000)

/* Right for session 123 and EXP under the raw key 00..1f; made by an independent HMAC. */
#define SIG "ulAiHkgZlM7T7jAGZdbfm0vWcy9WlGKlLlmNae5BoHs"

static const struct leave_link link_123 = { .session_id = 123, .expires_s = EXP };

/* Keys whose only secret gives the raw key 00..1f. */
static struct keys raw_key(void)
{
	struct keys keys = { .count = 1 };

	for (size_t i = 0; i < KEY_BYTES; i++)
		keys.key[KEY_TEACHER_LEFT][0][i] = (unsigned char)i;
	return keys;
}

static struct keys load(const char *text)
{
	struct keys keys;

	assert_int_equal(keys_load(text, &keys, NULL), OK);
	return keys;
}

static enum err verify(struct arena *a, const char *query, int64_t now_us, struct why *why)
{
	struct keys keys = raw_key();
	struct leave_link got;
	enum err e = leave_link_verify(a, &keys, query, now_us, &got, why);

	assert_int_equal(got.session_id, e ? 0 : 123);
	assert_int_equal(got.expires_s, e ? 0 : EXP);
	return e;
}

static void signs_as_the_published_vector(void **state)
{
	struct keys keys = raw_key();

	assert_string_equal(leave_link_sign(*state, keys.key[KEY_TEACHER_LEFT][0], &link_123), SIG);
	assert_string_equal(leave_link_make(*state, &keys, &link_123),
			    "session=123&exp=1767265500&sig=" SIG);
}

static void takes_the_three_parameters_in_any_order(void **state)
{
	static const char *const good[] = {
		"session=123&exp=1767265500&sig=" SIG,
		"sig=" SIG "&exp=1767265500&session=123",
		"&session=123&&exp=1767265500&sig=" SIG "&",
		"session=%3123&exp=1767265500&sig=" SIG,
	};

	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(verify(*state, good[i], NOW_US, NULL), OK);
}

static void lives_to_the_end_of_its_last_second(void **state)
{
	const char *query = "session=123&exp=1767265500&sig=" SIG;
	struct why why = { 0 };

	assert_int_equal(verify(*state, query, INT64_C(1767265500999999), NULL), OK);
	assert_int_equal(verify(*state, query, INT64_C(1767265501000000), &why), ERR_FORBIDDEN);
	assert_string_equal(why.field, "exp");
	assert_string_equal(why.detail, "This link has expired.");
}

static void an_altered_link_is_forbidden_even_if_it_is_also_over(void **state)
{
	static const char *const bad[] = {
		"session=124&exp=1767265500&sig=" SIG,
		"session=12&exp=1767265500&sig=" SIG,
		"session=123&exp=1767265501&sig=" SIG,
		"session=123&exp=9223372036854775807&sig=" SIG,
		"session=123&exp=1&sig=" SIG,
		"session=123&exp=1767265500&sig=vlAiHkgZlM7T7jAGZdbfm0vWcy9WlGKlLlmNae5BoHs",
		"session=123&exp=1767265500&sig=",
		"session=123&exp=1767265500&sig",
		"session=123&exp=1767265500&sig=ulAiHkgZlM7T7jAGZdbfm0vWcy9WlGKlLlmNae5BoH",
		"session=123&exp=1767265500&sig=" SIG "A",
		"session=123&exp=1767265500&sig=" SIG "=",
		"session=123&exp=1767265500&sig=" SIG "%3D",
		"session=123&exp=1767265500&sig=+" SIG,
		"session=123&exp=1767265500&sig=" SIG "%0A",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct why why = { 0 };

		assert_int_equal(verify(*state, bad[i], NOW_US, &why), ERR_FORBIDDEN);
		assert_string_equal(why.field, "sig");
		assert_string_equal(why.detail, "This link was altered, or is not ours.");
	}
}

static void only_one_of_the_four_spellings_of_the_signature_is_taken(void **state)
{
	/* 's' is 101100: the two lowest bits are spare. */
	static const char spelling[] = { 't', 'u', 'v' };

	for (size_t i = 0; i < COUNT(spelling); i++) {
		char *query = arena_printf(*state, "session=123&exp=1767265500&sig=" SIG);

		query[strlen(query) - 1] = spelling[i];
		assert_int_equal(verify(*state, query, NOW_US, NULL), ERR_FORBIDDEN);
	}
}

static void names_the_parameter_that_is_missing_repeated_unknown_or_no_number(void **state)
{
	static const struct {
		const char *query, *field;
	} bad[] = {
		{ NULL, "session" },
		{ "", "session" },
		{ "session=123&exp=1767265500", "sig" },
		{ "session=123&sig=" SIG, "exp" },
		{ "exp=1767265500&sig=" SIG, "session" },
		{ "session=123&session=123&exp=1767265500&sig=" SIG, "session" },
		{ "session=123&%73ession=123&exp=1767265500&sig=" SIG, "session" },
		{ "session=123&exp=1767265500&sig=" SIG "&sig=" SIG, "sig" },
		{ "session=123&exp=1767265500&sig=" SIG "&utm_source=mail", "utm_source" },
		{ "Session=123&exp=1767265500&sig=" SIG, "Session" },
		{ "session=0&exp=1767265500&sig=" SIG, "session" },
		{ "session=0123&exp=1767265500&sig=" SIG, "session" },
		{ "session=+123&exp=1767265500&sig=" SIG, "session" },
		{ "session=%2B123&exp=1767265500&sig=" SIG, "session" },
		{ "session=-123&exp=1767265500&sig=" SIG, "session" },
		{ "session=123+&exp=1767265500&sig=" SIG, "session" },
		{ "session=12a&exp=1767265500&sig=" SIG, "session" },
		{ "session=12:&exp=1767265500&sig=" SIG, "session" },
		{ "session=12/&exp=1767265500&sig=" SIG, "session" },
		{ "session=1e2&exp=1767265500&sig=" SIG, "session" },
		{ "session=&exp=1767265500&sig=" SIG, "session" },
		{ "session=9223372036854775808&exp=1767265500&sig=" SIG, "session" },
		{ "session=18446744073709551739&exp=1767265500&sig=" SIG, "session" },
		{ "session=123&exp=01767265500&sig=" SIG, "exp" },
		{ "session=123&exp=1767265500.0&sig=" SIG, "exp" },
		{ "session=123%00&exp=1767265500&sig=" SIG, "session" },
		{ "session=123&exp=1767265500%zz&sig=" SIG, "exp" },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct why why = { 0 };

		assert_int_equal(verify(*state, bad[i].query, NOW_US, &why), ERR_INVALID);
		assert_string_equal(why.field, bad[i].field);
		assert_non_null(why.detail);
	}
}

static void every_secret_of_the_list_verifies_and_the_first_signs(void **state)
{
	struct keys a = load(A), b = load(B), both = load(B "," A);
	struct leave_link got;
	const char *old = leave_link_make(*state, &a, &link_123);
	const char *new = leave_link_make(*state, &both, &link_123);

	assert_int_equal(leave_link_verify(*state, &both, old, NOW_US, &got, NULL), OK);
	assert_int_equal(got.session_id, 123);
	assert_int_equal(leave_link_verify(*state, &b, new, NOW_US, &got, NULL), OK);
	assert_int_equal(leave_link_verify(*state, &b, old, NOW_US, &got, NULL), ERR_FORBIDDEN);
	assert_int_equal(leave_link_verify(*state, &a, new, NOW_US, &got, NULL), ERR_FORBIDDEN);
}

static void a_key_that_is_not_of_the_list_verifies_nothing(void **state)
{
	struct keys a = load(A), b = load(B);
	const char *query = leave_link_make(*state, &b, &link_123);
	struct leave_link got;

	memcpy(a.key[KEY_TEACHER_LEFT][1], b.key[KEY_TEACHER_LEFT][0], KEY_BYTES);
	assert_int_equal(leave_link_verify(*state, &a, query, NOW_US, &got, NULL), ERR_FORBIDDEN);
}

static void the_largest_numbers_travel_unharmed(void **state)
{
	struct keys keys = load(A);
	struct leave_link want = { .session_id = INT64_MAX, .expires_s = INT64_MAX }, got;
	const char *query = leave_link_make(*state, &keys, &want);

	assert_int_equal(leave_link_verify(*state, &keys, query, INT64_MAX, &got, NULL), OK);
	assert_int_equal(got.session_id, INT64_MAX);
	assert_int_equal(got.expires_s, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(signs_as_the_published_vector),
		WITH_ARENA(takes_the_three_parameters_in_any_order),
		WITH_ARENA(lives_to_the_end_of_its_last_second),
		WITH_ARENA(an_altered_link_is_forbidden_even_if_it_is_also_over),
		WITH_ARENA(only_one_of_the_four_spellings_of_the_signature_is_taken),
		WITH_ARENA(names_the_parameter_that_is_missing_repeated_unknown_or_no_number),
		WITH_ARENA(every_secret_of_the_list_verifies_and_the_first_signs),
		WITH_ARENA(a_key_that_is_not_of_the_list_verifies_nothing),
		WITH_ARENA(the_largest_numbers_travel_unharmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
