#include <string.h>

#include "session.h"
#include "session_csv.h"
#include "session_sql.h"

#define CSV_BATCH_MS  10000 /* the time that a batch of rows may take */
#define CSV_BUF_BYTES (4 << 20)

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

static void add_whole(struct sql *q, enum session_part part,
		      const struct session_question *question)
{
	sql_text(q, "SELECT s.* FROM sessions s WHERE true");
	session_sql_part(q, part, question->meaning);
	session_sql_filter(q, question->filter, question->meaning);
	session_sql_days(q, question->meaning->from, question->meaning->to);
}

static enum err csv_open(struct db *db, struct arena *a, const struct session_filter *filter)
{
	struct sql q = { .a = a, .text = CSV_SELECT };
	struct session_meaning meaning;
	struct session_question question = { filter, &meaning, 0, NULL };
	enum err e = session_meaning_find(db, a, filter, &meaning);

	if (e)
		return e;
	session_sql_parts(&q, &question, add_whole);
	sql_text(&q, ") s" SESSION_PEOPLE "ORDER BY s.sent_at DESC, s.id DESC");
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

static const char SQL_DAYS[] = "SELECT (today - $1::integer + 1)::text, today::text"
			       " FROM (SELECT academy_day(clock_now()) AS today) t";

enum err session_csv_days(struct db *db, struct arena *a, struct session_filter *filter)
{
	const char *args[] = { arena_int(a, filter->days) };
	struct db_rows r;
	enum err e;

	if (!filter->days)
		return OK;
	e = db_read(db, a, SQL_DAYS, 1, args, &r);
	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	filter->from = db_str(&r);
	filter->to = db_str(&r);
	filter->days = 0;
	return db_end(&r);
}
