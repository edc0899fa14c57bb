/*
 * GET /api/zoom/teacher-left?session=123&exp=E&sig=S: the teacher has left, the class ends now.
 *
 * Answer    200 and a small page; a repeat shows the same and changes nothing
 * Errors    400 403 altered or expired, 404 no such session, 503 nothing could be kept: small HTML
 * pages Source    design, HTTP contract; lib/leave_link.h for the signature
 */
#include <time.h>

#include "app.h"
#include "app_parent.h"
#include "evidence.h"
#include "journal.h"
#include "leave_link.h"
#include "page.h"
#include "req_visitor.h"
#include "session_action.h"

/* The database is away: what the teacher said is kept on this node and replayed with its moment. */
static enum err end_later(struct req *req, int64_t session_id)
{
	const struct journal_entry entry = { .kind = JOURNAL_LEFT, .session_id = session_id };

	if (journal_append(req->conf->journal_dir, req->arena, &entry))
		return page_answer(req, 503, PAGE_TRY_AGAIN, NULL);
	return page_answer(req, 200, PAGE_CLASS_ENDED, NULL);
}

/* As ERR_UNAVAILABLE while the database is known to be away; it is asked again once a second. */
static enum err end_now(struct req *req, int64_t session_id)
{
	static int64_t away_until_ms;
	enum err e;

	if (monotonic_ms() < away_until_ms)
		return ERR_UNAVAILABLE;
	e = session_teacher_left(req->db, req->arena, session_id, HAPPENED_NOW);
	if (e == ERR_IN_DOUBT) /* idempotent */
		e = session_teacher_left(req->db, req->arena, session_id, HAPPENED_NOW);
	if (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
		away_until_ms = monotonic_ms() + 1000;
	return e;
}

static enum err end_class(struct req *req)
{
	struct leave_link link;
	enum err e = leave_link_verify(req->arena, req->keys, req->query,
				       (int64_t)time(NULL) * 1000000, &link, &req->why);

	if (e)
		return page_answer(req, err_status(e), PAGE_BAD_LEAVE, NULL);
	if (req_visitor(req) != VISITOR_HUMAN) /* only a person ends a class */
		return page_answer(req, 503, PAGE_TRY_AGAIN, NULL);
	e = end_now(req, link.session_id);
	if (e == ERR_NOT_FOUND)
		return page_answer(req, 404, PAGE_BAD_LEAVE, NULL);
	return e ? end_later(req, link.session_id) : page_answer(req, 200, PAGE_CLASS_ENDED, NULL);
}

static const struct endpoint endpoint = {
	.name = "zoom_teacher_left",
	.who = WHO_SECRET, /* the signature */
	.routes = { { "GET", end_class } },
	.needs = NEED_AUTH_SECRET | NEED_JOURNAL,
	.deadline_ms = 1000, /* then the journal */
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
