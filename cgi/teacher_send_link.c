/*
 * POST /api/teacher/send-link: sends a class to one of the teacher's students.
 *
 * Request   {"student_id","zoom_url","request_id"}; the same request_id again gives the same answer
 * Answer    201 {"session":{...},"join_url","start_url","leave_url","delivery","delivery_detail"}
 * Errors    400 401 403 404 409 503
 */
#include "app.h"
#include "fields.h"
#include "outbox_send.h"
#include "session.h"
#include "session_answer.h"

/* The teacher waits for Telegram at most this long; the job goes on where that was too short. */
#define TELEGRAM_MS 2000

static enum err parse(struct req *req, struct session_want *want)
{
	struct fields f;

	fields_open(&f, req);
	want->student_id = fields_i64(&f, "student_id", 1, INT64_MAX - 1);
	want->zoom_url = fields_str(&f, "zoom_url", 1, 600);
	want->request_id = fields_uuid(&f, "request_id");
	return fields_close(&f);
}

static enum err send(struct req *req)
{
	struct session_want want = { .teacher_id = req->who.id,
				     .by_telegram = req->conf->telegram_bot_token != NULL };
	struct outbox outbox;
	int64_t id;
	enum err e = parse(req, &want);

	if (!e)
		e = session_send(req->db, req->arena, &want, &id, &req->why);
	if (e)
		return e;
	outbox_open(&outbox, req->db, req->conf, req->keys, TELEGRAM_MS);
	outbox_try_link(&outbox, req->arena, id);
	return session_answer_links(req, 201, id);
}

static const struct endpoint endpoint = {
	.name = "teacher_send_link",
	.who = WHO_TEACHER,
	.routes = { { "POST", send } },
	.needs = NEED_AUTH_SECRET,
	.workers = 8, /* half of them may wait for Telegram: lib/outbox_send.c, SLOTS */
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
