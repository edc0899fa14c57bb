/*
 * POST /api/teacher/send-link: sends a class to one of the teacher's students.
 *
 * Request   {"student_id","zoom_url","request_id"}; the same request_id again gives the same
 * answer; without zoom_url a meeting is made, where Zoom is connected Answer    201
 * {"session":{...},"join_url","start_url","leave_url","delivery","delivery_outcome",
 * "delivery_detail"} Errors    400 401 403 404 409 503
 */
#include "app.h"
#include "app_parent.h"
#include "fields.h"
#include "outbox_send.h"
#include "session.h"
#include "session_answer.h"
#include "zoom_create.h"

/* The teacher waits for Zoom at most this long, then is told to paste a link. */
#define ZOOM_MS 12000

/* The teacher waits for Telegram at most this long; the job goes on where that was too short. */
#define TELEGRAM_MS 2000

static enum err parse(struct req *req, struct session_want *want)
{
	struct fields f;

	fields_open(&f, req);
	want->student_id = fields_i64(&f, "student_id", 1, INT64_MAX - 1);
	want->zoom_url = fields_str_or(&f, "zoom_url", 1, 600, NULL);
	want->request_id = fields_uuid(&f, "request_id");
	return fields_close(&f);
}

/* Makes the meeting of a class that comes without a link. */
static enum err make_meeting(struct req *req, struct session_want *want)
{
	static struct http *http; /* one a worker */
	struct zoom_api api = { .db = req->db,
				.arena = req->arena,
				.conf = req->conf,
				.until_ms = monotonic_ms() + ZOOM_MS };
	const struct zoom_create_want wish = { want->teacher_id, want->student_id,
					       want->request_id };
	struct zoom_created made;
	enum err e;

	if (!http)
		http = http_new();
	api.http = http;
	e = http ? zoom_create(&api, &wish, &made, &req->why) : ERR_UNAVAILABLE;
	if (e)
		return e;
	want->zoom_url = made.join_url;
	want->start_url = made.start_url;
	want->is_made = true;
	db_deadline(req->db, REQUEST_DEADLINE_MS);
	return OK;
}

static enum err send(struct req *req)
{
	struct session_want want = { .teacher_id = req->who.id,
				     .by_telegram = req->conf->telegram_bot_token != NULL };
	struct outbox outbox;
	int64_t id;
	enum err e = parse(req, &want);

	if (!e && !want.zoom_url)
		e = make_meeting(req, &want);
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
