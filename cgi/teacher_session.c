/*
 * /api/teacher/session: an own session, its links, and what a teacher does to it.
 *
 * GET       ?session_id=  -> 200 as send-link answers, so that a class sent from one device can
 *           be shared from another
 * POST      {"session_id","action":"end|cancel|zoom_url","reason" (optional),
 *           "session_status" (cancel; optional),"zoom_url" (zoom_url)}
 *           -> 200 {"session":{...}}; after zoom_url with the links
 * Errors    400 401 403 404 409 503
 */
#include <json-c/json.h>
#include <string.h>

#include "app.h"
#include "evidence.h"
#include "decide.h"
#include "fields.h"
#include "params.h"
#include "session.h"
#include "session_action.h"
#include "session_answer.h"
#include "session_own.h"

#define REASON_MAX 500 /* characters */

static const char *const names[] = { "end", "cancel", "zoom_url", NULL };

struct want {
	struct action_want action;
	const char *zoom_url; /* NULL: another action */
};

static enum err parse(struct req *req, struct want *want)
{
	struct fields f;
	const char *name;

	fields_open(&f, req);
	want->action.session_id = fields_i64(&f, "session_id", 1, INT64_MAX - 1);
	name = fields_word(&f, "action", names);
	want->action.action = strcmp(name, "cancel") ? ACTION_END : ACTION_CANCEL;
	want->action.reason = fields_str_or(&f, "reason", 1, REASON_MAX, NULL);
	if (want->action.action == ACTION_CANCEL && fields_has(&f, "session_status"))
		want->action.seen = fields_word(&f, "session_status", status_names);
	if (!strcmp(name, "zoom_url"))
		want->zoom_url = fields_str(&f, "zoom_url", 1, 600);
	return fields_close(&f);
}

static enum err links(struct req *req)
{
	struct json_object *session, *teacher;
	struct params p;
	int64_t id, teacher_id;
	enum err e;

	params_open(&p, req);
	id = params_i64_or(&p, "session_id", 1, INT64_MAX - 1, 0);
	if (!id)
		params_refuse(&p, "session_id", "Say which session.");
	e = params_close(&p);
	if (!e)
		e = session_json(req->db, req->arena, id, &session);
	if (e)
		return e == ERR_NOT_FOUND ? session_none(&req->why) : e;
	teacher = json_object_object_get(session, "teacher");
	teacher_id = json_object_get_int64(json_object_object_get(teacher, "id"));
	json_object_put(session);
	return teacher_id == req->who.id ? session_answer_links(req, 200, id)
					 : session_none(&req->why);
}

static enum err act(struct req *req)
{
	struct want want = { .action = { .account_id = req->who.id,
					 .clicked_us = MOMENT_NONE,
					 .ended_us = MOMENT_NONE,
					 .times_out_us = MOMENT_NONE } };
	enum err e = parse(req, &want);

	if (e)
		return e;
	if (!want.zoom_url) {
		e = session_act(req->db, req->arena, &want.action, &req->why);
		return e ? e : session_answer(req, 200, want.action.session_id);
	}
	e = session_change_url(req->db, req->arena, want.action.session_id, req->who.id,
			       want.zoom_url, &req->why);
	return e ? e : session_answer_links(req, 200, want.action.session_id);
}

static const struct endpoint endpoint = {
	.name = "teacher_session",
	.who = WHO_TEACHER,
	.routes = { { "GET", links }, { "POST", act } },
	.needs = NEED_AUTH_SECRET,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
