/*
 * GET /api/teacher/sessions: the teacher's own sessions, newest first.
 *
 * Request   date, or from and to, or days; status, student_id, package_id, q; limit, cursor
 * Answer    200, as for an admin
 * Errors    400 401 403 503
 */
#include "app.h"
#include "session_filter.h"

static enum err list(struct req *req)
{
	struct session_page page;
	struct json_object *answer;
	enum err e = session_page_read(req, PAGE_OF_TEACHER, &page, NULL);

	if (e)
		return e;
	page.filter.teacher_id = req->who.id;
	e = session_list(req->db, req->arena, req->keys, &page.filter, page.limit,
			 page.has_cursor ? &page.cursor : NULL, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "teacher_sessions",
	.who = WHO_TEACHER,
	.routes = { { "GET", list } },
	.needs = NEED_AUTH_SECRET,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
