/* A query is read as browsers write it, once, and refused where it is not text. */
#include "unit.h"

#include "query.h"

static struct query parse(struct arena *a, const char *text)
{
	struct query query;

	assert_int_equal(query_parse(a, text, &query, NULL), OK);
	return query;
}

/* The query as name<value>, pair by pair. */
static const char *shown(struct arena *a, const char *text)
{
	struct query query = parse(a, text);
	const char *all = "";

	for (size_t i = 0; i < query.count; i++)
		all = arena_printf(a, "%s%s<%s>", all, query.pair[i].name, query.pair[i].value);
	return all;
}

static void reads_pairs_in_their_order(void **state)
{
	static const struct {
		const char *text, *shown;
	} good[] = {
		{ NULL, "" },
		{ "", "" },
		{ "a=1", "a<1>" },
		{ "a=1&b=2&a=3", "a<1>b<2>a<3>" },
		{ "a", "a<>" },
		{ "a=", "a<>" },
		{ "=1", "<1>" },
		{ "a=1=2", "a<1=2>" },
		{ "&&a=1&&b=2&", "a<1>b<2>" },
		{ "a=1;b=2", "a<1;b=2>" },
		{ "a=/?:@!$'()*,-._~", "a</?:@!$'()*,-._~>" },
	};

	for (size_t i = 0; i < COUNT(good); i++)
		assert_string_equal(shown(*state, good[i].text), good[i].shown);
}

static void decodes_escapes_once_and_plus_as_space(void **state)
{
	assert_string_equal(shown(*state, "q=a+b%20c%2Bd"), "q<a b c+d>");
	assert_string_equal(shown(*state, "q=%2541"), "q<%41>");
	assert_string_equal(shown(*state, "a%3db=%26"), "a=b<&>");
	assert_string_equal(shown(*state, "q=%e1%88%b0%E1%88%8B"), "q<\u1230\u120b>");
	assert_string_equal(shown(*state, "q=\xd8\xb3"), "q<\u0633>");
	assert_string_equal(shown(*state, "q=%01%7f%0d%0a"), "q<\x01\x7f\r\n>");
}

static void names_the_parameter_it_cannot_read(void **state)
{
	static const struct {
		const char *text, *field;
	} bad[] = {
		{ "a=1&b=%00", "b" },	{ "b=%", "b" },		{ "b=%4", "b" },
		{ "b=%4&c=1", "b" },	{ "b=%zz", "b" },	{ "b=%4g", "b" },
		{ "b=%+1", "b" },	{ "b=%u0041", "b" },	{ "b=%ff", "b" },
		{ "b=%c0%80", "b" },	{ "b=%ed%a0%80", "b" }, { "b=\xfe", "b" },
		{ "b=%c3&c=%a9", "b" }, { "%00=1", NULL },	{ "%ff=1", NULL },
		{ "a%=1", NULL },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct why why = { 0 };
		struct query query;

		assert_int_equal(query_parse(*state, bad[i].text, &query, &why), ERR_INVALID);
		assert_non_null(why.detail);
		if (bad[i].field)
			assert_string_equal(why.field, bad[i].field);
		else
			assert_null(why.field);
	}
}

static void takes_as_many_pairs_as_it_promises(void **state)
{
	struct query query;
	char text[4 * QUERY_PAIRS_MAX + 4] = "";

	for (size_t i = 0; i < QUERY_PAIRS_MAX; i++)
		memcpy(text + 4 * i, "a=1&", 5);
	assert_int_equal(parse(*state, text).count, QUERY_PAIRS_MAX);
	memcpy(text + strlen(text), "b", 2);
	assert_int_equal(query_parse(*state, text, &query, NULL), ERR_INVALID);
}

static void takes_texts_as_long_as_it_promises(void **state)
{
	char *text = arena_alloc(*state, QUERY_TEXT_MAX + 2);
	struct query query;

	memset(text, 'x', QUERY_TEXT_MAX + 1);
	text[QUERY_TEXT_MAX] = '\0';
	assert_int_equal(strlen(parse(*state, text).pair[0].name), QUERY_TEXT_MAX);
	text[QUERY_TEXT_MAX] = 'x';
	text[QUERY_TEXT_MAX + 1] = '\0';
	assert_int_equal(query_parse(*state, text, &query, NULL), ERR_INVALID);
}

static void finds_values_and_repeats_by_name(void **state)
{
	struct query query = parse(*state, "a=1&b=2&%61=3&b=4");
	struct query once = parse(*state, "a=1&A=2");

	assert_string_equal(query_get(&query, "a"), "1");
	assert_string_equal(query_get(&query, "b"), "2");
	assert_null(query_get(&query, "c"));
	assert_string_equal(query_repeated(&query), "a");
	assert_null(query_repeated(&once));
}

static void the_first_of_a_name_is_found_in_any_company(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{ "token=T", "T" },
		{ "token=T&token=U", "T" },
		{ "fbclid=x%zz%00&token=T&%ff=\xff", "T" },
		{ "&&=&token=T&", "T" },
		{ "token=%54%2d", "T-" },
		{ "token", "" },
		{ "token=&token=T", "" },
		{ "token=%00&token=T", NULL },
		{ "token=%", NULL },
		{ "token=%4&1=2", NULL },
		{ "tokens=T", NULL },
		{ "xtoken=T", NULL },
		{ "Token=T", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value = query_first(*state, rows[i].text, "token");

		if (rows[i].value)
			assert_string_equal(value, rows[i].value);
		else
			assert_null(value);
	}
}

static void the_first_of_a_name_is_found_behind_a_thousand_others(void **state)
{
	char *text = arena_alloc(*state, 4 * 1000 + 1);

	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 4 * i, "a=1&", 5);
	text = arena_printf(*state, "%stoken=T", text);
	assert_string_equal(query_first(*state, text, "token"), "T");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(reads_pairs_in_their_order),
		WITH_ARENA(decodes_escapes_once_and_plus_as_space),
		WITH_ARENA(names_the_parameter_it_cannot_read),
		WITH_ARENA(takes_as_many_pairs_as_it_promises),
		WITH_ARENA(takes_texts_as_long_as_it_promises),
		WITH_ARENA(finds_values_and_repeats_by_name),
		WITH_ARENA(the_first_of_a_name_is_found_in_any_company),
		WITH_ARENA(the_first_of_a_name_is_found_behind_a_thousand_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
