/* Rows that every spreadsheet reads back as the text they were, and never as a formula. */
#include "unit.h"

#include "csv.h"

static void assert_field(const char *text, const char *want)
{
	struct buf b;

	buf_init(&b, 1000);
	csv_field(&b, text);
	assert_int_equal(b.err, OK);
	assert_string_equal(b.data, want);
	buf_free(&b);
}

static void every_field_is_quoted_and_its_quotes_doubled(void **state)
{
	(void)state;
	assert_field("plain", "\"plain\"");
	assert_field("", "\"\"");
	assert_field(NULL, "\"\"");
	assert_field("a,b;c", "\"a,b;c\"");
	assert_field("a\r\nb\nc", "\"a\r\nb\nc\"");
	assert_field("say \"hi\"", "\"say \"\"hi\"\"\"");
	assert_field("\"", "\"\"\"\"");
	assert_field("\"\"", "\"\"\"\"\"\"");
	assert_field("\u0633\u0627\u0631\u0629 \u1230\u120b\u121d \U0001F692",
		     "\"\u0633\u0627\u0631\u0629 \u1230\u120b\u121d \U0001F692\"");
}

static void a_formula_becomes_text(void **state)
{
	(void)state;
	assert_field("=1+2\";=1+2", "\"'=1+2\"\";=1+2\"");
	assert_field("=1+2'\" ;,=1+2", "\"'=1+2'\"\" ;,=1+2\"");
	assert_field("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"");
	assert_field("+1", "\"'+1\"");
	assert_field("-1", "\"'-1\"");
	assert_field("@SUM(1)", "\"'@SUM(1)\"");
	assert_field("\t=1", "\"'\t=1\"");
	assert_field("\r=1", "\"'\r=1\"");
	assert_field("\n=1", "\"'\n=1\"");
	assert_field("\uff1d1", "\"'\uff1d1\"");
	assert_field("\uff0b1", "\"'\uff0b1\"");
	assert_field("\uff0d1", "\"'\uff0d1\"");
	assert_field("\uff20A", "\"'\uff20A\"");
}

static void other_text_is_left_alone(void **state)
{
	(void)state;
	assert_field("a=1", "\"a=1\"");
	assert_field("0 Fee", "\"0 Fee\"");
	assert_field("'quoted'", "\"'quoted'\"");
	assert_field("10.00", "\"10.00\"");
	assert_field("\uff1c", "\"\uff1c\"");
	assert_field("\uff21", "\"\uff21\"");
}

static void rows_are_fields_between_commas_and_end_in_crlf(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_str(&b, CSV_BOM);
	csv_field(&b, "name");
	csv_field(&b, "");
	csv_field(&b, "\"");
	csv_row_end(&b);
	csv_field(&b, "next");
	csv_row_end(&b);
	assert_string_equal(b.data, "\xef\xbb\xbf\"name\",\"\",\"\"\"\"\r\n\"next\"\r\n");
	buf_clear(&b);
	csv_field(&b, "after emptying");
	assert_string_equal(b.data, "\"after emptying\"");
	buf_free(&b);
}

static void a_field_beyond_the_cap_is_an_error(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	csv_field(&b, "abc");
	assert_int_equal(b.err, OK);
	csv_field(&b, "d");
	csv_row_end(&b);
	assert_int_equal(b.err, ERR_TOO_LARGE);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_quoted_and_its_quotes_doubled),
		cmocka_unit_test(a_formula_becomes_text),
		cmocka_unit_test(other_text_is_left_alone),
		cmocka_unit_test(rows_are_fields_between_commas_and_end_in_crlf),
		cmocka_unit_test(a_field_beyond_the_cap_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
