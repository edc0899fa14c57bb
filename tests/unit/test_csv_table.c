/* A file from a spreadsheet is read row by row, each with the line on which it begins. */
#include "unit.h"

#include "csv_table.h"

static const char *const names[] = { "name", "email", "note", NULL };
static const struct csv_columns columns = { names, 2 };

static struct csv_table read(struct arena *a, const char *text)
{
	struct csv_table table;

	assert_int_equal(csv_table_read(a, text, &columns, 4, &table, NULL), OK);
	return table;
}

/* The rows as LINE:name|email|note, one behind the other; a problem stands behind its row. */
static const char *shown(struct arena *a, const char *text)
{
	struct csv_table table = read(a, text);
	const char *all = "";

	for (size_t i = 0; i < table.count; i++) {
		const struct csv_row *row = &table.rows[i];

		all = arena_printf(a, "%s%s%lld:", all, i ? " " : "", (long long)row->line);
		for (int c = 0; c < 3; c++)
			all = arena_printf(a, "%s%s%s", all, c ? "|" : "",
					   row->cells[c] ? row->cells[c] : "-");
		if (row->problem)
			all = arena_printf(a, "%s <%s>", all, row->problem);
	}
	return all;
}

static const char *refused(struct arena *a, const char *text)
{
	struct csv_table table;
	struct why why = { 0 };

	assert_int_equal(csv_table_read(a, text, &columns, 4, &table, &why), ERR_INVALID);
	assert_string_equal(why.field, "csv");
	return why.detail;
}

static void reads_columns_by_their_names(void **state)
{
	assert_string_equal(shown(*state, "name,email\nA,a@b\n"), "2:A|a@b|-");
	assert_string_equal(shown(*state, "note,EMAIL,Name\nx,a@b,A"), "2:A|a@b|x");
	assert_string_equal(shown(*state, "\"name\",\"email\"\n\"A\",\"a@b\"\n"), "2:A|a@b|-");
}

static void takes_what_spreadsheets_write(void **state)
{
	assert_string_equal(shown(*state, "\xef\xbb\xbfname,email\r\nA,a\r\nB,b\r\n"),
			    "2:A|a|- 3:B|b|-");
	assert_string_equal(shown(*state, "name;email\nA;a,b\n"), "2:A|a,b|-");
	assert_string_equal(shown(*state, "name,email\rA,a\rB,b"), "2:A|a|- 3:B|b|-");
	assert_string_equal(shown(*state, "name,email\n A , a \n"), "2:A|a|-");
}

static void keeps_what_quotes_hold(void **state)
{
	assert_string_equal(shown(*state, "name,email\n\" A,\"\"B\"\" \",\"=1+2\"\";=1+2\"\n"),
			    "2: A,\"B\" |=1+2\";=1+2|-");
	assert_string_equal(shown(*state, "name,email\n\"A\r\n\r\nB\",a\nC,c\n"),
			    "2:A\r\n\r\nB|a|- 5:C|c|-");
}

static void counts_blank_lines_and_leaves_them_out(void **state)
{
	assert_string_equal(shown(*state, "\n\nname,email\n\nA,a\n,\n  \n\r\nB,b\n\n"),
			    "5:A|a|- 9:B|b|-");
}

static void names_the_row_that_does_not_fit(void **state)
{
	assert_string_equal(shown(*state, "name,email\nA\nB,b\nC,c,c\n"),
			    "2:A|-|- <It has 1 cells, and the first line has 2.> 3:B|b|-"
			    " 4:C|c|- <It has 3 cells, and the first line has 2.>");
}

static void refuses_what_is_no_table(void **state)
{
	static const char *const bad[] = {
		"",
		"\n\n",
		"name",
		"name,email",
		"name,email\n\n,\n",
		"name,phone\nA,a\n",
		"name,email,\nA,a,\n",
		"name,email,Name\nA,a,A\n",
		"name,note\nA,a\n",
		"name,email\nA,\"a\n",
		"name,email\nA\"B,a\n",
		"name,email\n\"A\"B,a\n",
		"name,email\nA,a\nB,b\nC,c\nD,d\nE,e\n",
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(refused(*state, bad[i]));
}

static void says_what_is_wrong(void **state)
{
	assert_string_equal(refused(*state, "name,\"phone\x01\"\n"),
			    "There is no column \"phone?\". There are: name, email, note.");
	assert_string_equal(refused(*state, "name\nA\n"),
			    "The first line must name the columns; email is missing.");
	assert_string_equal(refused(*state, "name,email\n\"A\nB\",b\nC,\"c\nD,d\n"),
			    "Line 4: the quote that opens here does not close.");
	assert_string_equal(refused(*state, "name,email\n\nA,a\"\n"),
			    "Line 3: a quote stands where none may.");
	assert_string_equal(refused(*state, "name,email\nA,a\nA,a\nA,a\nA,a\nA,a\n"),
			    "Send at most 4 rows at a time.");
}

static void takes_as_many_rows_as_may_be(void **state)
{
	assert_int_equal(read(*state, "name,email\nA,a\nA,a\nA,a\nA,a\n\n").count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(reads_columns_by_their_names),
		WITH_ARENA(takes_what_spreadsheets_write),
		WITH_ARENA(keeps_what_quotes_hold),
		WITH_ARENA(counts_blank_lines_and_leaves_them_out),
		WITH_ARENA(names_the_row_that_does_not_fit),
		WITH_ARENA(refuses_what_is_no_table),
		WITH_ARENA(says_what_is_wrong),
		WITH_ARENA(takes_as_many_rows_as_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
