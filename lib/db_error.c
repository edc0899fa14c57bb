#include <string.h>

#include "db_error.h"

enum err db_error_meaning(const char *sqlstate)
{
	static const struct {
		const char *prefix;
		enum err e;
	} map[] = {
		{ "23505", ERR_CONFLICT },    /* unique_violation */
		{ "23P01", ERR_CONFLICT },    /* exclusion_violation */
		{ "23503", ERR_NOT_FOUND },   /* foreign_key_violation */
		{ "23514", ERR_INVALID },     /* check_violation */
		{ "22", ERR_INVALID },	      /* data exception */
		{ "25006", ERR_UNAVAILABLE }, /* read-only: an old primary */
		{ "25P03",
		  ERR_UNAVAILABLE },	   /* idle in a transaction, as when stopped: rolled back */
		{ "40", ERR_UNAVAILABLE }, /* serialization, deadlock: rolled back */
		{ "53", ERR_UNAVAILABLE }, /* insufficient resources */
		{ "55P03", ERR_UNAVAILABLE }, /* lock timeout */
		{ "57014", ERR_UNAVAILABLE }, /* statement timeout: rolled back */
		{ "57P", ERR_UNAVAILABLE },   /* shutting down: rolled back */
		{ "58", ERR_UNAVAILABLE },    /* system error: disk */
	};

	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		if (!strncmp(sqlstate, map[i].prefix, strlen(map[i].prefix)))
			return map[i].e;
	return ERR_INTERNAL;
}

const char *db_error_field(const PGresult *res, int code)
{
	const char *text = PQresultErrorField(res, code);

	return text ? text : "";
}

bool db_error_is_refusal(const PGresult *res)
{
	const char *sqlstate = db_error_field(res, PG_DIAG_SQLSTATE);

	return *sqlstate && strncmp(sqlstate, "08", 2) != 0 &&
	       strcmp(db_error_field(res, PG_DIAG_SEVERITY_NONLOCALIZED), "PANIC") != 0;
}

bool db_error_spends(const PGresult *res)
{
	const char *sqlstate = db_error_field(res, PG_DIAG_SQLSTATE);

	return !strcmp(db_error_field(res, PG_DIAG_SEVERITY_NONLOCALIZED), "FATAL") ||
	       !strcmp(sqlstate, "25006") || !strcmp(sqlstate, "26000") ||
	       !strcmp(sqlstate, "0A000");
}
