/*
 * POST /api/admin/import: teachers or students from a CSV file, all or none.
 *
 * Request   {"kind":"teachers|students","csv": its text,"dry_run": true to look only}; the columns
 *           are in lib/import.h
 * Answer    200 {"rows":[{"line","ok","name"|null,"problem"|null}],"created"}; created is 0 when
 *           a row has a problem
 * Errors    400 401 403 409 413 415 503
 */
#include <string.h>

#include "app.h"
#include "fields.h"
#include "import.h"

#define BODY_MAX (1 << 20) /* bytes; nginx: client_max_body_size */

/* In the order of enum import_kind. */
static const char *const kinds[] = { "teachers", "students", NULL };

static enum err run(struct req *req)
{
	struct import_want want = { 0 };
	struct json_object *answer;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	if (!strcmp(fields_word(&f, "kind", kinds), kinds[IMPORT_STUDENTS]))
		want.kind = IMPORT_STUDENTS;
	want.csv = fields_str(&f, "csv", 1, BODY_MAX);
	want.dry_run = fields_bool_or(&f, "dry_run", false);
	e = fields_close(&f);
	if (!e)
		e = import_people(req->db, req->arena, &want, &answer, &req->why);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "admin_import",
	.who = WHO_ADMIN,
	.routes = { { "POST", run } },
	.body_max = BODY_MAX,
	.deadline_ms = 25000, /* thousands of rows in one transaction */
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
