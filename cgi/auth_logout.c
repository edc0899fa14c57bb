/*
 * POST /api/auth/logout: end this browser's login. Repeating it is fine.
 *
 * Request   {}
 * Answer    200 {}, and the login cookie is removed
 * Errors    400 403
 */
#include <json-c/json.h>

#include "app.h"
#include "fields.h"
#include "gate.h"

static enum err log_out(struct req *req)
{
	const char *token = gate_login_token(req);
	struct fields f;
	enum err e;

	fields_open(&f, req);
	e = fields_close(&f);
	if (!e && token)
		e = login_end(req->db, req->arena, token);
	if (e)
		return e;
	req_set_login(req, NULL);
	return req_json(req, 200, json_object_new_object());
}

static const struct endpoint endpoint = {
	.name = "auth_logout",
	.who = WHO_ANYONE,
	.routes = { { "POST", log_out } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
