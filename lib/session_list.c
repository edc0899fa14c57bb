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
#define SETTLED	  "session_status NOT IN ('sent', 'active')"

/* Without days in the filter: what has ended is counted already. Source: schema/0007_totals.sql. */
static void from_counted(struct sql *q)
{
	sql_text(q, " FROM (SELECT" PER_NAMES "n, minutes FROM session_totals"
		    " UNION ALL SELECT" PER_NAMES "n, minutes FROM session_changes"
		    " UNION ALL SELECT" PER_NAMES "1, 0 FROM sessions WHERE session_status = 'sent'"
		    " UNION ALL SELECT" PER_NAMES "1, 0 FROM sessions"
		    "  WHERE session_status = 'active') s WHERE true");
}

static void from_range(struct sql *q, const char *columns, const char *where, const char *from,
		       const char *to)
{
	sql_text(q, arena_printf(q->a, " UNION ALL SELECT%s FROM sessions s WHERE %s", columns,
				 where));
	session_sql_days(q, from, to);
}

/* With days and nobody in particular: by whole hours, and the ends of the days for themselves. */
static void from_hours(struct sql *q, const struct session_meaning *m)
{
	static const char *const counts[] = { " FROM (SELECT" PER_HOUR
					      "n, minutes FROM session_hours",
					      " UNION ALL SELECT" PER_HOUR
					      "n, minutes FROM session_changes" };

	for (int i = 0; i < 2; i++) {
		sql_text(q, counts[i]);
		sql_add(q, " WHERE hour >= ", "::timestamptz", m->first_hour);
		sql_add(q, " AND hour < ", "::timestamptz", m->hours_end);
	}
	from_range(q, PER_HOUR "1, session_duration_minutes", SETTLED, m->from, m->first_hour);
	from_range(q, PER_HOUR "1, session_duration_minutes", SETTLED, m->hours_end, m->to);
	from_range(q, PER_HOUR "1, 0", "session_status = 'sent'", m->from, m->to);
	from_range(q, PER_HOUR "1, 0", "session_status = 'active'", m->from, m->to);
	sql_text(q, ") s WHERE true");
}

/* With days and people: the sessions themselves, which indexes find. */
static void from_sessions(struct sql *q, const struct session_meaning *m)
{
	sql_text(q, " FROM (SELECT *, 1 AS n, session_duration_minutes AS minutes FROM sessions) s"
		    " WHERE true");
	session_sql_days(q, m->from, m->to);
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

	if (!m->from)
		from_counted(&q);
	else if (filter->teacher_id || filter->student_id || filter->q)
		from_sessions(&q, m);
	else
		from_hours(&q, m);
	session_sql_filter(&q, filter, m);
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
