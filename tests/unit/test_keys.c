/* AUTH_SECRET becomes keys that never change, or a reason why not. */
#include "unit.h"

#include <sodium.h>
#include <stdbool.h>

#include "keys.h"

#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

static struct keys load(const char *text)
{
	struct keys keys;

	assert_int_equal(keys_load(text, &keys, NULL), OK);
	return keys;
}

static void the_same_secret_gives_the_same_keys_for_ever(void **state)
{
	/* Made with Python's hashlib.blake2b: key = blake2b(name, key=blake2b(secret)). */
	static const char *const hex[KEY__MAX] = {
		[KEY_JOIN_LINK] =
			"3c6f48ab6f5a76e439c3cafee1b78f439d463918f48d60ca4c3544da8272dd5f",
		[KEY_JOIN_NONCE] =
			"4e4fa6b5e8d8fad21e6185df1f3c235a2a950c6ad74917de6c867b3c73008c24",
		[KEY_TEACHER_LEFT] =
			"2d9348d9c76ed974e40cae1b261896a38049319f8add0074bb959af6301cdde9",
		[KEY_CURSOR] = "8aec4de14d0abf8a1cb28bae0be24501d2ecc265c2ecc81cd9d4ea8d527ed1cd",
	};
	struct keys keys = load(A);
	char text[2 * KEY_BYTES + 1];

	(void)state;
	for (size_t p = 0; p < KEY__MAX; p++) {
		sodium_bin2hex(text, sizeof text, keys.key[p][0], KEY_BYTES);
		assert_string_equal(text, hex[p]);
	}
}

static void every_secret_has_its_own_keys_in_the_order_of_the_list(void **state)
{
	struct keys both = load(A ", " B), a = load(A), b = load(B);

	(void)state;
	assert_int_equal(both.count, 2);
	assert_int_equal(a.count, 1);
	for (size_t p = 0; p < KEY__MAX; p++) {
		assert_memory_equal(both.key[p][0], a.key[p][0], KEY_BYTES);
		assert_memory_equal(both.key[p][1], b.key[p][0], KEY_BYTES);
		assert_memory_not_equal(a.key[p][0], b.key[p][0], KEY_BYTES);
	}
}

static void takes_as_many_secrets_as_it_promises(void **state)
{
	(void)state;
	assert_int_equal(load(A "," A "," A "," A "," A "," A "," A "," B).count, KEYS_MAX);
}

static void says_what_is_wrong_with_the_setting(void **state)
{
	static const struct {
		const char *text, *detail;
	} bad[] = {
		{ NULL, "It is missing." },
		{ "", "It is missing." },
		{ "short", "Each secret needs at least 32 bytes." },
		{ "0123456789abcdef0123456789abcde", "Each secret needs at least 32 bytes." },
		{ "                                ", "Each secret needs at least 32 bytes." },
		{ A ",short", "Each secret needs at least 32 bytes." },
		{ A ",", "Each secret needs at least 32 bytes." },
		{ "," A, "Each secret needs at least 32 bytes." },
		{ A "," A "," A "," A "," A "," A "," A "," A "," A,
		  "It holds more than 8 secrets." },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct why why = { 0 };
		struct keys keys;

		assert_int_equal(keys_load(bad[i].text, &keys, &why), ERR_INVALID);
		assert_string_equal(why.field, "AUTH_SECRET");
		assert_string_equal(why.detail, bad[i].detail);
		assert_true(sodium_is_zero((unsigned char *)&keys, sizeof keys));
	}
}

static void wiped_keys_are_zero(void **state)
{
	struct keys keys = load(A "," B);

	(void)state;
	keys_wipe(&keys);
	assert_true(sodium_is_zero((unsigned char *)&keys, sizeof keys));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_secret_gives_the_same_keys_for_ever),
		cmocka_unit_test(every_secret_has_its_own_keys_in_the_order_of_the_list),
		cmocka_unit_test(takes_as_many_secrets_as_it_promises),
		cmocka_unit_test(says_what_is_wrong_with_the_setting),
		cmocka_unit_test(wiped_keys_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
