/*
 * POST /api/auth/login: sign in.
 *
 * Request   {"email": str, "password": str}
 * Answer    200 {"account": {"id", "name", "email", "role"}} and the login cookie
 * Errors    400 401 (one text, whether the account exists or not) 403 429 (Retry-After)
 *
 * Argon2 takes 19 MiB and a tenth of a second of a core: the number of workers bounds both.
 */
#include <json-c/json.h>

#include "account.h"
#include "app.h"
#include "fields.h"
#include "gate.h"
#include "password.h"

static enum err parse(struct req *req, struct account_entry *entry)
{
	struct fields f;

	fields_open(&f, req);
	entry->email = fields_str(&f, "email", 1, ACCOUNT_EMAIL_MAX);
	entry->password = fields_str(&f, "password", 1, PASSWORD_BYTES_MAX);
	entry->address = req_address(req);
	return fields_close(&f);
}

/* A browser has one login: the one it comes with ends. */
static enum err end_earlier(struct req *req)
{
	const char *token = gate_login_token(req);

	return token ? login_end(req->db, req->arena, token) : OK;
}

static enum err sign_in(struct req *req)
{
	struct account_entry entry = { 0 };
	struct json_object *body;
	enum err e = parse(req, &entry);

	if (!e)
		e = account_sign_in(req->db, req->arena, &entry, &req->why);
	if (e == ERR_THROTTLED)
		req_add_header(req, "Retry-After", arena_int(req->arena, entry.wait_s));
	if (!e)
		e = end_earlier(req);
	if (e)
		return e;
	req->who = entry.account;
	req_set_login(req, entry.token);
	body = json_object_new_object();
	json_object_object_add(body, "account", account_json(&entry.account));
	return req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "auth_login",
	.who = WHO_ANYONE,
	.routes = { { "POST", sign_in } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
