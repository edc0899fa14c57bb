#ifndef IMPORT_H
#define IMPORT_H

#include <stdbool.h>

#include "db.h"

struct json_object;

/*
 * Teachers or students from a CSV file, all or none. A teacher is known by the
 * e-mail address, a student by name and teacher: what exists already is a
 * problem of its row, so that the same file twice makes no doubles. Teachers
 * get their invitations afterwards.
 *
 *   teachers  name, email
 *   students  name, teacher_email, package, language, telegram_chat_id, zoom_url, note;
 *             the first two must be there
 */
#define IMPORT_ROWS_MAX 2000

enum import_kind { IMPORT_TEACHERS, IMPORT_STUDENTS };

struct import_want {
	enum import_kind kind;
	const char *csv; /* UTF-8 */
	bool dry_run;	 /* look only */
};

/*
 * Creates every row, or none if one of them has a problem: {"rows": [{"line",
 * "ok", "name", "problem"}], "created"}. The caller owns *out.
 *
 * ERR_INVALID   naming csv: it is not such a table; see csv_table.h
 * ERR_CONFLICT  someone else made one of them meanwhile
 */
MUST_CHECK enum err import_people(struct db *db, struct arena *a, const struct import_want *want,
				  struct json_object **out, struct why *why);

#endif
