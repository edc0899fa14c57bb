#include <csv.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "csv_table.h"
#include "utf8.h"

#define UTF8_BOM	 "\xef\xbb\xbf"
#define UNKNOWN		 (-1)
#define NAME_SHOWN_BYTES 100 /* of a wrong column */
/* The parser's own 128 would copy a long cell thousands of times. */
#define CELL_GROWS_BYTES ((size_t)64 * 1024)

/* What the parser's callbacks know. */
struct reader {
	struct arena *a;
	const struct csv_columns *columns;
	size_t known, rows_max;
	int64_t line;	  /* the one being read */
	int64_t row_line; /* on which the row began */
	bool row_ended;
	int column[CSV_TABLE_COLUMNS_MAX]; /* what the header's cells are of columns->names */
	size_t width;			   /* cells of the header; 0: not read yet */
	struct csv_row row;		   /* being read */
	size_t n;			   /* its cells so far */
	bool is_blank;
	struct csv_table *out;
	enum err err;
	struct why *why;
};

static void refuse(struct reader *r, const char *detail)
{
	if (!r->err)
		r->err = why_not(r->why, ERR_INVALID, "csv", detail);
}

/* The column of this name, UNKNOWN if there is none. */
static int find(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->known; i++)
		if (!strcasecmp(name, r->columns->names[i]))
			return (int)i;
	return UNKNOWN;
}

static const char *known_names(const struct reader *r)
{
	const char *all = r->columns->names[0];

	for (size_t i = 1; i < r->known; i++)
		all = arena_printf(r->a, "%s, %s", all, r->columns->names[i]);
	return all;
}

static void add_heading(struct reader *r, const char *name)
{
	int column = find(r, name);

	if (column == UNKNOWN)
		refuse(r, arena_printf(r->a, "There is no column \"%s\". There are: %s.",
				       utf8_clean(r->a, name, NAME_SHOWN_BYTES), known_names(r)));
	for (size_t i = 0; i < r->n && !r->err; i++)
		if (r->column[i] == column)
			refuse(r, arena_printf(r->a, "The column %s stands there twice.", name));
	if (!r->err)
		r->column[r->n] = column;
}

static void add_cell(struct reader *r, const char *text)
{
	r->is_blank = r->is_blank && !*text;
	if (r->n < r->width && *text)
		r->row.cells[r->column[r->n]] = text;
}

static void on_cell(void *data, size_t len, void *arg)
{
	struct reader *r = arg;
	const char *text = arena_copy(r->a, data, len);

	if (r->err)
		return;
	if (!r->width)
		add_heading(r, text);
	else
		add_cell(r, text);
	r->n++;
}

static void begin_row(struct reader *r)
{
	r->n = 0;
	r->is_blank = true;
	r->row = (struct csv_row){ .line = r->row_line };
	r->row.cells = arena_alloc(r->a, r->known * sizeof *r->row.cells);
	for (size_t i = 0; i < r->known; i++)
		r->row.cells[i] = NULL;
}

static void end_header(struct reader *r)
{
	for (size_t i = 0; i < r->columns->required; i++) {
		bool is_there = false;

		for (size_t j = 0; j < r->n; j++)
			is_there = is_there || r->column[j] == (int)i;
		if (!is_there)
			refuse(r, arena_printf(r->a,
					       "The first line must name the columns;"
					       " %s is missing.",
					       r->columns->names[i]));
	}
	r->width = r->n;
}

static void end_row(struct reader *r)
{
	if (r->is_blank)
		return;
	if (r->out->count == r->rows_max) {
		refuse(r, arena_printf(r->a, "Send at most %zu rows at a time.", r->rows_max));
		return;
	}
	if (r->n != r->width)
		r->row.problem = arena_printf(r->a, "It has %zu cells, and the first line has %zu.",
					      r->n, r->width);
	r->out->rows[r->out->count++] = r->row;
}

/* Called at each line end outside of quotes, so at those of blank lines too. */
static void on_row_end(int end, void *arg)
{
	struct reader *r = arg;

	(void)end;
	r->row_ended = true;
	if (r->err || !r->n)
		return;
	if (r->width)
		end_row(r);
	else
		end_header(r);
	begin_row(r);
}

/* The bytes of the first line of text, its end included: CRLF, LF or CR. */
static size_t line_length(const char *text)
{
	size_t len = strcspn(text, "\r\n");

	if (text[len] == '\r' && text[len + 1] == '\n')
		return len + 2;
	return text[len] ? len + 1 : len;
}

/* Line by line, for the parser does not count them. */
static void parse(struct csv_parser *p, struct reader *r, const char *text)
{
	size_t len;

	r->row_ended = true;
	for (; *text && !r->err; text += len) {
		len = line_length(text);
		r->line++;
		if (r->row_ended)
			r->row_line = r->row.line = r->line;
		r->row_ended = false;
		if (csv_parse(p, text, len, on_cell, on_row_end, r) != len)
			refuse(r, arena_printf(r->a, "Line %lld: a quote stands where none may.",
					       (long long)r->line));
	}
	if (!r->err && csv_fini(p, on_cell, on_row_end, r))
		refuse(r, arena_printf(r->a, "Line %lld: the quote that opens here does not close.",
				       (long long)r->row_line));
}

/* Spreadsheets of countries with a decimal comma write a semicolon. */
static unsigned char delimiter(const char *text)
{
	size_t first = strcspn(text, ",;\r\n");

	return text[first] == ';' ? ';' : CSV_COMMA;
}

enum err csv_table_read(struct arena *a, const char *text, const struct csv_columns *columns,
			size_t rows_max, struct csv_table *out, struct why *why)
{
	struct reader r = {
		.a = a, .columns = columns, .rows_max = rows_max, .out = out, .why = why
	};
	struct csv_parser p;

	while (columns->names[r.known])
		r.known++;
	*out = (struct csv_table){ .rows = arena_alloc(a, rows_max * sizeof *out->rows) };
	begin_row(&r);
	if (!strncmp(text, UTF8_BOM, strlen(UTF8_BOM)))
		text += strlen(UTF8_BOM);
	if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL))
		return ERR_UNAVAILABLE;
	csv_set_blk_size(&p, CELL_GROWS_BYTES);
	csv_set_delim(&p, delimiter(text));
	parse(&p, &r, text);
	csv_free(&p);
	if (!r.err && !r.width)
		refuse(&r, arena_printf(a, "The first line must name the columns: %s.",
					known_names(&r)));
	if (!r.err && !out->count)
		refuse(&r, "There are no rows below the first line.");
	return r.err;
}
