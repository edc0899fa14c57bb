/*
 * GET /api/teacher/students: the signed-in teacher's own students, and those of own classes that
 * are sent or active, by name.
 *
 * Request   ?q= (part of a name) &limit=
 * Answer    200 {"students": [{"id", "name", "package_id", "language", "zoom_url",
 *           "telegram_linked", "note", "may_send" (false: only the class is theirs),
 *           "last_session": {"id", "session_status", "sent_at",
 *           "clicked_at", "times_out_at", "session_ended_at", "session_duration_minutes",
 *           "duration_minutes" (of the package), "estimated", "attendance",
 *           "attendance_note", "delivery", "delivery_outcome", "delivery_detail"} or null}],
 *           "more", "meetings" (a class may be sent without a link)}
 * Errors    400 401 403
 */
#include <json-c/json.h>

#include "app.h"
#include "params.h"
#include "student.h"

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
		e = student_list_own(req->db, req->arena, &listing, req->who.id, &body);
	if (e)
		return e;
	/* Of the app's settings only its account is no secret, so it alone is known here. */
	json_object_object_add(body, "meetings",
			       json_object_new_boolean(req->conf->zoom_account_id != NULL));
	return req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "teacher_students",
	.who = WHO_TEACHER,
	.routes = { { "GET", list } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
