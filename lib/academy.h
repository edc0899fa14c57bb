#ifndef ACADEMY_H
#define ACADEMY_H

#include <stdint.h>

#include "db.h"

struct json_object;

/*
 * The academy's own settings. Owns the SQL for table "academy", one row.
 *
 * Ownership  the caller owns the JSON it gets.
 */

/* What a change sets; NULL and -1 leave a setting as it is. */
struct academy_change {
	const char *name;
	const char *time_zone; /* of the IANA database */
	const char *currency;  /* ISO 4217 */
	int64_t default_duration_minutes;
	int64_t default_buffer_minutes;
	int64_t link_hours;
};

/* The settings, as GET /api/admin/settings answers them. */
MUST_CHECK enum err academy_settings(struct db *db, struct arena *a, struct json_object **out);

/*
 * Changes settings and reads them. Past classes keep what applied to them; days
 * of all classes are days of the new time zone at once.
 *
 * ERR_INVALID  naming the setting that cannot be so
 */
MUST_CHECK enum err academy_change(struct db *db, struct arena *a,
				   const struct academy_change *change, struct json_object **out,
				   struct why *why);

/* {"academy": {name, time_zone, currency}, "now": what clock_now() says}. */
MUST_CHECK enum err academy_now(struct db *db, struct arena *a, struct json_object **out);

#endif
