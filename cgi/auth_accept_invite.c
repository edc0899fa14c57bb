/*
 * POST /api/auth/accept-invite: choose a password by a one-time invitation, and sign in.
 *
 * Request   {"token": str, "password": str}
 * Answer    200 {"account": {"id", "name", "email", "role"}} and the login cookie
 * Errors    400 (password: too short or too common; the invitation stays usable)
 *           403 404 (token: unknown, used, replaced or expired)
 */
#include <json-c/json.h>

#include "account.h"
#include "app.h"
#include "fields.h"
#include "password.h"

#define TOKEN_TEXT_MAX 200

static enum err parse(struct req *req, struct account_entry *entry)
{
	struct fields f;

	fields_open(&f, req);
	entry->invite = fields_str(&f, "token", 1, TOKEN_TEXT_MAX);
	entry->password = fields_str(&f, "password", 1, PASSWORD_BYTES_MAX);
	entry->address = req_address(req);
	return fields_close(&f);
}

static enum err accept_invite(struct req *req)
{
	struct account_entry entry = { 0 };
	struct json_object *body;
	enum err e = parse(req, &entry);

	if (!e)
		e = account_accept(req->db, req->arena, &entry, &req->why);
	if (e)
		return e;
	req->who = entry.account;
	req_set_login(req, entry.token);
	body = json_object_new_object();
	json_object_object_add(body, "account", account_json(&entry.account));
	return req_json(req, 200, body);
}

static const struct endpoint endpoint = {
	.name = "auth_accept_invite",
	.who = WHO_ANYONE,
	.routes = { { "POST", accept_invite } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
