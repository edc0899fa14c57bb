/*
 * POST /api/admin/session: what an admin does to a session, with a reason.
 *
 * Request   {"session_id","action":"end|cancel|reopen|correct|release","reason",
 *           "session_status" (cancel; optional), "times_out_at" (reopen),
 *           "clicked_at" (reopen, correct), "session_ended_at" (correct)}
 * Answer    200 {"session":{...}}
 * Errors    400 401 403 404 409 503
 */
#include <string.h>

#include "app.h"
#include "decide.h"
#include "fields.h"
#include "session_action.h"
#include "session_answer.h"

#define REASON_MAX 500 /* characters */

/* In the order of enum action. */
static const char *const names[] = { "end", "cancel", "reopen", "correct", "release", NULL };

static enum err parse(struct req *req, struct action_want *want)
{
	struct fields f;
	const char *name;

	fields_open(&f, req);
	want->session_id = fields_i64(&f, "session_id", 1, INT64_MAX - 1);
	name = fields_word(&f, "action", names);
	while (strcmp(names[want->action], name) != 0)
		want->action++;
	want->reason = fields_name(&f, "reason", REASON_MAX);
	if (want->action == ACTION_CANCEL && fields_has(&f, "session_status"))
		want->seen = fields_word(&f, "session_status", status_names);
	if (want->action == ACTION_REOPEN)
		want->times_out_us = fields_moment_or(&f, "times_out_at", MOMENT_NONE);
	if (want->action == ACTION_CORRECT)
		want->ended_us = fields_moment_or(&f, "session_ended_at", MOMENT_NONE);
	if (want->action == ACTION_CORRECT || want->action == ACTION_REOPEN)
		want->clicked_us = fields_moment_or(&f, "clicked_at", MOMENT_NONE);
	return fields_close(&f);
}

static enum err act(struct req *req)
{
	struct action_want want = { .account_id = req->who.id,
				    .by_admin = true,
				    .clicked_us = MOMENT_NONE,
				    .ended_us = MOMENT_NONE,
				    .times_out_us = MOMENT_NONE };
	enum err e = parse(req, &want);

	if (!e)
		e = session_act(req->db, req->arena, &want, &req->why);
	return e ? e : session_answer(req, 200, want.session_id);
}

static const struct endpoint endpoint = {
	.name = "admin_session",
	.who = WHO_ADMIN,
	.routes = { { "POST", act } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
