#ifndef DB_JSON_H
#define DB_JSON_H

#include "db.h"

struct json_object;

/*
 * Rows as JSON: the column list of a SELECT is the shape of the answer.
 *
 * A column's alias is the member's name; "teacher.name" nests. bigint and
 * integer become numbers, boolean a boolean, timestamptz RFC 3339 text in UTC,
 * json and jsonb what they hold, everything else (text, numeric, date) text.
 * NULL is null; an object whose first nested member is NULL is null itself.
 */

/* The current row. The caller owns the answer; NULL if out of memory. */
struct json_object *db_row_json(const struct db_rows *rows);

/* The next row, ERR_NOT_FOUND if there is none. The caller owns *out. */
MUST_CHECK enum err db_one_json(struct db_rows *rows, struct json_object **out);

/* All rows from the next on, as an array. The caller owns it. */
struct json_object *db_rows_json(struct db_rows *rows);

/*
 * Ends a transaction that made an answer, as db_finish() does. Of one that is
 * not kept the answer, if there is one in *out, is freed and *out NULL.
 */
MUST_CHECK enum err db_finish_json(struct db *db, enum err e, struct json_object **out);

#endif
