#include <sodium.h>
#include <string.h>

#include "db_input.h"

const char *db_i64_or_null(struct arena *a, int64_t n)
{
	return n < 0 ? NULL : arena_int(a, n);
}

const char *db_digest(struct arena *a, const char *text)
{
	unsigned char hash[32];
	char *hex = arena_alloc(a, 2 + 2 * sizeof hash + 1);

	crypto_generichash(hash, sizeof hash, (const unsigned char *)text, strlen(text), NULL, 0);
	memcpy(hex, "\\x", 2);
	sodium_bin2hex(hex + 2, 2 * sizeof hash + 1, hash, sizeof hash);
	return hex;
}

enum err db_why(const struct db *db, enum err e, const struct db_field *fields, struct why *why)
{
	for (; fields->constraint; fields++)
		if (!strcmp(fields->constraint, db_constraint(db)))
			return why_not(why, e, fields->field, fields->detail);
	return e;
}
