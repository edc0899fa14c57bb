#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "params.h"
#include "when.h"

void params_open(struct params *p, struct req *req)
{
	*p = (struct params){ .req = req };
	p->err = query_parse(req->arena, req->query, &p->query, &req->why);
}

void params_refuse(struct params *p, const char *name, const char *detail)
{
	if (!p->err)
		p->err = req_refuse(p->req, ERR_INVALID, name, detail);
}

/* The value, counted as asked for; NULL when absent. */
static const char *take(struct params *p, const char *name)
{
	if (p->err)
		return NULL;
	if (p->asked < PARAMS_MAX)
		p->taken[p->asked++] = name;
	return query_get(&p->query, name);
}

int64_t params_i64_or(struct params *p, const char *name, int64_t min, int64_t max,
		      int64_t fallback)
{
	const char *v = take(p, name);
	char *end;
	long long n;

	if (!v)
		return fallback;
	errno = 0;
	n = strtoll(v, &end, 10);
	if (!errno && *v && !*end && strspn(v, "0123456789") == strlen(v) && n >= min && n <= max)
		return n;
	params_refuse(p, name,
		      arena_printf(p->req->arena, "It must be a whole number from %lld to %lld.",
				   (long long)min, (long long)max));
	return fallback;
}

const char *params_str_or(struct params *p, const char *name, size_t min, size_t max,
			  const char *fallback)
{
	const char *v = take(p, name);

	if (!v || (!*v && !min))
		return fallback;
	if (strlen(v) < min || strlen(v) > max)
		params_refuse(p, name,
			      arena_printf(p->req->arena, "It must be %zu to %zu bytes of text.",
					   min, max));
	return v;
}

const char *params_word_or_null(struct params *p, const char *name, const char *const *words)
{
	const char *v = take(p, name);
	const char *known = "";

	for (size_t i = 0; v && words[i]; i++) {
		if (!strcmp(v, words[i]))
			return words[i];
		known = arena_printf(p->req->arena, "%s%s%s", known, i ? ", " : "", words[i]);
	}
	if (v)
		params_refuse(p, name,
			      arena_printf(p->req->arena, "It must be one of: %s.", known));
	return NULL;
}

const char *params_day_or_null(struct params *p, const char *name)
{
	const char *v = take(p, name);

	if (v && !when_is_date(v))
		params_refuse(p, name, "It must be a day of the calendar, YYYY-MM-DD.");
	return v;
}

static bool was_taken(const struct params *p, const char *name)
{
	for (int i = 0; i < p->asked; i++)
		if (!strcmp(p->taken[i], name))
			return true;
	return false;
}

enum err params_close(struct params *p)
{
	const char *repeated;

	if (p->err)
		return p->err;
	repeated = query_repeated(&p->query);
	if (repeated)
		params_refuse(p, repeated, "It stands there more than once.");
	for (size_t i = 0; i < p->query.count; i++)
		if (!was_taken(p, p->query.pair[i].name))
			params_refuse(p, p->query.pair[i].name,
				      "This call does not know such a parameter.");
	return p->err;
}
