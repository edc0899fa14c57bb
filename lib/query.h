#ifndef QUERY_H
#define QUERY_H

#include <stddef.h>

#include "arena.h"
#include "err.h"

/*
 * The text behind the ? of a URL, raw as nginx hands it over, as pairs of name
 * and value in their order.
 *
 * Read as browsers write forms: pairs are split at &, names and values are
 * percent-decoded once, and + is a space. An empty piece (a=1&&b=2) is no
 * pair; a piece without = has the value "". Names and values are UTF-8.
 */

/* Longest text in bytes, and most pairs. Ours are shorter by far. */
#define QUERY_TEXT_MAX	8192
#define QUERY_PAIRS_MAX 32

struct query_pair {
	const char *name;
	const char *value;
};

struct query {
	size_t count;
	struct query_pair pair[QUERY_PAIRS_MAX];
};

/*
 * Fills *out from text (NULL is empty); strings live in the arena.
 *
 * ERR_INVALID  too long, too many pairs, a bad escape, %00 or invalid UTF-8;
 *              *why names the parameter if its name can be read, or "query"
 */
MUST_CHECK enum err query_parse(struct arena *a, const char *text, struct query *out,
				struct why *why);

/* The first value of name; NULL if it is not there. */
const char *query_get(const struct query *query, const char *name);

/* The first name that stands there twice; NULL if none does. */
const char *query_repeated(const struct query *query);

/*
 * The first value of name in text (may be NULL), whatever else stands there:
 * other parameters may be repeated, unknown or garbage. name is compared with
 * the raw bytes. NULL if it is not there or its own value does not decode.
 */
const char *query_first(struct arena *a, const char *text, const char *name);

#endif
