/*
 * GET /healthz: whether the product works, for this machine's monitor.
 *
 * Answer    200 {"status":"ok|degraded","database","now","timeout":{...},"journal":{...},
 *           "schema_version"}; degraded: session-timeout or retention has not succeeded lately,
 *           Zoom checks the webhook no more, or the journal waits, cannot be read or has lost
 *           something
 * Errors    400, 403 another machine, 503 the database is away
 */
#include "app.h"
#include "health.h"
#include "params.h"

static enum err show(struct req *req)
{
	struct json_object *answer;
	struct params p;
	enum err e;

	params_open(&p, req);
	e = params_close(&p);
	if (!e)
		e = health_json(req->db, req->arena, req->conf->journal_dir, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "healthz",
	.who = WHO_LOCAL,
	.routes = { { "GET", show } },
	.workers = 1,
	.deadline_ms = 2000,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
