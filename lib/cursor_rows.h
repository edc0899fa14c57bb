#ifndef CURSOR_ROWS_H
#define CURSOR_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "cursor.h"
#include "db.h"
#include "params.h"

struct json_object;

/* What every list takes from its URL and gives back when it is read page by page. */

/* Reads the parameter "cursor"; false: the first page is wanted, or it was refused. */
bool cursor_param(struct params *p, struct cursor *out);

/*
 * At most limit rows as JSON. A query hands on one more, which tells that there
 * is a next page: *next is then its cursor, else NULL. The columns "id" and
 * "_at" (microseconds as text, not shown) are the position. The caller owns
 * the answer.
 */
struct json_object *cursor_rows_json(struct arena *a, const struct keys *keys, struct db_rows *rows,
				     int64_t limit, const char **next);

#endif
