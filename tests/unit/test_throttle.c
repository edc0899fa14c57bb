/* How long a guesser waits, and who counts as one guesser. */
#include "unit.h"

#include "throttle.h"

static void an_account_waits_from_the_fifth_failure_on(void **state)
{
	static const int64_t waits[] = { 0,  0,	 0,  0,	  0,   1,   2,	 4,   8,
					 16, 32, 64, 128, 256, 512, 900, 900, 900 };

	(void)state;
	for (size_t n = 0; n < COUNT(waits); n++)
		assert_int_equal(throttle_wait_s(&throttle_account, (int64_t)n), waits[n]);
	assert_int_equal(throttle_wait_s(&throttle_account, 1000000), 900);
}

static void an_address_is_a_school_and_waits_later_and_shorter(void **state)
{
	(void)state;
	assert_int_equal(throttle_wait_s(&throttle_address, 99), 0);
	assert_int_equal(throttle_wait_s(&throttle_address, 100), 1);
	assert_int_equal(throttle_wait_s(&throttle_address, 103), 8);
	assert_int_equal(throttle_wait_s(&throttle_address, 1000000), 60);
}

static void quiet_time_makes_up_for_failures(void **state)
{
	const struct throttle_rule *rule = &throttle_account;

	(void)state;
	assert_int_equal(throttle_count(rule, 0, 0), 1);
	assert_int_equal(throttle_count(rule, 7, 0), 8);
	assert_int_equal(throttle_count(rule, 7, rule->forget_s - 1), 8);
	assert_int_equal(throttle_count(rule, 7, rule->forget_s), 7);
	assert_int_equal(throttle_count(rule, 7, rule->forget_s * 7), 1);
	assert_int_equal(throttle_count(rule, 7, rule->forget_s * 700), 1);
}

static void a_clock_that_went_back_forgets_nothing(void **state)
{
	(void)state;
	assert_int_equal(throttle_count(&throttle_account, 7, -100000), 8);
}

/* Waiting out each lock, nobody gets more guesses in a day than one every forget_s. */
static void patience_gets_few_guesses(void **state)
{
	int64_t failures = 0, now = 0, guesses = 0, wait = 0;

	(void)state;
	while (now < 86400) {
		failures = throttle_count(&throttle_account, failures, wait);
		wait = throttle_wait_s(&throttle_account, failures);
		now += wait;
		guesses++;
	}
	assert_in_range(guesses, 80, 120);
}

static void a_guesser_is_a_network(void **state)
{
	static const struct {
		const char *address, *prefix;
	} known[] = {
		{ "192.0.2.77", "192.0.2.0/24" },
		{ "192.0.2.0", "192.0.2.0/24" },
		{ "255.255.255.255", "255.255.255.0/24" },
		{ "::ffff:192.0.2.77", "192.0.2.0/24" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48" },
		{ "2001:db8::1", "2001:db8::/48" },
		{ "::1", "::/48" },
		{ "fe80::1", "fe80::/48" },
	};
	static const char *const unknown[] = {
		"",	      "unix:",	 "192.0.2",	     "300.0.2.1",
		"192.0.2.1 ", "::ffff:", "2001:db8::1%eth0", "host.example"
	};

	for (size_t i = 0; i < COUNT(known); i++)
		assert_string_equal(throttle_prefix(*state, known[i].address), known[i].prefix);
	for (size_t i = 0; i < COUNT(unknown); i++)
		assert_string_equal(throttle_prefix(*state, unknown[i]), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_waits_from_the_fifth_failure_on),
		cmocka_unit_test(an_address_is_a_school_and_waits_later_and_shorter),
		cmocka_unit_test(quiet_time_makes_up_for_failures),
		cmocka_unit_test(a_clock_that_went_back_forgets_nothing),
		cmocka_unit_test(patience_gets_few_guesses),
		WITH_ARENA(a_guesser_is_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
