/*
 * POST /api/admin/student-link: a link by which a student's Telegram chat becomes known.
 *
 * Request   {"student_id"}
 * Answer    201 {"url","expires_at"}: https://t.me/BOT?start=CODE, good once
 * Errors    400 401 403 404 409 (no bot is configured) 503
 */
#include "app.h"
#include "chat_answer.h"
#include "fields.h"

static enum err make(struct req *req)
{
	struct chat_wish want = { .made_by = req->who.id };
	struct fields f;
	enum err e;

	fields_open(&f, req);
	want.student_id = fields_i64(&f, "student_id", 1, INT64_MAX - 1);
	e = fields_close(&f);
	return e ? e : chat_answer_link(req, &want, "student_id");
}

static const struct endpoint endpoint = {
	.name = "admin_student_link",
	.who = WHO_ADMIN,
	.routes = { { "POST", make } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
