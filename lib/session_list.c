#include <json-c/json.h>

#include "cursor_rows.h"
#include "db_json.h"
#include "session.h"
#include "session_list.h"
#include "session_sql.h"

/* The ids of the newest after the cursor. */
static void add_newest(struct sql *q, enum session_part part,
		       const struct session_question *question)
{
	const struct session_meaning *m = question->meaning;

	sql_text(q, "(SELECT s.id FROM sessions s WHERE true");
	session_sql_part(q, part, m);
	session_sql_filter(q, question->filter, m);
	session_sql_days(q, m->from, m->to);
	if (question->after) {
		sql_add(q, " AND (s.sent_at, s.id) < (at_us(", "::bigint)",
			arena_int(q->a, question->after->us));
		sql_add(q, ", ", "::bigint)", arena_int(q->a, question->after->id));
	}
	sql_add(q, " ORDER BY s.sent_at DESC, s.id DESC LIMIT ", "::bigint + 1)",
		arena_int(q->a, question->limit));
}

static enum err read_page(struct db *db, struct arena *a, const struct session_question *question,
			  struct db_rows *rows)
{
	struct sql q = { .a = a,
			 .text = "SELECT " SESSION_COLUMNS ", us(s.sent_at)::text AS _at"
				 " FROM" SESSION_TABLES "WHERE s.id IN (" };

	session_sql_parts(&q, question, add_newest);
	sql_add(&q, ") ORDER BY s.sent_at DESC, s.id DESC LIMIT ", "::bigint + 1",
		arena_int(a, question->limit));
	return db_read(db, a, q.text, q.n, q.args, rows);
}

/* What totals are added up from: rows of n sessions with their minutes. */
#define PER_NAMES " teacher_id, student_id, package_id, session_status, "
#define PER_HOUR  " package_id, session_status, "
#define COUNTED	  " 1, session_duration_minutes"
#define LESS	  " -1, -session_duration_minutes"
#define RUNNING	  " 1, 0"
#define SETTLED	  "session_status NOT IN ('sent', 'active')"

/* Without days in the filter: what has ended is counted already. Source: schema/0007_totals.sql. */
static void from_counted(struct sql *q)
{
	sql_text(q, " FROM (SELECT" PER_NAMES "n, minutes FROM session_totals"
		    " UNION ALL SELECT" PER_NAMES "n, minutes FROM session_changes"
		    " UNION ALL SELECT" PER_NAMES RUNNING
		    "  FROM sessions WHERE session_status = 'sent'"
		    " UNION ALL SELECT" PER_NAMES RUNNING
		    "  FROM sessions WHERE session_status = 'active') s WHERE true");
}

/* Sums that are kept for each hour or month of UTC, of those in [first, end). */
struct kept {
	const char *columns; /* by which they are kept, but for the time */
	const char *sums, *time;
	const char *first, *end;
};

static void from_kept(struct sql *q, const struct kept *k, const char *before, const char *table,
		      const char *time)
{
	sql_text(q, arena_printf(q->a, "%s SELECT%sn, minutes FROM %s", before, k->columns, table));
	sql_add(q, arena_printf(q->a, " WHERE %s >= ", time), "::timestamptz", k->first);
	sql_add(q, arena_printf(q->a, " AND %s < ", time), "::timestamptz", k->end);
}

static void from_range(struct sql *q, const char *columns, const char *what, const char *where,
		       const char *from, const char *to)
{
	sql_text(q, arena_printf(q->a, " UNION ALL SELECT%s%s FROM sessions s WHERE %s", columns,
				 what, where));
	session_sql_days(q, from, to);
}

/* With days: whole hours or months, and what is missing or too much at the ends of the days. */
static void add_sums(struct sql *q, const struct session_meaning *m, const struct kept *k)
{
	from_kept(q, k, " FROM (", k->sums, k->time);
	from_kept(q, k, " UNION ALL", "session_changes", "hour");
	from_range(q, k->columns, COUNTED, SETTLED, m->from, k->first);
	from_range(q, k->columns, LESS, SETTLED, k->first, m->from);
	from_range(q, k->columns, COUNTED, SETTLED, k->end, m->to);
	from_range(q, k->columns, LESS, SETTLED, m->to, k->end);
	from_range(q, k->columns, RUNNING, "session_status = 'sent'", m->from, m->to);
	from_range(q, k->columns, RUNNING, "session_status = 'active'", m->from, m->to);
}

/*
 * Sessions of the others, taken away. They are few where their students' index finds them; IS TRUE
 * keeps the teachers' index, in which they are many, away from that.
 */
static void less_others(struct sql *q, enum session_part part, const struct session_meaning *m)
{
	sql_text(q, " UNION ALL SELECT" PER_HOUR LESS " FROM sessions s WHERE");
	sql_add(q, " s.student_id = ANY (", "::bigint[])", m->other_students);
	sql_add(q, " AND (s.teacher_id = ANY (", "::bigint[])) IS TRUE", m->other_teachers);
	session_sql_part(q, part, m);
	session_sql_days(q, m->from, m->to);
}

/* Of nobody in particular, or of nearly all for a few weeks. */
static void from_hours(struct sql *q, const struct session_meaning *m)
{
	const struct kept hours = { PER_HOUR, "session_hours", "hour", m->first_hour,
				    m->hours_end };

	add_sums(q, m, &hours);
	if (m->nearly_all) {
		less_others(q, PART_USUAL, m);
		less_others(q, PART_ODD, m);
	}
	sql_text(q, ") s WHERE true");
}

static void from_months(struct sql *q, const struct session_meaning *m)
{
	const struct kept months = { PER_NAMES, "session_months", "month", m->first_month,
				     m->months_end };

	add_sums(q, m, &months);
	sql_text(q, ") s WHERE true");
}

/* With days and few people, or one in particular: the sessions themselves, which indexes find. */
static void from_sessions(struct sql *q, const struct session_meaning *m)
{
	sql_text(q, " FROM (SELECT *, 1 AS n, session_duration_minutes AS minutes FROM sessions) s"
		    " WHERE true");
	session_sql_days(q, m->from, m->to);
}

static void add_counts(struct sql *q, const struct session_filter *filter,
		       const struct session_meaning *m)
{
	struct session_filter rest = *filter;
	bool one = filter->teacher_id || filter->student_id;

	if (!m->from) {
		from_counted(q);
	} else if (!one && filter->q && m->by_months) {
		from_months(q, m);
	} else if (!one && (!filter->q || m->nearly_all)) {
		from_hours(q, m);
		rest.q = NULL;
	} else {
		from_sessions(q, m);
	}
	session_sql_filter(q, &rest, m);
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
		       const struct session_meaning *m, struct json_object **out)
{
	struct sql q = { .a = a, .text = TOTALS };
	struct db_rows r;
	enum err e;

	sql_text(&q, " FROM (SELECT session_status, sum(n) AS n, sum(minutes) AS minutes");
	add_counts(&q, filter, m);
	sql_text(&q, " GROUP BY session_status) by_status");
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
	struct session_meaning meaning;
	struct session_question question = { filter, &meaning, limit, after };
	const char *next;
	struct db_rows rows;
	enum err e = session_meaning_find(db, a, filter, &meaning);

	if (!e)
		e = read_page(db, a, &question, &rows);
	if (!e)
		e = totals(db, a, filter, &meaning, out);
	if (e)
		return e;
	json_object_object_add(*out, "sessions", cursor_rows_json(a, keys, &rows, limit, &next));
	json_object_object_add(*out, "next_cursor", next ? json_object_new_string(next) : NULL);
	return OK;
}
