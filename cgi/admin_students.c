/*
 * /api/admin/students: the students.
 *
 * A student  {"id", "name", "teacher_id", "teacher": {"id", "name"}, "package_id", "language",
 *            "telegram_chat_id", "zoom_url", "note", "disabled", "created_at"}
 * GET        ?teacher_id= &q= (part of a name) &limit=  -> 200 {"students": [...], "more"}
 * POST       {"name", "teacher_id", "package_id"} and optional "language", "telegram_chat_id",
 *            "zoom_url", "note", "request_id"; the same request_id again gives the same
 *            student -> 201 a student
 * PATCH      {"id"} and any of them or "disabled" -> 200 a student. null clears package_id,
 *            telegram_chat_id and zoom_url; another teacher_id clears zoom_url too.
 * Errors     400 401 403 404 (id, teacher_id, package_id) 409 (disabled teacher, retired package,
 *            request_id)
 */
#include "app.h"
#include "fields.h"
#include "package.h"
#include "params.h"
#include "student.h"
#include "zoom_url.h"

static enum err list(struct req *req)
{
	struct listing listing;
	struct json_object *body;
	struct params p;
	int64_t teacher_id;
	enum err e;

	params_open(&p, req);
	listing_params(&p, &listing);
	teacher_id = params_i64_or(&p, "teacher_id", 1, INT64_MAX - 1, 0);
	e = params_close(&p);
	if (!e)
		e = student_list(req->db, req->arena, &listing, teacher_id, &body);
	return e ? e : req_json(req, 200, body);
}

/* Absent or null: 0, which is no chat, and so may not be given as one. */
static int64_t chat_id(struct fields *f)
{
	int64_t id = fields_i64_or(f, "telegram_chat_id", -STUDENT_CHAT_ID_MAX, STUDENT_CHAT_ID_MAX,
				   INT64_MAX);

	if (!id)
		fields_refuse(f, "telegram_chat_id", "It must be Telegram's number of a chat.");
	return id == INT64_MAX ? 0 : id;
}

/* What POST must have (is_new) and PATCH may. */
static void parse(struct fields *f, bool is_new, struct student_fields *want)
{
	want->teacher_id = -1;
	want->set_package = is_new || fields_has(f, "package_id");
	want->set_chat = fields_has(f, "telegram_chat_id");
	want->set_zoom_url = fields_has(f, "zoom_url");

	if (is_new || fields_has(f, "name"))
		want->name = fields_name(f, "name", STUDENT_NAME_MAX);
	if (is_new || fields_has(f, "teacher_id"))
		want->teacher_id = fields_i64(f, "teacher_id", 1, INT64_MAX - 1);
	if (is_new && !fields_has(f, "package_id"))
		fields_refuse(f, "package_id", "It must be a package's id, or null for none.");
	want->package_id = fields_str_or(f, "package_id", 1, PACKAGE_NAME_MAX, NULL);
	if (fields_has(f, "language"))
		want->language = fields_str(f, "language", 2, 35);
	want->telegram_chat_id = chat_id(f);
	want->zoom_url = fields_str_or(f, "zoom_url", 1, ZOOM_URL_MAX, NULL);
	if (fields_has(f, "note"))
		want->note = fields_str(f, "note", 0, STUDENT_NOTE_MAX);
}

static enum err check_zoom_url(struct req *req, const struct student_fields *want)
{
	return want->zoom_url ? zoom_url_check(want->zoom_url, &req->why) : OK;
}

static enum err create(struct req *req)
{
	struct student_fields want = { 0 };
	struct json_object *body;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	parse(&f, true, &want);
	if (fields_has(&f, "request_id"))
		want.request_id = fields_uuid(&f, "request_id");
	e = fields_close(&f);
	if (!e)
		e = check_zoom_url(req, &want);
	if (!e)
		e = student_create(req->db, req->arena, &want, &body, &req->why);
	return e ? e : req_json(req, 201, body);
}

static enum err change(struct req *req)
{
	struct student_fields want = { 0 };
	struct json_object *body;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	want.id = fields_i64(&f, "id", 1, INT64_MAX - 1);
	parse(&f, false, &want);
	want.disabled = fields_flag_or_null(&f, "disabled");
	e = fields_close(&f);
	if (!e)
		e = check_zoom_url(req, &want);
	if (!e)
		e = student_change(req->db, req->arena, &want, &body, &req->why);
	return e ? e : req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "admin_students",
	.who = WHO_ADMIN,
	.routes = { { "GET", list }, { "POST", create }, { "PATCH", change } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
