#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "csv_table.h"
#include "import.h"
#include "student.h"
#include "zoom_url.h"

/* Columns, in the order of their names. */
enum { NAME, EMAIL };
enum { TEACHER_EMAIL = 1, PACKAGE, LANGUAGE, TELEGRAM_CHAT_ID, ZOOM_URL, NOTE };

static const char *const teacher_names[] = { "name", "email", NULL };
static const char *const student_names[] = {
	"name", "teacher_email", "package", "language", "telegram_chat_id", "zoom_url", "note", NULL
};

/* What is wrong with a cell that SQL cannot tell; NULL: nothing. */
typedef const char *check_fn(struct arena *a, const char *const *cells);

/*
 * check: line and problem of the rows that have one, in order. create: makes
 * them. $1 is the rows as JSON: the line, and each cell under its column.
 */
struct import {
	struct csv_columns columns;
	check_fn *check_cells;
	const char *check, *create;
};

#define NAME_PROBLEM                                                                               \
	" WHEN r.name IS NULL OR btrim(r.name, E' \\t\\r\\n') = '' THEN 'The name is missing.'"    \
	" WHEN length(r.name) > 200 THEN 'The name is longer than 200 characters.'"

static const char CHECK_TEACHERS[] =
	"SELECT line, problem FROM (SELECT r.line, CASE" NAME_PROBLEM
	" WHEN EXISTS (SELECT FROM accounts a WHERE lower(a.email) = lower(r.email))"
	"  THEN 'An account with this e-mail address exists already.'"
	" WHEN r.line > r.first THEN format('This e-mail address stands on line %s already.', "
	"first)"
	" END AS problem FROM (SELECT *, min(line) OVER (PARTITION BY lower(email)) AS first"
	"  FROM json_to_recordset($1::json) AS f(line bigint, name text, email text)) r) p"
	" WHERE problem IS NOT NULL ORDER BY line";

static const char CREATE_TEACHERS[] =
	"INSERT INTO accounts (role, name, email) SELECT 'teacher', name, email"
	" FROM json_to_recordset($1::json) AS r(line bigint, name text, email text) ORDER BY line";

#define STUDENT_ROWS                                                                               \
	" FROM json_to_recordset($1::json) AS r(line bigint, name text, teacher_email text,"       \
	"  package text, language text, telegram_chat_id bigint, zoom_url text, note text)"        \
	" LEFT JOIN accounts t ON lower(t.email) = lower(r.teacher_email) AND t.role = 'teacher'"

static const char CHECK_STUDENTS[] =
	"SELECT line, problem FROM (SELECT r.line, CASE" NAME_PROBLEM " WHEN r.teacher_id IS NULL"
	"  THEN format('No teacher has the e-mail address %s.', left(r.teacher_email, 100))"
	" WHEN r.disabled_at IS NOT NULL THEN 'This teacher is disabled.'"
	" WHEN r.package IS NOT NULL AND p.id IS NULL"
	"  THEN format('There is no package %s.', left(r.package, 100))"
	" WHEN p.retired_at IS NOT NULL THEN 'This package is retired.'"
	" WHEN r.language !~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'"
	"  THEN 'The language must be a language tag, such as en or am.'"
	" WHEN length(r.note) > 2000 THEN 'The note is longer than 2000 characters.'"
	" WHEN EXISTS (SELECT FROM students s WHERE s.teacher_id = r.teacher_id"
	"  AND lower(s.name) = lower(r.name)) THEN 'This teacher''s student exists already.'"
	" WHEN r.line > r.first THEN format('This student stands on line %s already.', first)"
	" END AS problem FROM (SELECT r.*, t.id AS teacher_id, t.disabled_at,"
	"  min(r.line) OVER (PARTITION BY t.id, lower(r.name)) AS first" STUDENT_ROWS ") r"
	" LEFT JOIN packages p ON p.id = r.package) p"
	" WHERE problem IS NOT NULL ORDER BY line";

static const char CREATE_STUDENTS[] =
	"INSERT INTO students (name, teacher_id, package_id, language, telegram_chat_id, zoom_url,"
	" note) SELECT r.name, t.id, r.package, coalesce(r.language, 'en'), r.telegram_chat_id,"
	" r.zoom_url, coalesce(r.note, '')" STUDENT_ROWS " ORDER BY r.line";

/* Two imports at once would not see each other's students. */
static const char SQL_LOCK[] = "SELECT pg_advisory_xact_lock(hashtext('classclock import'))";

static const char *check_teacher(struct arena *a, const char *const *cells)
{
	struct why why = { 0 };

	(void)a;
	if (!cells[EMAIL])
		return "The e-mail address is missing.";
	return account_check_email(cells[EMAIL], &why) ? why.detail : NULL;
}

static bool is_chat_id(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return !errno && !*end && strspn(text, "-0123456789") == strlen(text) && n &&
	       n >= -STUDENT_CHAT_ID_MAX && n <= STUDENT_CHAT_ID_MAX;
}

static const char *check_student(struct arena *a, const char *const *cells)
{
	struct why why = { 0 };

	if (!cells[TEACHER_EMAIL])
		return "The teacher's e-mail address is missing.";
	if (cells[TELEGRAM_CHAT_ID] && !is_chat_id(cells[TELEGRAM_CHAT_ID]))
		return "The telegram_chat_id must be Telegram's number of a chat.";
	if (cells[ZOOM_URL] && zoom_url_check(cells[ZOOM_URL], &why))
		return arena_printf(a, "The zoom_url is no link for a class. %s", why.detail);
	return NULL;
}

static const struct import imports[] = {
	[IMPORT_TEACHERS] = { { teacher_names, 2 },
			      check_teacher,
			      CHECK_TEACHERS,
			      CREATE_TEACHERS },
	[IMPORT_STUDENTS] = { { student_names, 2 },
			      check_student,
			      CHECK_STUDENTS,
			      CREATE_STUDENTS },
};

static void put(void *o)
{
	json_object_put(o);
}

/* The rows without a problem as JSON text; *n counts them. Belongs to the arena. */
static const char *rows_json(struct arena *a, const struct import *import,
			     const struct csv_table *table, size_t *n)
{
	struct json_object *all = json_object_new_array();

	arena_defer(a, put, all);
	*n = 0;
	for (size_t i = 0; i < table->count; i++) {
		const struct csv_row *from = &table->rows[i];
		struct json_object *row;

		if (from->problem)
			continue;
		row = json_object_new_object();
		json_object_object_add(row, "line", json_object_new_int64(from->line));
		for (size_t c = 0; import->columns.names[c]; c++)
			if (from->cells[c])
				json_object_object_add(row, import->columns.names[c],
						       json_object_new_string(from->cells[c]));
		json_object_array_add(all, row);
		++*n;
	}
	return json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN);
}

/* Adds the problems that the database knows; both lists are in the order of lines. */
static enum err check(struct db *db, struct arena *a, const struct import *import, const char *rows,
		      struct csv_table *table)
{
	const char *args[] = { rows };
	struct csv_row *row = table->rows;
	struct db_rows r;
	enum err e = db_read(db, a, import->check, 1, args, &r);

	while (!e && db_next(&r)) {
		int64_t line = db_i64(&r);

		while (row < table->rows + table->count - 1 && row->line != line)
			row++;
		row->problem = db_str(&r);
	}
	return e;
}

static enum err create_locked(struct db *db, struct arena *a, const struct import *import,
			      struct csv_table *table, size_t *created, struct why *why)
{
	size_t n;
	const char *args[] = { rows_json(a, import, table, &n) };
	enum err e = db_write(db, a, SQL_LOCK, 0, NULL, NULL);

	if (!e)
		e = check(db, a, import, args[0], table);
	for (size_t i = 0; i < table->count; i++)
		if (e || table->rows[i].problem)
			return e;
	e = db_write(db, a, import->create, 1, args, NULL);
	if (e == ERR_CONFLICT || e == ERR_NOT_FOUND)
		return why_not(why, ERR_CONFLICT, "csv",
			       "The people changed meanwhile. Look at the file again.");
	if (!e)
		*created = n;
	return e;
}

static struct json_object *answer(const struct csv_table *table, size_t created)
{
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

	for (size_t i = 0; i < table->count; i++) {
		const struct csv_row *from = &table->rows[i];
		const char *name = from->cells[NAME];
		struct json_object *row = json_object_new_object();

		json_object_object_add(row, "line", json_object_new_int64(from->line));
		json_object_object_add(row, "ok", json_object_new_boolean(!from->problem));
		json_object_object_add(row, "name", name ? json_object_new_string(name) : NULL);
		json_object_object_add(row, "problem",
				       from->problem ? json_object_new_string(from->problem)
						     : NULL);
		json_object_array_add(rows, row);
	}
	json_object_object_add(o, "rows", rows);
	json_object_object_add(o, "created", json_object_new_int64((int64_t)created));
	return o;
}

enum err import_people(struct db *db, struct arena *a, const struct import_want *want,
		       struct json_object **out, struct why *why)
{
	const struct import *import = &imports[want->kind];
	struct csv_table table;
	size_t created = 0, n;
	enum err e = csv_table_read(a, want->csv, &import->columns, IMPORT_ROWS_MAX, &table, why);

	if (e)
		return e;
	for (size_t i = 0; i < table.count; i++)
		if (!table.rows[i].problem)
			table.rows[i].problem = import->check_cells(a, table.rows[i].cells);
	if (want->dry_run) {
		e = check(db, a, import, rows_json(a, import, &table, &n), &table);
	} else {
		e = db_begin(db);
		if (!e)
			e = db_finish(db, create_locked(db, a, import, &table, &created, why));
	}
	if (!e)
		*out = answer(&table, created);
	return e;
}
