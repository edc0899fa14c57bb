/*
 * POST /api/admin/auto-timeout: what session-timeout does, now.
 *
 * Request   {}, or {"dry_run": true}, which only counts: {"due","unopened"}
 * Answer    200 {"timed_out","session_ids":[at most 200],"missed","settled","duration_ms"}
 * Errors    400 401 403 503
 */
#include "app.h"
#include "fields.h"
#include "timeout_json.h"

static enum err run(struct req *req)
{
	struct json_object *answer;
	struct fields f;
	bool dry_run;
	enum err e;

	fields_open(&f, req);
	dry_run = fields_bool_or(&f, "dry_run", false);
	e = fields_close(&f);
	if (e)
		return e;
	e = dry_run ? timeout_due_json(req->db, req->arena, &answer)
		    : timeout_run_json(req->db, req->arena, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "admin_auto_timeout",
	.who = WHO_ADMIN,
	.routes = { { "POST", run } },
	.workers = 1,
	.stuck_s = STUCK_JOB_S,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
