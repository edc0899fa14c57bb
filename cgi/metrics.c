/*
 * GET /metrics: figures for Prometheus, for this machine's collector.
 *
 * Answer    200 text/plain; version=0.0.4
 * Errors    403 another machine, 503 the database is away
 */
#include "app.h"
#include "health.h"
#include "params.h"

static enum err show(struct req *req)
{
	const char *text;
	struct params p;
	enum err e;

	params_open(&p, req);
	e = params_close(&p);
	if (!e)
		e = health_metrics(req->db, req->arena, &text);
	return e ? e : req_text(req, 200, "text/plain; version=0.0.4", text);
}

static const struct endpoint endpoint = {
	.name = "metrics",
	.who = WHO_LOCAL,
	.routes = { { "GET", show } },
	.workers = 1,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
