#ifndef CSV_TABLE_H
#define CSV_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

/*
 * A CSV file that someone hands us, as a table of known columns. RFC 4180 as
 * spreadsheets write it: a BOM, CR or LF alone, blank lines and ; instead of ,
 * are taken; a quote where none may stand is not. The header names columns in
 * any order and any case.
 */
#define CSV_TABLE_COLUMNS_MAX 16

/* The columns there may be. */
struct csv_columns {
	const char *const *names; /* a NULL ends them */
	size_t required;	  /* so many of the first must be there */
};

struct csv_row {
	int64_t line;	     /* of the file, from 1; that on which the row begins */
	const char **cells;  /* in the order of names; NULL: empty, or there is no such column */
	const char *problem; /* NULL, or why it is not a row of this table */
};

struct csv_table {
	size_t count;
	struct csv_row *rows;
};

/*
 * Reads text, which is UTF-8, into *out; everything lives in the arena. Rows
 * whose cells are all empty are left out.
 *
 * ERR_INVALID  naming csv: no header, a column that is unknown, missing or
 *              there twice, a broken quote, no rows, or more than rows_max
 */
MUST_CHECK enum err csv_table_read(struct arena *a, const char *text,
				   const struct csv_columns *columns, size_t rows_max,
				   struct csv_table *out, struct why *why);

#endif
