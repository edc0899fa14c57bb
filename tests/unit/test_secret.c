/* A presented secret is one of the list, whole and exact; nothing matches nothing. */
#include "unit.h"

#include "secret.h"

static void takes_any_secret_of_the_list(void **state)
{
	(void)state;
	assert_true(secret_matches("one", "one"));
	assert_true(secret_matches("new,old", "new"));
	assert_true(secret_matches("new,old", "old"));
	assert_true(secret_matches(" new ,\told ", "new"));
	assert_true(secret_matches(" new ,\told ", "old"));
	assert_true(secret_matches("two words,x", "two words"));
}

static void refuses_all_else(void **state)
{
	static const char *const bad[] = { "n",	   "ne",   "newx", "NEW", " new", "new,old",
					   "new,", ",old", "",	   ",",	  "old ", "newold" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(secret_matches("new,old", bad[i]));
	assert_false(secret_matches("new,old", NULL));
}

static void nothing_matches_an_empty_list(void **state)
{
	static const char *const empty[] = { NULL, "", ",", " , ", "\t" };
	static const char *const presented[] = { NULL, "", " ", ",", "x" };

	(void)state;
	for (size_t i = 0; i < COUNT(empty); i++)
		for (size_t k = 0; k < COUNT(presented); k++)
			assert_false(secret_matches(empty[i], presented[k]));
}

static void an_empty_item_between_others_matches_nothing(void **state)
{
	(void)state;
	assert_false(secret_matches("a,,b", ""));
	assert_true(secret_matches("a,,b", "b"));
}

static void hands_out_the_items_in_their_order(void **state)
{
	const char *rest = " a, bc ,,d";
	struct secret item;

	(void)state;
	assert_true(secret_next(&rest, &item));
	assert_int_equal(item.len, 1);
	assert_true(secret_next(&rest, &item));
	assert_int_equal(item.len, 2);
	assert_memory_equal(item.text, "bc", 2);
	assert_true(secret_next(&rest, &item));
	assert_int_equal(item.len, 0);
	assert_true(secret_next(&rest, &item));
	assert_memory_equal(item.text, "d", 1);
	assert_false(secret_next(&rest, &item));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_any_secret_of_the_list),
		cmocka_unit_test(refuses_all_else),
		cmocka_unit_test(nothing_matches_an_empty_list),
		cmocka_unit_test(an_empty_item_between_others_matches_nothing),
		cmocka_unit_test(hands_out_the_items_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
