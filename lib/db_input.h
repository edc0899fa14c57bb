#ifndef DB_INPUT_H
#define DB_INPUT_H

#include "db.h"

/*
 * What a caller typed, on its way into a table, and what the table's
 * constraints say about it in the caller's words.
 */

/* n as an argument; NULL for the negative ones, by which callers say "not given". */
const char *db_i64_or_null(struct arena *a, int64_t n);

/* The hash of text, as a bytea: of a wish, to tell a repeat from another one; of a token, kept in
 * its place. */
const char *db_digest(struct arena *a, const char *text);

/* A constraint that input can break, and the input's name. A list ends with { 0 }. */
struct db_field {
	const char *constraint;
	const char *field;
	const char *detail; /* what to do about it */
};

/* Returns e; if a constraint of the list is behind it, *why names the field. */
MUST_CHECK enum err db_why(const struct db *db, enum err e, const struct db_field *fields,
			   struct why *why);

#endif
