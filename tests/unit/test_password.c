/* Which passwords may be chosen, and that a hash tells them apart at the same cost for everybody.
 */
#include <sodium.h>
#include <time.h>

#include "unit.h"

#include "password.h"

static enum err check(const char *password, struct why *why)
{
	*why = (struct why){ 0 };
	return password_check(password, "hana@example.org", "new_password", why);
}

static void takes_what_is_neither_short_nor_common(void **state)
{
	static const char *const good[] = {
		"a quiet river", "8bytes!!", "ሰላም ለዓለም",	  "correct horse battery staple",
		"        x",	 "abcdefgX", "passwordpassword1",
	};
	struct why why;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(check(good[i], &why), OK);
}

static void refuses_by_name_what_guessers_try_first(void **state)
{
	static const char *const bad[] = {
		"password",
		"PassWord1",
		"12345678",
		"87654321",
		"1234567890",
		"0987654321",
		"aaaaaaaa",
		"abababab",
		"abcabcab",
		"abcdabcdabcd",
		"        ",
		"hana@example.org",
		"HANA@example.org",
		"qwertyuiop",
		/* from either end and the middle of the list, and ours */
		"1qazxsw2",
		"Password2",
		"football123",
		"123456789",
		"CHANGEME123",
		"iloveallah",
	};
	struct why why;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(check(bad[i], &why), ERR_INVALID);
		assert_string_equal(why.field, "new_password");
		assert_non_null(why.detail);
	}
}

static void holds_both_limits_of_length(void **state)
{
	char text[PASSWORD_BYTES_MAX + 2];
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)('a' + (i * 7 + i / 26) % 26);
	text[PASSWORD_BYTES_MAX + 1] = '\0';
	assert_int_equal(check(text, &why), ERR_INVALID);
	text[PASSWORD_BYTES_MAX] = '\0';
	assert_int_equal(check(text, &why), OK);
	text[PASSWORD_CHARACTERS_MIN] = '\0';
	assert_int_equal(check(text, &why), OK);
	text[PASSWORD_CHARACTERS_MIN - 1] = '\0';
	assert_int_equal(check(text, &why), ERR_INVALID);
	assert_int_equal(check("ሰላምለዓለ", &why), ERR_INVALID); /* six of three bytes each */
	assert_int_equal(check("ሰላምለዓለምታ", &why), OK);
	assert_int_equal(check("", &why), ERR_INVALID);
}

static void an_account_without_an_address_is_fine(void **state)
{
	(void)state;
	assert_int_equal(password_check("a quiet river", NULL, "password", NULL), OK);
}

static void only_the_password_matches_its_hash(void **state)
{
	const char *hash, *again;
	bool matches;

	assert_int_equal(password_hash(*state, "a quiet river", &hash), OK);
	assert_int_equal(password_hash(*state, "a quiet river", &again), OK);
	assert_string_not_equal(hash, again);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_int_equal(password_verify(hash, "a quiet river", &matches), OK);
	assert_true(matches);
	assert_int_equal(password_verify(hash, "a quiet rivers", &matches), OK);
	assert_false(matches);
	assert_int_equal(password_verify(hash, "", &matches), OK);
	assert_false(matches);
}

static void a_hash_of_other_costs_is_outdated(void **state)
{
	char old[crypto_pwhash_STRBYTES];
	const char *hash;
	bool matches;

	assert_int_equal(password_hash(*state, "a quiet river", &hash), OK);
	assert_false(password_is_outdated(hash));
	assert_int_equal(crypto_pwhash_str(old, "a quiet river", 13, 1, (size_t)8192 * 1024), 0);
	assert_true(password_is_outdated(old));
	assert_int_equal(password_verify(old, "a quiet river", &matches), OK);
	assert_true(matches);
}

static void a_broken_hash_is_no_wrong_password(void **state)
{
	bool matches = true;

	(void)state;
	assert_int_equal(password_verify("$argon2id$nonsense", "a quiet river", &matches),
			 ERR_UNAVAILABLE);
	assert_false(matches);
}

#define ROUNDS_MAX 30 /* whatever else the machine does, in some of them it does little */

static void time_guess(const char *hash, double *least_s)
{
	struct timespec from, to;
	bool matches;
	double took;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	assert_int_equal(password_verify(hash, "some guess", &matches), OK);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_false(matches);
	took = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	if (took < *least_s)
		*least_s = took;
}

static void nobodys_hash_takes_as_long_as_somebodys(void **state)
{
	const char *hash;
	double known = 1e9, unknown = 1e9;
	bool alike = false;

	assert_int_equal(password_hash(*state, "a quiet river", &hash), OK);
	for (int i = 0; i < ROUNDS_MAX && !alike; i++) {
		time_guess(hash, &known);
		time_guess(NULL, &unknown);
		alike = i >= 2 && unknown > known * 0.6 && unknown < known * 1.7;
	}
	assert_true(alike);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_neither_short_nor_common),
		cmocka_unit_test(refuses_by_name_what_guessers_try_first),
		cmocka_unit_test(holds_both_limits_of_length),
		cmocka_unit_test(an_account_without_an_address_is_fine),
		WITH_ARENA(only_the_password_matches_its_hash),
		WITH_ARENA(a_hash_of_other_costs_is_outdated),
		cmocka_unit_test(a_broken_hash_is_no_wrong_password),
		WITH_ARENA(nobodys_hash_takes_as_long_as_somebodys),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
