#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "err.h"

/*
 * The numbered steps of schema/, embedded by schema/embed.cmake, and the one
 * runner that applies them.
 */
struct migration {
	int version; /* 1, 2, 3 ... without gaps; 0 ends the list */
	const char *name;
	const char *sql;
};

extern const struct migration migrations[];

/*
 * Brings the database at conninfo up to the newest migration, each in a
 * transaction of its own, under a lock that lets one runner in at a time.
 * Prints a line for each step. Owner's rights needed.
 *
 * ERR_CONFLICT     the database is newer than this program, or it is empty and
 *                  cannot hold names of every script
 * ERR_UNAVAILABLE  no connection
 * ERR_INTERNAL     a step failed and was rolled back
 */
MUST_CHECK enum err db_migrate(const char *conninfo);

#endif
