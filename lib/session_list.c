#include <json-c/json.h>
#include <string.h>

#include "csv.h"
#include "cursor_rows.h"
#include "db_json.h"
#include "session.h"
#include "session_list.h"

#define ARGS_MAX      40
#define CSV_BATCH_MS  10000 /* the time that a batch of rows may take */
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

#define NAMED_MAX "1000" /* people that a search is sent back as */

/* What a filter's days and names stand for now; moments and arrays as text. */
struct meaning {
	const char *from, *to;		    /* [from, to), NULL without days */
	const char *first_hour, *hours_end; /* the whole hours of UTC in it */
	const char *pattern;		    /* of the names searched for */
	const char *students, *teachers;    /* who has such a name */
	bool anybody, too_many;		    /* too many: not all are in the arrays */
};

/*
 * Asked first and sent back as values, so that PostgreSQL plans for as many as
 * there are: one student's classes are looked up, those of many are met soon
 * while walking the newest. Very many would cost more to send than to find
 * again: then the pattern is sent.
 */
static enum err find_meaning(struct db *db, struct arena *a, const struct session_filter *f,
			     struct meaning *out)
{
	const char *pattern = f->q ? like_part(a, f->q) : NULL;
	const char *args[] = { f->from, f->to, pattern, f->days ? arena_int(a, f->days) : NULL };
	bool dated = f->from || f->to || f->days;
	struct db_rows r;
	enum err e;

	*out = (struct meaning){ .pattern = pattern };
	if (!dated && !f->q)
		return OK;
	e = db_read(
		db, a,
		"SELECT a, b, session_hour(a + interval '1 hour' - interval '1 microsecond', NULL),"
		" session_hour(b, NULL), students, teachers, students <> '{}' OR teachers <> '{}',"
		" greatest(cardinality(students), cardinality(teachers)) > " NAMED_MAX
		" FROM (SELECT coalesce(academy_day_start(first), '-infinity') AS a,"
		"  coalesce(academy_day_start(last + 1), 'infinity') AS b,"
		"  ARRAY(SELECT id FROM students WHERE name_folded LIKE lower($3)"
		"   LIMIT " NAMED_MAX " + 1) AS students,"
		"  ARRAY(SELECT id FROM accounts WHERE role = 'teacher'"
		"   AND name_folded LIKE lower($3) LIMIT " NAMED_MAX " + 1) AS teachers"
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
	out->too_many = db_bool(&r);
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

/* With the people whose names are searched for. */
static void add_named(struct sql *q, const struct meaning *m)
{
	if (!m->anybody) {
		add_text(q, " AND false");
	} else if (m->too_many) {
		add(q,
		    " AND (s.student_id IN (SELECT id FROM students WHERE name_folded LIKE lower(",
		    "))", m->pattern);
		add(q,
		    " OR s.teacher_id IN (SELECT id FROM accounts WHERE role = 'teacher'"
		    "  AND name_folded LIKE lower(",
		    ")))", m->pattern);
	} else {
		add(q, " AND (s.student_id = ANY (", "::bigint[])", m->students);
		add(q, " OR s.teacher_id = ANY (", "::bigint[]))", m->teachers);
	}
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
	if (f->q)
		add_named(q, m);
}

/* One page's question. */
struct page {
	const struct session_filter *filter;
	const struct meaning *meaning;
	int64_t limit;
	const struct cursor *after;
};

/*
 * A click lies in the life of its link, at most 168 hours, so the days of a
 * filter bound the walk along sent_at too. Where an admin corrected the start
 * or reopened the class it may not: those are few and looked at beside.
 */
#define ODD_START "s.clicked_at - s.sent_at NOT BETWEEN interval '0' AND interval '168 hours'"

enum part { PART_ALL, PART_USUAL, PART_ODD };

static void add_part(struct sql *q, enum part part, const struct meaning *m)
{
	if (part == PART_ODD)
		add_text(q, " AND " ODD_START);
	if (part != PART_USUAL)
		return;
	add_text(q, " AND (" ODD_START ") IS NOT TRUE");
	add(q, " AND s.sent_at < ", "::timestamptz", m->to);
	add(q, " AND s.sent_at >= ", "::timestamptz - interval '168 hours'", m->from);
}

/* Calls add_some(q, part, page) for the parts that make up a filter, UNION ALL between them. */
static void add_parts(struct sql *q, const struct page *page,
		      void (*add_some)(struct sql *, enum part, const struct page *))
{
	if (!page->meaning->from) {
		add_some(q, PART_ALL, page);
		return;
	}
	add_some(q, PART_USUAL, page);
	add_text(q, " UNION ALL ");
	add_some(q, PART_ODD, page);
}

/* The ids of the newest after the cursor. */
static void add_newest(struct sql *q, enum part part, const struct page *page)
{
	const struct meaning *m = page->meaning;

	add_text(q, "(SELECT s.id FROM sessions s WHERE true");
	add_part(q, part, m);
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

static enum err read_page(struct db *db, struct arena *a, const struct page *page,
			  struct db_rows *rows)
{
	struct sql q = { .a = a,
			 .text = "SELECT " SESSION_COLUMNS ", us(s.sent_at)::text AS _at"
				 " FROM" SESSION_TABLES "WHERE s.id IN (" };

	add_parts(&q, page, add_newest);
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

/* Local time and the instant; each becomes text here, where it costs a tenth. */
#define CSV_MOMENT(column) "s." column " AT TIME ZONE (SELECT time_zone FROM academy), s." column
#define CSV_SENT	   CSV_MOMENT("sent_at")
#define CSV_START	   CSV_MOMENT("clicked_at")
#define CSV_END		   CSV_MOMENT("session_ended_at")

/* The columns of csv_columns. */
static const char CSV_SELECT[] =
	"SELECT s.id, t.name, st.name, s.package_id, s.package_rate, s.currency, s.session_status,"
	" " CSV_SENT ", " CSV_START ", " CSV_END ", s.session_duration_minutes, s.ended_by,"
	" CASE WHEN s.estimated THEN 'yes' ELSE 'no' END,"
	" CASE WHEN " SESSION_PROVISIONAL " THEN 'yes' ELSE 'no' END, s.attendance,"
	" s.attendance_note FROM (";

/* LOCAL and UTC are moments as PostgreSQL writes them: 2026-01-02 03:04:05[.6][+00]. */
enum form { TEXT, LOCAL, UTC };

static const struct {
	const char *name;
	enum form form;
} csv_columns[] = {
	{ "id", TEXT },
	{ "teacher", TEXT },
	{ "student", TEXT },
	{ "package", TEXT },
	{ "rate", TEXT },
	{ "currency", TEXT },
	{ "status", TEXT },
	{ "sent", LOCAL },
	{ "sent", UTC },
	{ "start", LOCAL },
	{ "start", UTC },
	{ "end", LOCAL },
	{ "end", UTC },
	{ "minutes", TEXT },
	{ "ended by", TEXT },
	{ "estimated", TEXT },
	{ "provisional", TEXT },
	{ "attendance", TEXT },
	{ "attendance note", TEXT },
};

#define CSV_COLUMNS (sizeof csv_columns / sizeof *csv_columns)

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
	buf_str(buf, CSV_BOM);
	for (size_t i = 0; i < CSV_COLUMNS; i++) {
		const char *name = csv_columns[i].name;

		if (csv_columns[i].form == LOCAL)
			name = arena_printf(a, "%s (%s)", name, zone);
		else if (csv_columns[i].form == UTC)
			name = arena_printf(a, "%s UTC", name);
		csv_field(buf, name);
	}
	csv_row_end(buf);
	return OK;
}

#define SECONDS_LEN 19 /* of "2026-01-02 03:04:05" */
#define MOMENT_SIZE sizeof "2026-01-02T03:04:05.123456Z"

/* Whole seconds of local time; the instant as rfc3339() of the schema writes it. v may be NULL. */
static const char *csv_moment(char text[MOMENT_SIZE], const char *v, enum form form)
{
	size_t len = v ? strcspn(v, "+") : 0;

	if (len < SECONDS_LEN || len > MOMENT_SIZE - 2)
		return v; /* as no class has: infinity, another era */
	if (form == LOCAL) {
		memcpy(text, v, SECONDS_LEN);
		text[SECONDS_LEN] = '\0';
		return text;
	}
	memcpy(text, "0000-00-00T00:00:00.000000Z", MOMENT_SIZE);
	memcpy(text, v, len);
	text[10] = 'T';
	return text;
}

static void csv_rows(struct buf *buf, struct db_rows *r)
{
	char text[MOMENT_SIZE];

	while (db_next(r)) {
		for (size_t i = 0; i < CSV_COLUMNS; i++) {
			const char *v = db_str(r);

			if (csv_columns[i].form != TEXT)
				v = csv_moment(text, v, csv_columns[i].form);
			csv_field(buf, v);
		}
		csv_row_end(buf);
	}
}

static void add_whole(struct sql *q, enum part part, const struct page *page)
{
	add_text(q, "SELECT s.* FROM sessions s WHERE true");
	add_part(q, part, page->meaning);
	add_filter(q, page->filter, page->meaning);
	add_days(q, page->meaning->from, page->meaning->to);
}

static enum err csv_open(struct db *db, struct arena *a, const struct session_filter *filter)
{
	struct sql q = { .a = a, .text = CSV_SELECT };
	struct meaning meaning;
	struct page page = { filter, &meaning, 0, NULL };
	enum err e = find_meaning(db, a, filter, &meaning);

	if (e)
		return e;
	add_parts(&q, &page, add_whole);
	add_text(&q, ") s" SESSION_PEOPLE "ORDER BY s.sent_at DESC, s.id DESC");
	return db_cursor_open(db, a, q.text, q.n, q.args);
}

static enum err csv_in_snapshot(struct db *db, const struct session_filter *filter, struct buf *buf,
				csv_sink *sink, void *to)
{
	struct arena *a = arena_new();
	enum err e = csv_header(db, a, buf);
	bool more = true;

	if (!e)
		e = csv_open(db, a, filter);
	while (!e && more) {
		struct db_rows r;

		arena_reset(a);
		db_deadline(db, CSV_BATCH_MS);
		e = db_cursor_next(db, a, &r);
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
