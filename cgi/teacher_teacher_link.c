/*
 * POST /api/teacher/teacher-link: the same as admin/teacher-link, for oneself.
 *
 * Request   {}
 * Answer    201 {"url","expires_at"}: https://t.me/BOT?start=CODE, good once
 * Errors    400 401 403 404 409 (no bot is configured) 503
 */
#include "app.h"
#include "chat_answer.h"
#include "fields.h"

static enum err make(struct req *req)
{
	struct chat_wish want = { .account_id = req->who.id, .made_by = req->who.id };
	struct fields f;
	enum err e;

	fields_open(&f, req);
	e = fields_close(&f);
	return e ? e : chat_answer_link(req, &want, NULL);
}

static const struct endpoint endpoint = {
	.name = "teacher_teacher_link",
	.who = WHO_TEACHER,
	.routes = { { "POST", make } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
