/*
 * /api/admin/teachers: the teachers' accounts.
 *
 * A teacher  {"id", "name", "email", "disabled", "joined", "invited": {"expires_at"} or null,
 *            "active_students", "telegram_linked", "created_at"}
 * GET        ?q= (part of a name or address) &limit=  -> 200 {"teachers": [...], "more"}
 * POST       {"name", "email"} -> 201 a teacher and "invite_url"
 * PATCH      {"id", "name"?, "email"?, "disabled"?, "invite"?: true} -> 200 a teacher, with
 *            invite "invite_url". Disabling ends the account's logins at once; another "email"
 *            or disabling takes an invitation back that is open.
 * Errors     400 401 403 404 409 (email: taken; invite: the account is disabled)
 */
#include "account.h"
#include "app.h"
#include "fields.h"
#include "params.h"
#include "teacher.h"

static enum err list(struct req *req)
{
	struct listing listing;
	struct json_object *body;
	struct params p;
	enum err e;

	params_open(&p, req);
	listing_params(&p, &listing);
	e = params_close(&p);
	if (!e)
		e = teacher_list(req->db, req->arena, &listing, &body);
	return e ? e : req_json(req, 200, body);
}

static enum err create(struct req *req)
{
	struct teacher_fields want = { 0 };
	struct json_object *body;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	want.name = fields_name(&f, "name", TEACHER_NAME_MAX);
	want.email = fields_str(&f, "email", 1, ACCOUNT_EMAIL_MAX);
	e = fields_close(&f);
	if (!e)
		e = teacher_create(req->db, req->arena, req->conf->base_url, &want, &body,
				   &req->why);
	return e ? e : req_json(req, 201, body);
}

static enum err change(struct req *req)
{
	struct teacher_fields want = { 0 };
	struct json_object *body;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	want.id = fields_i64(&f, "id", 1, INT64_MAX - 1);
	if (fields_has(&f, "name"))
		want.name = fields_name(&f, "name", TEACHER_NAME_MAX);
	if (fields_has(&f, "email"))
		want.email = fields_str(&f, "email", 1, ACCOUNT_EMAIL_MAX);
	want.disabled = fields_flag_or_null(&f, "disabled");
	want.invite = fields_bool_or(&f, "invite", false);
	e = fields_close(&f);
	if (!e)
		e = teacher_change(req->db, req->arena, req->conf->base_url, &want, &body,
				   &req->why);
	return e ? e : req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "admin_teachers",
	.who = WHO_ADMIN,
	.routes = { { "GET", list }, { "POST", create }, { "PATCH", change } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
