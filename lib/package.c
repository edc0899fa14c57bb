#include "db_input.h"
#include "db_json.h"
#include "package.h"

#define PRICE_BATCH 2000 /* classes a statement, so that each has time enough */
#define PRICE_MS    6000 /* for each; longer than the role's statement_timeout */

/* The shape of a package. */
#define COLS                                                                                       \
	"p.id, p.duration_minutes, p.buffer_minutes, p.rate, p.currency,"                          \
	" p.retired_at IS NOT NULL AS retired, p.created_at,"                                      \
	" (SELECT count(*) FROM students s WHERE s.package_id = p.id AND s.disabled_at IS NULL)"   \
	" AS active_students"

static const char SQL_LIST[] = "SELECT " COLS " FROM packages p"
			       " WHERE ($1::text IS NULL OR strpos(lower(p.id), lower($1)) > 0)"
			       " ORDER BY p.id LIMIT $2::bigint";

static const char SQL_CREATE[] =
	"INSERT INTO packages AS p (id, duration_minutes, buffer_minutes, rate, currency)"
	" VALUES ($1, $2::integer, $3::integer, $4::numeric, $5) RETURNING " COLS;

static const char SQL_CHANGE[] =
	"UPDATE packages p SET duration_minutes = coalesce($2::integer, duration_minutes),"
	" buffer_minutes = coalesce($3::integer, buffer_minutes),"
	" rate = CASE WHEN $6::boolean THEN $4::numeric ELSE rate END,"
	" currency = coalesce($5, currency),"
	" retired_at = CASE $7::boolean WHEN true THEN coalesce(retired_at, clock_now())"
	" WHEN false THEN NULL ELSE retired_at END"
	" WHERE id = $1 RETURNING " COLS;

static const char SQL_UNPRICED[] =
	"SELECT s.id FROM sessions s JOIN packages p ON p.id = s.package_id"
	" WHERE p.id = $1 AND p.rate IS NOT NULL AND s.package_rate IS NULL ORDER BY s.id";

/* Locked in the order of their ids, as everywhere. The evidence explains pay and decides nothing.
 */
static const char SQL_PRICE[] =
	"WITH locked AS (SELECT id FROM sessions WHERE id = ANY ($2::bigint[])"
	"  AND package_rate IS NULL ORDER BY id FOR NO KEY UPDATE"
	"), priced AS (UPDATE sessions s SET package_rate = p.rate, currency = p.currency"
	"  FROM locked, packages p WHERE s.id = locked.id AND p.id = $1"
	"  RETURNING s.id, s.package_rate, s.currency)"
	" INSERT INTO session_events (session_id, kind, happened_at, source, account_id, detail)"
	" SELECT id, 'priced', clock_now(), 'admin', $3::bigint,"
	"  jsonb_build_object('package_rate', package_rate::text, 'currency', currency) FROM "
	"priced";

static const struct db_field fields[] = {
	{ "packages_pkey", "name", "A package of this name exists." },
	{ "packages_currency_check", "currency", "It must be three capital letters, such as USD." },
	{ 0 },
};

enum err package_list(struct db *db, struct arena *a, const struct listing *listing,
		      struct json_object **out)
{
	const char *args[] = { listing->q, listing_limit(a, listing) };
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_LIST, 2, args, &rows);

	if (e)
		return e;
	*out = listing_json(listing, "packages", &rows);
	return OK;
}

enum err package_create(struct db *db, struct arena *a, const struct package_fields *want,
			struct json_object **out, struct why *why)
{
	const char *args[] = { want->id, arena_int(a, want->duration_minutes),
			       arena_int(a, want->buffer_minutes), want->rate, want->currency };
	struct db_rows rows;
	enum err e = db_write(db, a, SQL_CREATE, 5, args, &rows);

	return e ? db_why(db, e, fields, why) : db_one_json(&rows, out);
}

/* Gives the package's rate, if it has one, to those of its classes that have none. */
static enum err price(struct db *db, struct arena *a, const struct package_fields *want)
{
	const char *args[] = { want->id, NULL, arena_int(a, want->account_id) };
	int64_t ids[PRICE_BATCH];
	struct db_rows unpriced;
	enum err e = db_read(db, a, SQL_UNPRICED, 1, args, &unpriced);

	while (!e) {
		size_t n = 0;

		while (n < PRICE_BATCH && db_next(&unpriced))
			ids[n++] = db_i64(&unpriced);
		if (!n)
			return db_end(&unpriced);
		args[1] = db_i64_array(a, ids, n);
		db_deadline(db, PRICE_MS);
		e = db_write(db, a, SQL_PRICE, 3, args, NULL);
	}
	return e;
}

static enum err change(struct db *db, struct arena *a, const struct package_fields *want,
		       struct json_object **out, struct why *why)
{
	const char *args[] = { want->id,
			       db_i64_or_null(a, want->duration_minutes),
			       db_i64_or_null(a, want->buffer_minutes),
			       want->rate,
			       want->currency,
			       want->set_rate ? "true" : "false",
			       want->retired };
	struct db_rows rows;
	enum err e = db_write(db, a, SQL_CHANGE, 7, args, &rows);

	if (e)
		return db_why(db, e, fields, why);
	e = db_one_json(&rows, out);
	if (e == ERR_NOT_FOUND)
		return why_not(why, e, "id", "There is no such package.");
	return e ? e : price(db, a, want);
}

enum err package_change(struct db *db, struct arena *a, const struct package_fields *want,
			struct json_object **out, struct why *why)
{
	enum err e = db_begin(db);

	if (e)
		return e;
	*out = NULL;
	return db_finish_json(db, change(db, a, want, out, why), out);
}
