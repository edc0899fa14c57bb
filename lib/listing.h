#ifndef LISTING_H
#define LISTING_H

#include <stdint.h>

#include "db.h"

struct json_object;
struct params;

/*
 * Lists of people and things: by name, bounded, narrowed by a part of the
 * name. Their answer is {"teachers": [...], "more": bool}.
 */
#define LISTING_MAX 1000 /* rows of an answer, and what limit may ask for at most */

/* What every list takes from its URL: q and limit. */
struct listing {
	const char *q; /* a part of the name, any case; NULL: all */
	int64_t limit;
};

void listing_params(struct params *p, struct listing *out);

/* limit as an argument of the query: one row more, which tells whether there is more. */
const char *listing_limit(struct arena *a, const struct listing *listing);

/* The rows under this name. The caller owns the answer; NULL if out of memory. */
struct json_object *listing_json(const struct listing *listing, const char *name,
				 struct db_rows *rows);

#endif
