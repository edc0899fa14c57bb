/* Whatever reads as a table can be written by csv.h and reads as the same table; whatever does not
 * says why. */
#include "fuzz.h"

#include "csv.h"
#include "csv_table.h"

#define ROWS_MAX 20

static const char *const names[] = { "name", "email", "note", NULL };
static const struct csv_columns columns = { names, 1 };

#define COLUMNS 3

static const char *cell(const struct csv_row *row, int i)
{
	return row->cells[i] ? row->cells[i] : "";
}

/* All columns, and the rows that fit the header. */
static size_t write(struct buf *b, const struct csv_table *table)
{
	size_t n = 0;

	for (int i = 0; i < COLUMNS; i++)
		csv_field(b, names[i]);
	csv_row_end(b);
	for (size_t r = 0; r < table->count; r++) {
		if (table->rows[r].problem)
			continue;
		for (int i = 0; i < COLUMNS; i++)
			csv_field(b, cell(&table->rows[r], i));
		csv_row_end(b);
		n++;
	}
	return n;
}

/* As it was, but for the ' in front of a formula. */
static void same(const struct csv_row *was, const struct csv_row *is)
{
	for (int i = 0; i < COLUMNS; i++) {
		const char *text = cell(is, i);

		claim(!strcmp(text, cell(was, i)) ||
		      (*text == '\'' && !strcmp(text + 1, cell(was, i))));
	}
}

static void round_trip(struct arena *a, const struct csv_table *table)
{
	struct csv_table again;
	struct buf b;
	size_t n;

	buf_init(&b, 1 << 20);
	n = write(&b, table);
	claim(!b.err);
	if (n) {
		claim(csv_table_read(a, b.data, &columns, ROWS_MAX, &again, NULL) == OK);
		claim(again.count == n);
		for (size_t r = 0, at = 0; r < table->count; r++)
			if (!table->rows[r].problem)
				same(&table->rows[r], &again.rows[at++]);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);
	struct why why = { 0 };
	struct csv_table table;

	if (csv_table_read(a, text, &columns, ROWS_MAX, &table, &why)) {
		claim(why.detail && why.field);
	} else {
		claim(table.count >= 1 && table.count <= ROWS_MAX);
		for (size_t r = 0; r < table.count; r++)
			claim(table.rows[r].line > (r ? table.rows[r - 1].line : 1));
		round_trip(a, &table);
	}
	arena_free(a);
	return 0;
}
