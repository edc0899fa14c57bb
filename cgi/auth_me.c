/*
 * GET /api/auth/me: who is signed in, where, and what time the academy's clock shows.
 *
 * Answer    200 {"account": {"id", "name", "email", "role"},
 *                "academy": {"name", "time_zone", "currency"}, "now": moment}
 * Errors    400 401
 */
#include <json-c/json.h>

#include "academy.h"
#include "account.h"
#include "app.h"
#include "params.h"

static enum err me(struct req *req)
{
	struct json_object *body;
	struct params p;
	enum err e;

	params_open(&p, req);
	e = params_close(&p);
	if (!e)
		e = academy_now(req->db, req->arena, &body);
	if (e)
		return e;
	json_object_object_add(body, "account", account_json(&req->who));
	return req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "auth_me",
	.who = WHO_SIGNED_IN,
	.routes = { { "GET", me } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
