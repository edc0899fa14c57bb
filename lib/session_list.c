#include <json-c/json.h>
#include <string.h>

#include "csv.h"
#include "cursor_rows.h"
#include "db_json.h"
#include "session.h"
#include "session_list.h"

#define ARGS_MAX      40
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

static void add_text(struct sql *q, const char *text)
{
	q->text = arena_printf(q->a, "%s%s", q->text, text);
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

/* What a filter's days and names stand for now; moments and arrays as text. */
struct meaning {
	const char *from, *to;		    /* [from, to), NULL without days */
	const char *first_hour, *hours_end; /* the whole hours of UTC in it */
	const char *students, *teachers;    /* whose names contain what is searched for */
	bool anybody;
};

/*
 * Asked first and sent back as values, so that PostgreSQL plans for as many as
 * there are: one student's classes are looked up, those of many are met soon
 * while walking the newest.
 */
static enum err find_meaning(struct db *db, struct arena *a, const struct session_filter *f,
			     struct meaning *out)
{
	const char *args[] = { f->from, f->to, f->q ? like_part(a, f->q) : NULL,
			       f->days ? arena_int(a, f->days) : NULL };
	bool dated = f->from || f->to || f->days;
	struct db_rows r;
	enum err e;

	*out = (struct meaning){ 0 };
	if (!dated && !f->q)
		return OK;
	e = db_read(
		db, a,
		"SELECT a, b, session_hour(a + interval '1 hour' - interval '1 microsecond', NULL),"
		" session_hour(b, NULL), students, teachers, students <> '{}' OR teachers <> '{}'"
		" FROM (SELECT coalesce(academy_day_start(first), '-infinity') AS a,"
		"  coalesce(academy_day_start(last + 1), 'infinity') AS b,"
		"  ARRAY(SELECT id FROM students WHERE name ILIKE $3) AS students,"
		"  ARRAY(SELECT id FROM accounts WHERE role = 'teacher' AND name ILIKE $3)"
		"  AS teachers"
		"  FROM (SELECT $1::date AS first, $2::date AS last WHERE $4::int IS NULL UNION ALL"
		"   SELECT today - $4::int + 1, today"
		"   FROM (SELECT academy_day(clock_now()) AS today) t WHERE $4::int IS NOT NULL) d"
		" ) found",
		4, args, &r);
	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	out->from = db_str(&r);
	out->to = db_str(&r);
	out->first_hour = db_str(&r);
	out->hours_end = db_str(&r);
	out->students = db_str(&r);
	out->teachers = db_str(&r);
	out->anybody = db_bool(&r);
	if (!dated)
		out->from = out->to = NULL;
	return db_end(&r);
}

/* A session counts on the day of its click, else of its sending. */
static void add_days(struct sql *q, const char *from, const char *to)
{
	if (!from)
		return;
	add(q, " AND coalesce(s.clicked_at, s.sent_at) >= ", "::timestamptz", from);
	add(q, " AND coalesce(s.clicked_at, s.sent_at) < ", "::timestamptz", to);
}

/* What a filter means but for its days, of sessions or their counts s. */
static void add_filter(struct sql *q, const struct session_filter *f, const struct meaning *m)
{
	if (f->status)
		add(q, " AND s.session_status = ", "", f->status);
	if (f->teacher_id)
		add(q, " AND s.teacher_id = ", "::bigint", arena_int(q->a, f->teacher_id));
	if (f->student_id)
		add(q, " AND s.student_id = ", "::bigint", arena_int(q->a, f->student_id));
	if (f->package_id)
		add(q, " AND s.package_id = ", "", f->package_id);
	if (f->q && !m->anybody)
		add_text(q, " AND false");
	else if (f->q) {
		add(q, " AND (s.student_id = ANY (", "::bigint[])", m->students);
		add(q, " OR s.teacher_id = ANY (", "::bigint[]))", m->teachers);
	}
}

/* One page's question. */
struct page {
	const struct session_filter *filter;
	const struct meaning *meaning;
	int64_t limit;
	const struct cursor *after;
};

/* The ids of the newest after the cursor, with a condition more. */
static void add_newest(struct sql *q, const struct page *page, const char *more)
{
	const struct meaning *m = page->meaning;

	add_text(q, "(SELECT s.id FROM sessions s WHERE true");
	add_text(q, more);
	add_filter(q, page->filter, m);
	add_days(q, m->from, m->to);
	if (page->after) {
		add(q, " AND (s.sent_at, s.id) < (at_us(", "::bigint)",
		    arena_int(q->a, page->after->us));
		add(q, ", ", "::bigint)", arena_int(q->a, page->after->id));
	}
	add(q, " ORDER BY s.sent_at DESC, s.id DESC LIMIT ", "::bigint + 1)",
	    arena_int(q->a, page->limit));
}

/*
 * A click lies in the life of its link, at most 168 hours, so the days of a
 * filter bound the walk along sent_at too. Where an admin corrected the start
 * or reopened the class it may not: those are few and looked at beside.
 */
#define ODD_START "s.clicked_at - s.sent_at NOT BETWEEN interval '0' AND interval '168 hours'"

static enum err read_page(struct db *db, struct arena *a, const struct page *page,
			  struct db_rows *rows)
{
	const struct meaning *m = page->meaning;
	struct sql q = { .a = a,
			 .text = "SELECT " SESSION_COLUMNS ", us(s.sent_at)::text AS _at"
				 " FROM" SESSION_TABLES "WHERE s.id IN (" };

	if (m->from) {
		struct sql bounds = { .a = a,
				      .text = " AND (" ODD_START ") IS NOT TRUE",
				      .n = q.n };

		add(&bounds, " AND s.sent_at < ", "::timestamptz", m->to);
		add(&bounds, " AND s.sent_at >= ", "::timestamptz - interval '168 hours'", m->from);
		q.n = bounds.n;
		memcpy(q.args, bounds.args, sizeof q.args);
		add_newest(&q, page, bounds.text);
		add_text(&q, " UNION ALL ");
		add_newest(&q, page, " AND " ODD_START);
	} else {
		add_newest(&q, page, "");
	}
	add(&q, ") ORDER BY s.sent_at DESC, s.id DESC LIMIT ", "::bigint + 1",
	    arena_int(a, page->limit));
	return db_read(db, a, q.text, q.n, q.args, rows);
}

/* What totals are added up from: rows of n sessions with their minutes. */
#define PER_NAMES " teacher_id, student_id, package_id, session_status, "
#define PER_HOUR  " package_id, session_status, "
#define SETTLED	  "session_status NOT IN ('sent', 'active')"

/* Without days in the filter: what has ended is counted already. Source: schema/0007_totals.sql. */
static void from_counted(struct sql *q)
{
	add_text(q, " FROM (SELECT" PER_NAMES "n, minutes FROM session_totals"
		    " UNION ALL SELECT" PER_NAMES "n, minutes FROM session_changes"
		    " UNION ALL SELECT" PER_NAMES "1, 0 FROM sessions WHERE session_status = 'sent'"
		    " UNION ALL SELECT" PER_NAMES "1, 0 FROM sessions"
		    "  WHERE session_status = 'active') s WHERE true");
}

static void from_range(struct sql *q, const char *columns, const char *where, const char *from,
		       const char *to)
{
	add_text(q, arena_printf(q->a, " UNION ALL SELECT%s FROM sessions s WHERE %s", columns,
				 where));
	add_days(q, from, to);
}

/* With days and nobody in particular: by whole hours, and the ends of the days for themselves. */
static void from_hours(struct sql *q, const struct meaning *m)
{
	static const char *const counts[] = { " FROM (SELECT" PER_HOUR
					      "n, minutes FROM session_hours",
					      " UNION ALL SELECT" PER_HOUR
					      "n, minutes FROM session_changes" };

	for (int i = 0; i < 2; i++) {
		add_text(q, counts[i]);
		add(q, " WHERE hour >= ", "::timestamptz", m->first_hour);
		add(q, " AND hour < ", "::timestamptz", m->hours_end);
	}
	from_range(q, PER_HOUR "1, session_duration_minutes", SETTLED, m->from, m->first_hour);
	from_range(q, PER_HOUR "1, session_duration_minutes", SETTLED, m->hours_end, m->to);
	from_range(q, PER_HOUR "1, 0", "session_status = 'sent'", m->from, m->to);
	from_range(q, PER_HOUR "1, 0", "session_status = 'active'", m->from, m->to);
	add_text(q, ") s WHERE true");
}

/* With days and people: the sessions themselves, which indexes find. */
static void from_sessions(struct sql *q, const struct meaning *m)
{
	add_text(q, " FROM (SELECT *, 1 AS n, session_duration_minutes AS minutes FROM sessions) s"
		    " WHERE true");
	add_days(q, m->from, m->to);
}

#define TOTAL(status)                                                                              \
	" coalesce(sum(n) FILTER (WHERE session_status = '" status "'), 0)::bigint"                \
	" AS \"totals." status "\","

static const char TOTALS[] =
	"SELECT clock_now() AS generated_at, (SELECT time_zone FROM academy) AS time_zone," TOTAL(
		"sent") TOTAL("active") TOTAL("ended") TOTAL("timeout") TOTAL("cancelled")
		TOTAL("missed") " coalesce(sum(minutes), 0)::bigint AS \"totals.minutes\"";

/* The answer but for its page. The caller owns *out. */
static enum err totals(struct db *db, struct arena *a, const struct session_filter *filter,
		       const struct meaning *m, struct json_object **out)
{
	struct sql q = { .a = a, .text = TOTALS };
	struct db_rows r;
	enum err e;

	if (!m->from)
		from_counted(&q);
	else if (filter->teacher_id || filter->student_id || filter->q)
		from_sessions(&q, m);
	else
		from_hours(&q, m);
	add_filter(&q, filter, m);
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
	struct meaning meaning;
	struct page page = { filter, &meaning, limit, after };
	const char *next;
	struct db_rows rows;
	enum err e = find_meaning(db, a, filter, &meaning);

	if (!e)
		e = read_page(db, a, &page, &rows);
	if (!e)
		e = totals(db, a, filter, &meaning, out);
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
	struct meaning meaning;
	bool more = true;
	enum err e = find_meaning(db, a, filter, &meaning);

	if (e) {
		arena_free(a);
		return e;
	}
	add_text(&q, " WHERE true");
	add_filter(&q, filter, &meaning);
	add_days(&q, meaning.from, meaning.to);
	add_text(&q, " ORDER BY s.sent_at DESC, s.id DESC");
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
