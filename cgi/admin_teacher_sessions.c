/*
 * GET /api/admin/teacher-sessions: the sessions of the academy, newest first.
 *
 * Request   date, or from and to, or days; status, teacher_id, student_id, package_id, q; limit,
 *           cursor; format=csv streams the whole filter
 * Answer    200 {"sessions","generated_at","time_zone","next_cursor","totals"} or text/csv
 * Errors    400 401 403 503
 */
#include "app.h"
#include "req_csv.h"
#include "session_csv.h"
#include "session_filter.h"

static enum err send_csv(struct req *req, struct session_filter *filter)
{
	enum err e = session_csv_days(req->db, req->arena, filter);

	if (e)
		return e;
	req_csv_name(req, "sessions", filter->from, filter->to);
	return session_csv(req->db, filter, req_csv_send, req);
}

static enum err list(struct req *req)
{
	struct session_page page;
	struct json_object *answer;
	bool as_csv;
	enum err e = session_page_read(req, PAGE_OF_ADMIN, &page, &as_csv);

	if (e)
		return e;
	if (as_csv)
		return send_csv(req, &page.filter);
	e = session_list(req->db, req->arena, req->keys, &page.filter, page.limit,
			 page.has_cursor ? &page.cursor : NULL, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "admin_teacher_sessions",
	.who = WHO_ADMIN,
	.routes = { { "GET", list } },
	.needs = NEED_AUTH_SECRET,
	.workers = 3,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
