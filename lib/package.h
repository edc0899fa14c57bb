#ifndef PACKAGE_H
#define PACKAGE_H

#include <stdint.h>

#include "db.h"
#include "listing.h"

/*
 * What a student has booked: minutes and a rate. Owns the SQL for "packages".
 * A package is known by its name, which never changes; what nobody books any
 * more is retired. A class keeps what applied when its link was sent; one that
 * has no rate gets its package's at the next change of the package.
 *
 * Ownership  the caller owns the JSON it gets.
 */
#define PACKAGE_NAME_MAX 100 /* characters */

/* Minutes of a class, and minutes on top before it times out. */
#define PACKAGE_MINUTES_MAX 1440

/* A new package, or what to change; NULL and -1: leave as it is. */
struct package_fields {
	const char *id; /* its name */
	int64_t duration_minutes;
	int64_t buffer_minutes;
	bool set_rate;
	const char *rate; /* decimal text; NULL: not agreed yet */
	const char *currency;
	const char *retired; /* "true", "false" */
	int64_t account_id;  /* who changes it */
};

/* All packages by name, as {"packages": [...]}. */
MUST_CHECK enum err package_list(struct db *db, struct arena *a, const struct listing *listing,
				 struct json_object **out);

/* ERR_CONFLICT naming name: it exists. ERR_INVALID naming what cannot be so. */
MUST_CHECK enum err package_create(struct db *db, struct arena *a,
				   const struct package_fields *want, struct json_object **out,
				   struct why *why);

/*
 * Whatever is changed, if anything is: the package's rate is given to those of
 * its classes that have none, and their evidence says so. ERR_NOT_FOUND naming
 * id. ERR_INVALID as above.
 */
MUST_CHECK enum err package_change(struct db *db, struct arena *a,
				   const struct package_fields *want, struct json_object **out,
				   struct why *why);

#endif
