/*
 * POST /api/admin/teacher-link: a link by which a teacher's Telegram chat becomes known.
 *
 * Request   {"teacher_id"}
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
	want.account_id = fields_i64(&f, "teacher_id", 1, INT64_MAX - 1);
	e = fields_close(&f);
	return e ? e : chat_answer_link(req, &want, "teacher_id");
}

static const struct endpoint endpoint = {
	.name = "admin_teacher_link",
	.who = WHO_ADMIN,
	.routes = { { "POST", make } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
