#include <json-c/json.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "db_json.h"

/* Type OIDs are fixed for ever. Source: PostgreSQL, pg_type.dat. */
enum {
	OID_BOOL = 16,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_JSON = 114,
	OID_TIMESTAMPTZ = 1184,
	OID_JSONB = 3802
};

#define NAME_MAX_BYTES 64 /* PostgreSQL cuts aliases at 63 */

#define SECONDS_LEN 19 /* of "2026-01-02 03:04:05" */
#define MICROS_LEN  7  /* of ".123456" */

/*
 * "2026-01-02 03:04:05.6+00" to "2026-01-02T03:04:05.600000Z", six decimals or
 * none as everywhere (when.h). The role reads time in UTC.
 */
static struct json_object *moment(const char *v)
{
	char text[SECONDS_LEN + MICROS_LEN + 1];
	size_t len = strcspn(v, "+");

	if (len > sizeof text - 1 || len < SECONDS_LEN)
		return json_object_new_string(v);
	memcpy(text, v, len);
	text[10] = 'T';
	while (len > SECONDS_LEN && len < sizeof text - 1)
		text[len++] = '0';
	text[len] = 'Z';
	return json_object_new_string_len(text, (int)len + 1);
}

static struct json_object *value(const PGresult *res, int row, int col)
{
	const char *v = PQgetvalue(res, row, col);

	if (PQgetisnull(res, row, col))
		return NULL;
	switch (PQftype(res, col)) {
	case OID_BOOL:
		return json_object_new_boolean(*v == 't');
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
		return json_object_new_int64(strtoll(v, NULL, 10));
	case OID_JSON:
	case OID_JSONB:
		return json_tokener_parse(v);
	case OID_TIMESTAMPTZ:
		return moment(v);
	default:
		return json_object_new_string(v);
	}
}

/* The object that holds a nested member, made when its first member comes. */
static struct json_object *holder(struct json_object *row, const char *path, size_t len, bool make)
{
	struct json_object *child = NULL;
	char name[NAME_MAX_BYTES];

	if (len >= sizeof name)
		return NULL;
	memcpy(name, path, len);
	name[len] = '\0';
	if (json_object_object_get_ex(row, name, &child))
		return child;
	child = make ? json_object_new_object() : NULL;
	json_object_object_add(row, name, child);
	return child;
}

struct json_object *db_row_json(const struct db_rows *r)
{
	struct json_object *row = json_object_new_object();

	for (int c = 0; row && c < PQnfields(r->res); c++) {
		const char *path = PQfname(r->res, c);
		const char *dot = strchr(path, '.');
		struct json_object *at = row;

		if (dot)
			at = holder(row, path, (size_t)(dot - path),
				    !PQgetisnull(r->res, r->row, c));
		if (at)
			json_object_object_add(at, dot ? dot + 1 : path, value(r->res, r->row, c));
	}
	return row;
}

enum err db_one_json(struct db_rows *r, struct json_object **out)
{
	if (!db_next(r))
		return ERR_NOT_FOUND;
	*out = db_row_json(r);
	return *out ? OK : ERR_UNAVAILABLE;
}

struct json_object *db_rows_json(struct db_rows *r)
{
	struct json_object *all = json_object_new_array();

	while (all && db_next(r))
		json_object_array_add(all, db_row_json(r));
	return all;
}

enum err db_finish_json(struct db *db, enum err e, struct json_object **out)
{
	e = db_finish(db, e);
	if (e) {
		json_object_put(*out);
		*out = NULL;
	}
	return e;
}
