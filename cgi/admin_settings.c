/*
 * /api/admin/settings: the academy's own settings.
 *
 * Settings  {"name", "time_zone", "currency", "default_duration_minutes",
 *           "default_buffer_minutes", "link_hours"}
 * GET       -> 200 the settings
 * PATCH     any of them -> 200 the settings
 * Errors    400 401 403
 */
#include "academy.h"
#include "app.h"
#include "fields.h"
#include "params.h"

/* Source: schema/0001_academy.sql, table academy. */
#define NAME_MAX_CHARS 200
#define ZONE_MAX_CHARS 64
#define MINUTES_MAX    1440
#define LINK_HOURS_MAX 168

static enum err show(struct req *req)
{
	struct json_object *body;
	struct params p;
	enum err e;

	params_open(&p, req);
	e = params_close(&p);
	if (!e)
		e = academy_settings(req->db, req->arena, &body);
	return e ? e : req_json(req, 200, body);
}

static int64_t whole_or_absent(struct fields *f, const char *name, int64_t min, int64_t max)
{
	return fields_has(f, name) ? fields_i64(f, name, min, max) : -1;
}

static enum err change(struct req *req)
{
	struct academy_change want = { 0 };
	struct json_object *body;
	struct fields f;
	enum err e;

	fields_open(&f, req);
	if (fields_has(&f, "name"))
		want.name = fields_name(&f, "name", NAME_MAX_CHARS);
	if (fields_has(&f, "time_zone"))
		want.time_zone = fields_str(&f, "time_zone", 1, ZONE_MAX_CHARS);
	if (fields_has(&f, "currency"))
		want.currency = fields_str(&f, "currency", 3, 3);
	want.default_duration_minutes =
		whole_or_absent(&f, "default_duration_minutes", 1, MINUTES_MAX);
	want.default_buffer_minutes = whole_or_absent(&f, "default_buffer_minutes", 0, MINUTES_MAX);
	want.link_hours = whole_or_absent(&f, "link_hours", 1, LINK_HOURS_MAX);
	e = fields_close(&f);
	if (!e)
		e = academy_change(req->db, req->arena, &want, &body, &req->why);
	return e ? e : req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "admin_settings",
	.who = WHO_ADMIN,
	.routes = { { "GET", show }, { "PATCH", change } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
