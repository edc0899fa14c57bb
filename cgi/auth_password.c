/*
 * POST /api/auth/password: change one's own password. The account's other logins end.
 *
 * Request   {"current_password": str, "new_password": str}
 * Answer    200 {}
 * Errors    400 (current_password: wrong; new_password: too short or too common)
 *           401 403 429 (Retry-After)
 */
#include <json-c/json.h>

#include "account.h"
#include "app.h"
#include "fields.h"
#include "gate.h"
#include "password.h"

static enum err parse(struct req *req, struct account_change *change)
{
	struct fields f;

	fields_open(&f, req);
	change->current = fields_str(&f, "current_password", 1, PASSWORD_BYTES_MAX);
	change->wanted = fields_str(&f, "new_password", 1, PASSWORD_BYTES_MAX);
	change->address = req_address(req);
	change->keep_token = gate_login_token(req);
	return fields_close(&f);
}

static enum err change_password(struct req *req)
{
	struct account_change change = { 0 };
	enum err e = parse(req, &change);

	if (!e)
		e = account_change_password(req->db, req->arena, &req->who, &change, &req->why);
	if (e == ERR_THROTTLED)
		req_add_header(req, "Retry-After", arena_int(req->arena, change.wait_s));
	return e ? e : req_json(req, 200, json_object_new_object());
}

static const struct endpoint endpoint = {
	.name = "auth_password",
	.who = WHO_SIGNED_IN,
	.routes = { { "POST", change_password } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
