#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct req;
struct json_object;

#define FIELDS_MAX 32 /* members a body may have */

/*
 * Reads the JSON object in a request's body. The getters do not fail: the
 * first missing, mistyped or out-of-range field is remembered by name, and
 * fields_close() returns it, or a field nobody asked for, as ERR_INVALID.
 *
 * Lengths are in characters (code points). Strings belong to the request.
 */
struct fields {
	struct req *req;
	struct json_object *body;      /* NULL after an error */
	const char *taken[FIELDS_MAX]; /* the members asked for so far; close() wants all of them */
	int asked;
	enum err err;
};

/* An empty body counts as {}. Parameters behind the URL are refused. */
void fields_open(struct fields *f, struct req *req);

/* Whether the member is there, null or not. */
bool fields_has(const struct fields *f, const char *name);

int64_t fields_i64(struct fields *f, const char *name, int64_t min, int64_t max);
/* Absent or null: fallback. */
int64_t fields_i64_or(struct fields *f, const char *name, int64_t min, int64_t max,
		      int64_t fallback);
bool fields_bool_or(struct fields *f, const char *name, bool fallback);
const char *fields_str(struct fields *f, const char *name, size_t min, size_t max);
/* Absent or null: fallback. */
const char *fields_str_or(struct fields *f, const char *name, size_t min, size_t max,
			  const char *fallback);
/* What people call someone or something: 1 to max characters, not all blank. */
const char *fields_name(struct fields *f, const char *name, size_t max);
/* true or false as SQL's text; absent: NULL. */
const char *fields_flag_or_null(struct fields *f, const char *name);
/* One of the words in the list, which a NULL ends. */
const char *fields_word(struct fields *f, const char *name, const char *const *words);
/* A UUID in its usual form of 36 characters. */
const char *fields_uuid(struct fields *f, const char *name);
/* A moment, YYYY-MM-DDTHH:MM:SS[.ffffff]Z, in microseconds. Absent or null: fallback. */
int64_t fields_moment_or(struct fields *f, const char *name, int64_t fallback);
/* An amount of money as text, at most 12 digits and 2 decimals. Absent or null: NULL. */
const char *fields_money_or_null(struct fields *f, const char *name);

/* Refuses a member for a reason of the caller's; the first refusal counts. */
void fields_refuse(struct fields *f, const char *name, const char *detail);

MUST_CHECK enum err fields_close(struct fields *f);

#endif
