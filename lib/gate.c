#include <string.h>

#include "cookie.h"
#include "gate.h"

const char *gate_cookie_name(const struct conf *conf)
{
	return conf->https ? "__Host-login" : "login";
}

const char *gate_login_token(const struct req *req)
{
	return cookie_get(req->arena, req_header(req, "Cookie"), gate_cookie_name(req->conf));
}

static bool changes_something(const struct req *req)
{
	return strcmp(req->method, "GET") != 0 && strcmp(req->method, "HEAD") != 0;
}

/*
 * A changing call must come from our own pages. Whoever sends neither header
 * nor a cookie is no browser, and has only the rights its request proves.
 * Source: design, HTTP contract, "Browsers".
 */
static bool is_from_our_pages(const struct req *req)
{
	const char *site = req_header(req, "Sec-Fetch-Site");
	const char *origin = req_header(req, "Origin");

	if (site)
		return !strcmp(site, "same-origin");
	if (origin)
		return !strcmp(origin, req->conf->base_url ? req->conf->base_url : "");
	return !req_header(req, "Cookie");
}

static bool is_this_machine(const struct req *req)
{
	const char *address = req_address(req);

	return !strcmp(address, "127.0.0.1") || !strcmp(address, "::1");
}

enum err gate_who(struct req *req)
{
	bool acts = !req->endpoint->keeps_login && !req_header(req, "X-Poll");

	return login_find(req->db, req->arena, gate_login_token(req), acts, &req->who);
}

static enum err require_login(struct req *req)
{
	enum who who = req->endpoint->who;
	enum err e = gate_who(req);

	if (e)
		return e;
	if (!req->who.id)
		return req_refuse(req, ERR_UNAUTHENTICATED, NULL, "Sign in and try again.");
	if (who == WHO_ADMIN && req->who.role != ROLE_ADMIN)
		return req_refuse(req, ERR_FORBIDDEN, NULL, "Only an admin may do this.");
	if (who == WHO_TEACHER && req->who.role != ROLE_TEACHER_ACCOUNT)
		return req_refuse(req, ERR_FORBIDDEN, NULL, "Only a teacher may do this.");
	return OK;
}

enum err gate_check(struct req *req)
{
	enum who who = req->endpoint->who;

	if (who != WHO_SECRET && changes_something(req) && !is_from_our_pages(req))
		return req_refuse(req, ERR_FORBIDDEN, NULL,
				  "This call came from a page of another site.");
	switch (who) {
	case WHO_ANYONE:
	case WHO_SECRET:
		return OK;
	case WHO_LOCAL:
		return is_this_machine(req)
			       ? OK
			       : req_refuse(req, ERR_FORBIDDEN, NULL, "Only this machine may ask.");
	case WHO_SIGNED_IN:
	case WHO_TEACHER:
	case WHO_ADMIN:
		return require_login(req);
	case WHO_NOBODY:
		break;
	}
	return ERR_FORBIDDEN;
}
