/*
 * POST /api/teacher/attendance: marks attendance on an own session.
 *
 * Request   {"session_id","attendance":"present|late|absent|excused","note" (optional)}
 * Answer    200 {"session":{...}}
 * Errors    400 401 403 404 503
 */
#include "app.h"
#include "fields.h"
#include "session_answer.h"
#include "session_own.h"

#define NOTE_MAX 1000 /* characters; sessions.attendance_note */

static const char *const words[] = { "present", "late", "absent", "excused", NULL };

static enum err mark(struct req *req)
{
	const char *attendance, *note;
	struct fields f;
	int64_t id;
	enum err e;

	fields_open(&f, req);
	id = fields_i64(&f, "session_id", 1, INT64_MAX - 1);
	attendance = fields_word(&f, "attendance", words);
	note = fields_str_or(&f, "note", 0, NOTE_MAX, NULL);
	e = fields_close(&f);
	if (!e)
		e = session_attendance(req->db, req->arena, id, req->who.id, attendance, note,
				       &req->why);
	return e ? e : session_answer(req, 200, id);
}

static const struct endpoint endpoint = {
	.name = "teacher_attendance",
	.who = WHO_TEACHER,
	.routes = { { "POST", mark } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
