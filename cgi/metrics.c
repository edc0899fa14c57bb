/*
 * GET /metrics: figures for Prometheus, for this machine's collector.
 *
 * Answer    200 text/plain; version=0.0.4
 * Errors    403 another machine. While the database is away: classclock_database_up 0
 */
#include "app.h"
#include "health.h"
#include "params.h"

static enum err show(struct req *req)
{
	struct params p;
	enum err e;

	params_open(&p, req);
	e = params_close(&p);
	return e ? e
		 : req_text(req, 200, "text/plain; version=0.0.4",
			    health_metrics(req->db, req->arena, req->conf->journal_dir));
}

static const struct endpoint endpoint = {
	.name = "metrics",
	.who = WHO_LOCAL,
	.routes = { { "GET", show } },
	.workers = 1,
	.deadline_ms = 2000,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
