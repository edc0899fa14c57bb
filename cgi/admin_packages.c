/*
 * /api/admin/packages: what students book.
 *
 * A package  {"id" (its name), "duration_minutes", "buffer_minutes", "rate" (decimal text or
 *            null), "currency", "retired", "created_at", "active_students"}
 * GET        ?q= (part of a name) &limit=  -> 200 {"packages": [...], "more"}
 * POST       {"name", "duration_minutes", "buffer_minutes", "rate", "currency"}, all of them,
 *            rate null where it is not agreed yet -> 201 a package
 * PATCH      {"id"} and any of "duration_minutes", "buffer_minutes", "rate", "currency",
 *            "retired" -> 200 a package. Never renamed; classes that were sent stay as they are,
 *            but those without a rate get the one that the package has then.
 * Errors     400 401 403 404 409 (name: it exists)
 */
#include "app.h"
#include "fields.h"
#include "package.h"
#include "params.h"

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
		e = package_list(req->db, req->arena, &listing, &body);
	return e ? e : req_json(req, 200, body);
}

/* What POST must have (is_new) and PATCH may. */
static void parse(struct fields *f, bool is_new, struct package_fields *want)
{
	want->duration_minutes = -1;
	want->buffer_minutes = -1;
	want->set_rate = fields_has(f, "rate");

	if (is_new || fields_has(f, "duration_minutes"))
		want->duration_minutes = fields_i64(f, "duration_minutes", 1, PACKAGE_MINUTES_MAX);
	if (is_new || fields_has(f, "buffer_minutes"))
		want->buffer_minutes = fields_i64(f, "buffer_minutes", 0, PACKAGE_MINUTES_MAX);
	if (is_new && !want->set_rate)
		fields_refuse(f, "rate",
			      "It must be an amount such as \"10.00\", or null for none.");
	want->rate = fields_money_or_null(f, "rate");
	if (is_new || fields_has(f, "currency"))
		want->currency = fields_str(f, "currency", 3, 3);
}

static enum err create(struct req *req)
{
	struct package_fields want = { 0 };
	struct json_object *body;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	want.id = fields_name(&f, "name", PACKAGE_NAME_MAX);
	parse(&f, true, &want);
	e = fields_close(&f);
	if (!e)
		e = package_create(req->db, req->arena, &want, &body, &req->why);
	return e ? e : req_json(req, 201, body);
}

static enum err change(struct req *req)
{
	struct package_fields want = { .account_id = req->who.id };
	struct json_object *body;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	want.id = fields_str(&f, "id", 1, PACKAGE_NAME_MAX);
	parse(&f, false, &want);
	want.retired = fields_flag_or_null(&f, "retired");
	e = fields_close(&f);
	if (!e)
		e = package_change(req->db, req->arena, &want, &body, &req->why);
	return e ? e : req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "admin_packages",
	.who = WHO_ADMIN,
	.routes = { { "GET", list }, { "POST", create }, { "PATCH", change } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
