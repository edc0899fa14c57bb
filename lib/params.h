#ifndef PARAMS_H
#define PARAMS_H

#include <stdint.h>

#include "err.h"
#include "query.h"

struct req;

#define PARAMS_MAX 16 /* names an endpoint may ask for */

/*
 * Reads the parameters behind a URL's ?, as fields.h reads a body: getters do
 * not fail, the first wrong one is remembered, and params_close() returns it,
 * or a repeated or unknown parameter, as ERR_INVALID. So is an empty value,
 * which must not widen what is asked for.
 */
struct params {
	struct req *req;
	struct query query;
	const char *taken[PARAMS_MAX];
	int asked;
	enum err err;
};

void params_open(struct params *p, struct req *req);

int64_t params_i64_or(struct params *p, const char *name, int64_t min, int64_t max,
		      int64_t fallback);
/* Where min is 0, for free text, an empty value counts as absent. */
const char *params_str_or(struct params *p, const char *name, size_t min, size_t max,
			  const char *fallback);
/* One of the words in the list, which a NULL ends; absent: NULL. */
const char *params_word_or_null(struct params *p, const char *name, const char *const *words);
/* A day of the calendar, YYYY-MM-DD; absent: NULL. */
const char *params_day_or_null(struct params *p, const char *name);

void params_refuse(struct params *p, const char *name, const char *detail);

MUST_CHECK enum err params_close(struct params *p);

#endif
