/*
 * GET /api/cron/session-timeout: what session-timeout does, for hosts without crontab.
 *
 * Request   Authorization: Bearer $CRON_SECRET
 * Answer    200 {"timed_out","session_ids":[at most 200],"missed","settled","duration_ms"}
 * Errors    404 no secret is set, 401 wrong or missing, 400 unknown parameters, 503
 */
#include <string.h>
#include <strings.h>

#include "app.h"
#include "journal_replay.h"
#include "params.h"
#include "secret.h"
#include "timeout_json.h"

/* Of a request's time, and more than a group may take; the next ones replay a longer journal. */
#define REPLAY_MS 60000

static bool is_authorized(const struct req *req)
{
	const char *header = req_header(req, "Authorization");

	return header && !strncasecmp(header, "Bearer ", 7) &&
	       secret_matches(req->conf->cron_secret, header + 7);
}

/* As session-timeout does first. What cannot be replayed now is logged, and corrects rows later. */
static void replay(struct req *req)
{
	struct journal_replay done;

	if (req->conf->journal_dir)
		(void)!journal_replay(req->conf->journal_dir, req->db, REPLAY_MS, &done);
}

static enum err run(struct req *req)
{
	struct json_object *answer;
	struct params p;
	enum err e;

	if (!req->conf->cron_secret)
		return req_refuse(req, ERR_NOT_FOUND, NULL, "This door is closed.");
	if (!is_authorized(req)) {
		req_add_header(req, "WWW-Authenticate", "Bearer");
		return req_refuse(req, ERR_UNAUTHENTICATED, NULL, "Send the right bearer secret.");
	}
	params_open(&p, req);
	e = params_close(&p);
	if (e)
		return e;
	replay(req);
	e = timeout_run_json(req->db, req->arena, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "cron_session_timeout",
	.who = WHO_SECRET,
	.routes = { { "GET", run } },
	.workers = 1,
	.stuck_s = STUCK_JOB_S,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
