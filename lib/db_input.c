#include <string.h>

#include "db_input.h"

const char *db_i64_or_null(struct arena *a, int64_t n)
{
	return n < 0 ? NULL : arena_int(a, n);
}

enum err db_why(const struct db *db, enum err e, const struct db_field *fields, struct why *why)
{
	for (; fields->constraint; fields++)
		if (!strcmp(fields->constraint, db_constraint(db)))
			return why_not(why, e, fields->field, fields->detail);
	return e;
}
