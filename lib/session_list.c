#include <json-c/json.h>
#include <string.h>

#include "csv.h"
#include "cursor_rows.h"
#include "db_json.h"
#include "session.h"
#include "session_list.h"

#define ARGS_MAX      16
#define CSV_BATCH     "1000" /* rows at a time */
#define CSV_BATCH_MS  10000  /* and the time they may take */
#define CSV_BUF_BYTES (4 << 20)

/* The text of a query and its arguments, which grow together. */
struct sql {
	struct arena *a;
	const char *text;
	const char *args[ARGS_MAX];
	int n;
};

/* Adds a condition; its one %d becomes the number of the argument. */
static void add(struct sql *q, const char *fmt_before, const char *fmt_after, const char *arg)
{
	q->args[q->n++] = arg;
	q->text = arena_printf(q->a, "%s%s$%d%s", q->text, fmt_before, q->n, fmt_after);
}

/* text with %, _ and \ made literal, for LIKE. */
static const char *like_part(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, 2 * strlen(text) + 3), *p = out;

	*p++ = '%';
	for (; *text; text++) {
		if (strchr("%_\\", *text))
			*p++ = '\\';
		*p++ = *text;
	}
	*p++ = '%';
	*p = '\0';
	return out;
}

/*
 * The one definition of what a filter means. It is about sessions s alone, so
 * that totals need no join, and asks once what is the same for every row. A
 * session counts on the day of its click, else of its sending.
 */
static void add_filter(struct sql *q, const struct session_filter *f)
{
	q->text = arena_printf(q->a, "%s WHERE true", q->text);
	if (f->from)
		add(q, " AND coalesce(s.clicked_at, s.sent_at) >= (SELECT academy_day_start(",
		    "::date))", f->from);
	if (f->to)
		add(q, " AND coalesce(s.clicked_at, s.sent_at) < (SELECT academy_day_start(",
		    "::date + 1))", f->to);
	if (f->status)
		add(q, " AND s.session_status = ", "", f->status);
	if (f->teacher_id)
		add(q, " AND s.teacher_id = ", "::bigint", arena_int(q->a, f->teacher_id));
	if (f->student_id)
		add(q, " AND s.student_id = ", "::bigint", arena_int(q->a, f->student_id));
	if (f->package_id)
		add(q, " AND s.package_id = ", "", f->package_id);
	if (f->q) {
		add(q, " AND (s.student_id = ANY (ARRAY(SELECT id FROM students WHERE name ILIKE ",
		    "))", like_part(q->a, f->q));
		q->text = arena_printf(q->a,
				       "%s OR s.teacher_id = ANY (ARRAY(SELECT id FROM accounts"
				       " WHERE name ILIKE $%d)))",
				       q->text, q->n);
	}
}

static enum err page(struct db *db, struct arena *a, const struct session_filter *filter,
		     int64_t limit, const struct cursor *after, struct db_rows *rows)
{
	struct sql q = { .a = a,
			 .text = "SELECT " SESSION_COLUMNS ", us(s.sent_at)::text AS _at"
				 " FROM" SESSION_TABLES };

	add_filter(&q, filter);
	if (after) {
		add(&q, " AND (s.sent_at, s.id) < (at_us(", "::bigint)", arena_int(a, after->us));
		add(&q, ", ", "::bigint)", arena_int(a, after->id));
	}
	add(&q, " ORDER BY s.sent_at DESC, s.id DESC LIMIT ", "::bigint + 1", arena_int(a, limit));
	return db_read(db, a, q.text, q.n, q.args, rows);
}

/* The answer but for its page. The caller owns *out. */
static enum err totals(struct db *db, struct arena *a, const struct session_filter *filter,
		       struct json_object **out)
{
	struct sql q = {
		.a = a,
		.text = "SELECT clock_now() AS generated_at,"
			" (SELECT time_zone FROM academy) AS time_zone,"
			" count(*) FILTER (WHERE session_status = 'sent') AS \"totals.sent\","
			" count(*) FILTER (WHERE session_status = 'active') AS \"totals.active\","
			" count(*) FILTER (WHERE session_status = 'ended') AS \"totals.ended\","
			" count(*) FILTER (WHERE session_status = 'timeout') AS \"totals.timeout\","
			" count(*) FILTER (WHERE session_status = 'cancelled') AS "
			"\"totals.cancelled\","
			" count(*) FILTER (WHERE session_status = 'missed') AS \"totals.missed\","
			" coalesce(sum(session_duration_minutes), 0) AS \"totals.minutes\""
			" FROM sessions s"
	};
	struct db_rows r;
	enum err e;

	add_filter(&q, filter);
	e = db_read(db, a, q.text, q.n, q.args, &r);
	if (e)
		return e;
	*out = db_next(&r) ? db_row_json(&r) : NULL;
	return *out ? OK : ERR_INTERNAL;
}

enum err session_list(struct db *db, struct arena *a, const struct keys *keys,
		      const struct session_filter *filter, int64_t limit,
		      const struct cursor *after, struct json_object **out)
{
	const char *next;
	struct db_rows rows;
	enum err e = page(db, a, filter, limit, after, &rows);

	if (!e)
		e = totals(db, a, filter, out);
	if (e)
		return e;
	json_object_object_add(*out, "sessions", cursor_rows_json(a, keys, &rows, limit, &next));
	json_object_object_add(*out, "next_cursor", next ? json_object_new_string(next) : NULL);
	return OK;
}

/* ------------------------------------------------------------------ CSV */

/* Local date and time, then the instant. */
#define CSV_MOMENT(column)                                                                         \
	"to_char(" column " AT TIME ZONE z.time_zone, 'YYYY-MM-DD HH24:MI:SS'), rfc3339(" column ")"
#define CSV_SENT  CSV_MOMENT("s.sent_at")
#define CSV_START CSV_MOMENT("s.clicked_at")
#define CSV_END	  CSV_MOMENT("s.session_ended_at")

/* The columns of csv_header(). */
static const char CSV_SELECT[] =
	"DECLARE export NO SCROLL CURSOR FOR SELECT s.id, t.name, st.name, s.package_id,"
	" s.package_rate, s.currency, s.session_status, " CSV_SENT ", " CSV_START ", " CSV_END ","
	" s.session_duration_minutes, s.ended_by, CASE WHEN s.estimated THEN 'yes' ELSE 'no' END,"
	" CASE WHEN " SESSION_PROVISIONAL " THEN 'yes' ELSE 'no' END, s.attendance,"
	" s.attendance_note FROM" SESSION_TABLES "CROSS JOIN (SELECT time_zone FROM academy) z";

#define CSV_COLUMNS 19

static enum err csv_header(struct db *db, struct arena *a, struct buf *buf)
{
	struct db_rows r;
	const char *zone;
	enum err e = db_read(db, a, "SELECT time_zone FROM academy", 0, NULL, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	zone = db_str(&r);

	const char *names[CSV_COLUMNS] = {
		"id",
		"teacher",
		"student",
		"package",
		"rate",
		"currency",
		"status",
		arena_printf(a, "sent (%s)", zone),
		"sent UTC",
		arena_printf(a, "start (%s)", zone),
		"start UTC",
		arena_printf(a, "end (%s)", zone),
		"end UTC",
		"minutes",
		"ended by",
		"estimated",
		"provisional",
		"attendance",
		"attendance note",
	};

	buf_str(buf, CSV_BOM);
	for (int i = 0; i < CSV_COLUMNS; i++)
		csv_field(buf, names[i]);
	csv_row_end(buf);
	return OK;
}

static void csv_rows(struct buf *buf, struct db_rows *r)
{
	while (db_next(r)) {
		for (int i = 0; i < CSV_COLUMNS; i++)
			csv_field(buf, db_str(r));
		csv_row_end(buf);
	}
}

static enum err csv_in_snapshot(struct db *db, const struct session_filter *filter, struct buf *buf,
				csv_sink *sink, void *to)
{
	struct arena *a = arena_new();
	struct sql q = { .a = a, .text = CSV_SELECT };
	bool more = true;
	enum err e;

	add_filter(&q, filter);
	q.text = arena_printf(a, "%s ORDER BY s.sent_at DESC, s.id DESC", q.text);
	e = csv_header(db, a, buf);
	if (!e)
		e = db_read(db, a, q.text, q.n, q.args, NULL);
	while (!e && more) {
		struct db_rows r;

		arena_reset(a);
		db_deadline(db, CSV_BATCH_MS);
		e = db_read(db, a, "FETCH " CSV_BATCH " FROM export", 0, NULL, &r);
		if (e)
			break;
		more = db_count(&r) > 0;
		csv_rows(buf, &r);
		e = csv_flush(buf, sink, to);
	}
	arena_free(a);
	return e;
}

enum err session_csv(struct db *db, const struct session_filter *filter, csv_sink *sink, void *to)
{
	struct buf buf;
	enum err e = db_begin_snapshot(db);

	if (e)
		return e;
	buf_init(&buf, CSV_BUF_BYTES);
	e = db_finish(db, csv_in_snapshot(db, filter, &buf, sink, to));
	buf_free(&buf);
	return e;
}
