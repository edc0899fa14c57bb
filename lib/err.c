#include <stddef.h>

#include "err.h"

static const struct {
	int status;
	const char *title;
} errs[ERR__MAX] = {
	[OK] = { 200, "OK" },
	[ERR_INVALID] = { 400, "Invalid input" },
	[ERR_UNAUTHENTICATED] = { 401, "Sign in first" },
	[ERR_FORBIDDEN] = { 403, "Not allowed" },
	[ERR_NOT_FOUND] = { 404, "Not found" },
	[ERR_METHOD] = { 405, "Method not allowed" },
	[ERR_CONFLICT] = { 409, "Conflict" },
	[ERR_GONE] = { 410, "Gone" },
	[ERR_TOO_LARGE] = { 413, "Too large" },
	[ERR_MEDIA_TYPE] = { 415, "Unsupported media type" },
	[ERR_THROTTLED] = { 429, "Too many attempts" },
	[ERR_INTERNAL] = { 500, "Internal error" },
	[ERR_UNAVAILABLE] = { 503, "Try again shortly" },
	[ERR_IN_DOUBT] = { 503, "Outcome unknown, repeat it" },
};

int err_status(enum err e)
{
	return errs[e].status;
}

const char *err_title(enum err e)
{
	return errs[e].title;
}

enum err why_not(struct why *why, enum err e, const char *field, const char *detail)
{
	if (why && !why->field && !why->detail)
		*why = (struct why){ .field = field, .detail = detail };
	return e;
}
