#include "academy.h"
#include "db_input.h"
#include "db_json.h"

#define SETTINGS                                                                                   \
	"name, time_zone, currency, default_duration_minutes, default_buffer_minutes, link_hours"

static const char SQL_SETTINGS[] = "SELECT " SETTINGS " FROM academy";

static const char SQL_CHANGE[] =
	"UPDATE academy SET name = coalesce($1, name), time_zone = coalesce($2, time_zone),"
	" currency = coalesce($3, currency),"
	" default_duration_minutes = coalesce($4::integer, default_duration_minutes),"
	" default_buffer_minutes = coalesce($5::integer, default_buffer_minutes),"
	" link_hours = coalesce($6::integer, link_hours) RETURNING " SETTINGS;

static const char SQL_NOW[] = "SELECT name AS \"academy.name\", time_zone AS \"academy.time_zone\","
			      " currency AS \"academy.currency\", clock_now() AS now FROM academy";

static const struct db_field fields[] = {
	{ "academy_time_zone_check", "time_zone",
	  "It must be a zone of the IANA database, such as Africa/Addis_Ababa." },
	{ "academy_currency_check", "currency", "It must be three capital letters, such as USD." },
	{ 0 },
};

enum err academy_settings(struct db *db, struct arena *a, struct json_object **out)
{
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_SETTINGS, 0, NULL, &rows);

	return e ? e : db_one_json(&rows, out);
}

enum err academy_change(struct db *db, struct arena *a, const struct academy_change *change,
			struct json_object **out, struct why *why)
{
	const char *args[] = {
		change->name,
		change->time_zone,
		change->currency,
		db_i64_or_null(a, change->default_duration_minutes),
		db_i64_or_null(a, change->default_buffer_minutes),
		db_i64_or_null(a, change->link_hours),
	};
	struct db_rows rows;
	enum err e = db_write(db, a, SQL_CHANGE, 6, args, &rows);

	return e ? db_why(db, e, fields, why) : db_one_json(&rows, out);
}

enum err academy_now(struct db *db, struct arena *a, struct json_object **out)
{
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_NOW, 0, NULL, &rows);

	return e ? e : db_one_json(&rows, out);
}
