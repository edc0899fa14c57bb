#include <json-c/json.h>

#include "app.h"
#include "cursor_rows.h"
#include "db_json.h"

#define CURSOR_BYTES_MAX 64

bool cursor_param(struct params *p, struct cursor *out)
{
	const char *text = params_str_or(p, "cursor", 1, CURSOR_BYTES_MAX, NULL);

	if (text && cursor_open(p->req->keys, text, out))
		params_refuse(p, "cursor", "It is not a position that this list gave out.");
	return text != NULL;
}

struct json_object *cursor_rows_json(struct arena *a, const struct keys *keys, struct db_rows *rows,
				     int64_t limit, const char **next)
{
	struct json_object *all = json_object_new_array();
	struct cursor last = { 0 };

	*next = NULL;
	for (int64_t i = 0; db_next(rows); i++) {
		struct json_object *row;

		if (i == limit) {
			*next = cursor_make(a, keys, &last);
			break;
		}
		row = db_row_json(rows);
		last.id = json_object_get_int64(json_object_object_get(row, "id"));
		last.us = json_object_get_int64(json_object_object_get(row, "_at"));
		json_object_object_del(row, "_at");
		json_object_array_add(all, row);
	}
	return all;
}
