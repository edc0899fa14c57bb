/*
 * GET /api/zoom/teacher-left?session=123&exp=E&sig=S: the teacher has left, the class ends now.
 *
 * Answer    200 and a small page; a repeat shows the same and changes nothing
 * Errors    400 403 altered or expired, 404 no such session, 503 outage: small HTML pages
 * Source    design, HTTP contract; lib/leave_link.h for the signature
 */
#include <time.h>

#include "app.h"
#include "evidence.h"
#include "leave_link.h"
#include "page.h"
#include "req_visitor.h"
#include "session_action.h"

static enum err end_class(struct req *req)
{
	struct leave_link link;
	enum err e = leave_link_verify(req->arena, req->keys, req->query,
				       (int64_t)time(NULL) * 1000000, &link, &req->why);

	if (e)
		return page_answer(req, err_status(e), PAGE_BAD_LEAVE, NULL);
	if (req_visitor(req) != VISITOR_HUMAN) /* only a person ends a class */
		return page_answer(req, 503, PAGE_TRY_AGAIN, NULL);
	e = session_teacher_left(req->db, req->arena, link.session_id, HAPPENED_NOW);
	if (e == ERR_IN_DOUBT) /* idempotent */
		e = session_teacher_left(req->db, req->arena, link.session_id, HAPPENED_NOW);
	if (e == ERR_NOT_FOUND)
		return page_answer(req, 404, PAGE_BAD_LEAVE, NULL);
	return e ? page_answer(req, 503, PAGE_TRY_AGAIN, NULL)
		 : page_answer(req, 200, PAGE_CLASS_ENDED, NULL);
}

static const struct endpoint endpoint = {
	.name = "zoom_teacher_left",
	.who = WHO_SECRET, /* the signature */
	.routes = { { "GET", end_class } },
	.needs = NEED_AUTH_SECRET,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
