#include <json-c/json.h>

#include "db_json.h"
#include "trends.h"

#define CSV_BUF_BYTES (1 << 20)
#define CSV_FLUSH_AT  (1 << 16)

static const char SQL_RANGE[] =
	"SELECT first::text, last::text, last - first + 1"
	" FROM (SELECT coalesce($2::date, academy_day(clock_now())) AS last) l, LATERAL"
	" (SELECT coalesce($1::date, greatest(last - $3::integer + 1, '0001-01-01')) AS first) f";

/*
 * One scan of the days $1 to $2 feeds every table: a row of "sums" is a day's,
 * a teacher's, an hour's of the week or a month's pay of a teacher; the columns
 * it does not group by are null. OFFSET 0 has the zone's arithmetic done once a
 * session, not once a column.
 */
#define WITH_SUMS                                                                                  \
	"WITH counted AS ("                                                                        \
	" SELECT s.teacher_id, s.currency, s.package_rate, s.session_status AS status,"            \
	"  s.estimated, s.session_duration_minutes AS minutes,"                                    \
	"  s.session_status IN ('ended', 'timeout') AS is_paid,"                                   \
	"  academy_day(coalesce(s.clicked_at, s.sent_at), z.zone) AS day,"                         \
	"  coalesce(s.clicked_at, s.sent_at) AT TIME ZONE z.zone AS local"                         \
	" FROM sessions s, (SELECT time_zone AS zone FROM academy) z"                              \
	" WHERE coalesce(s.clicked_at, s.sent_at) >= (SELECT academy_day_start($1::date))"         \
	"  AND coalesce(s.clicked_at, s.sent_at) < (SELECT academy_day_start($2::date + 1))"       \
	" OFFSET 0"                                                                                \
	"), sums AS ("                                                                             \
	" SELECT day, teacher_id, extract(isodow FROM local)::integer - 1 AS weekday,"             \
	"  extract(hour FROM local)::integer AS hour, to_char(day, 'YYYY-MM') AS month, currency," \
	"  count(*) FILTER (WHERE status IN ('active', 'ended', 'timeout')) AS classes,"           \
	"  coalesce(sum(minutes), 0) AS minutes,"                                                  \
	"  count(*) FILTER (WHERE status = 'timeout') AS timeouts,"                                \
	"  count(*) FILTER (WHERE status = 'missed') AS missed,"                                   \
	"  count(*) FILTER (WHERE is_paid) AS paid,"                                               \
	"  coalesce(sum(minutes) FILTER (WHERE estimated), 0) AS estimated_minutes,"               \
	"  coalesce(sum(package_rate) FILTER (WHERE is_paid), 0)::numeric(20, 2)::text"            \
	"   AS sum_rate,"                                                                          \
	"  count(*) FILTER (WHERE is_paid AND package_rate IS NULL) AS without_rate"               \
	" FROM counted GROUP BY GROUPING SETS ((day), (teacher_id), (extract(isodow FROM local)"   \
	"  ::integer - 1, extract(hour FROM local)::integer),"                                     \
	"  (to_char(day, 'YYYY-MM'), teacher_id, currency))"                                       \
	"), pay AS ("                                                                              \
	" SELECT p.*, t.name FROM sums p JOIN accounts t ON t.id = p.teacher_id"                   \
	" WHERE p.month IS NOT NULL AND p.paid > 0"                                                \
	" ORDER BY p.month, lower(t.name), t.id, p.currency"                                       \
	"), teachers AS ("                                                                         \
	" SELECT c.*, t.name FROM sums c JOIN accounts t ON t.id = c.teacher_id"                   \
	" WHERE c.month IS NULL AND c.classes + c.missed > 0 ORDER BY lower(t.name), t.id) "

static const char SQL_TRENDS[] = WITH_SUMS
	"SELECT $1::date::text AS from, $2::date::text AS to,"
	" (SELECT time_zone FROM academy) AS time_zone,"
	" (SELECT json_agg(json_build_object('day', d.day::date, 'classes', coalesce(classes, 0),"
	"   'minutes', coalesce(minutes, 0), 'timeouts', coalesce(timeouts, 0),"
	"   'missed', coalesce(missed, 0)) ORDER BY d.day)"
	"  FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') d(day)"
	"  LEFT JOIN sums ON sums.day = d.day) AS days,"
	" (SELECT coalesce(json_agg(json_build_object('teacher', json_build_object("
	"   'id', teacher_id, 'name', name), 'classes', classes, 'minutes', minutes,"
	"   'timeouts', timeouts, 'missed', missed)), '[]')"
	"  FROM (SELECT * FROM teachers LIMIT $3::bigint) t) AS teachers,"
	" (SELECT coalesce(json_agg(json_build_object('weekday', weekday, 'hour', hour,"
	"   'classes', classes) ORDER BY weekday, hour), '[]')"
	"  FROM sums WHERE hour IS NOT NULL AND classes > 0) AS hours,"
	" (SELECT coalesce(json_agg(json_build_object('month', month, 'teacher', json_build_object("
	"   'id', teacher_id, 'name', name), 'currency', currency, 'classes', paid,"
	"   'minutes', minutes, 'estimated_minutes', estimated_minutes, 'sum_rate', sum_rate,"
	"   'without_rate', without_rate)), '[]')"
	"  FROM (SELECT * FROM pay LIMIT $3::bigint) p) AS pay,"
	" (SELECT count(*) FROM teachers) > $3::bigint OR (SELECT count(*) FROM pay) > $3::bigint"
	"  AS more";

/* The columns of csv_names. */
static const char SQL_PAY[] = WITH_SUMS
	"SELECT month, greatest($1::date, first), least($2::date, academy_day(clock_now()),"
	"  (first + interval '1 month')::date - 1), teacher_id, name, currency, paid, minutes,"
	" estimated_minutes, sum_rate, without_rate"
	" FROM pay, LATERAL (SELECT (month || '-01')::date AS first) f";

static const char *const csv_names[] = { "month",
					 "first day",
					 "last day",
					 "teacher id",
					 "teacher",
					 "currency",
					 "classes",
					 "minutes",
					 "estimated minutes",
					 "sum of rates",
					 "classes without rate" };

#define CSV_COLUMNS (sizeof csv_names / sizeof *csv_names)

enum err trends_days(struct db *db, struct arena *a, struct trends_range *range, struct why *why)
{
	const char *args[] = { range->from, range->to, arena_int(a, TRENDS_DAYS_DEFAULT) };
	struct db_rows r;
	int64_t n;
	enum err e = db_read(db, a, SQL_RANGE, 3, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	range->from = db_str(&r);
	range->to = db_str(&r);
	n = db_i64(&r);
	if (n < 1)
		return why_not(why, ERR_INVALID, "from", "The first day lies after the last one.");
	if (n > TRENDS_DAYS_MAX)
		return why_not(why, ERR_INVALID, "from",
			       arena_printf(a, "Ask for at most %d days.", TRENDS_DAYS_MAX));
	return db_end(&r);
}

enum err trends(struct db *db, struct arena *a, const struct trends_range *range,
		struct json_object **out)
{
	const char *args[] = { range->from, range->to, arena_int(a, TRENDS_ROWS_MAX) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_TRENDS, 3, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*out = db_row_json(&r);
	return *out ? OK : ERR_INTERNAL;
}

static enum err csv_rows(struct buf *buf, struct db_rows *r, csv_sink *sink, void *to)
{
	enum err e = OK;

	while (!e && db_next(r)) {
		for (size_t i = 0; i < CSV_COLUMNS; i++)
			csv_field(buf, db_str(r));
		csv_row_end(buf);
		if (buf->len >= CSV_FLUSH_AT)
			e = csv_flush(buf, sink, to);
	}
	return e ? e : csv_flush(buf, sink, to);
}

enum err trends_csv(struct db *db, struct arena *a, const struct trends_range *range,
		    csv_sink *sink, void *to)
{
	const char *args[] = { range->from, range->to };
	struct buf buf;
	struct db_rows r;
	enum err e = db_read(db, a, SQL_PAY, 2, args, &r);

	if (e)
		return e;
	buf_init(&buf, CSV_BUF_BYTES);
	buf_str(&buf, CSV_BOM);
	for (size_t i = 0; i < CSV_COLUMNS; i++)
		csv_field(&buf, csv_names[i]);
	csv_row_end(&buf);
	e = csv_rows(&buf, &r, sink, to);
	buf_free(&buf);
	return e;
}
