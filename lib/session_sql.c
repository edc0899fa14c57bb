#include <string.h>

#include "session_sql.h"

void sql_add(struct sql *q, const char *before, const char *after, const char *arg)
{
	q->args[q->n++] = arg;
	q->text = arena_printf(q->a, "%s%s$%d%s", q->text, before, q->n, after);
}

void sql_text(struct sql *q, const char *text)
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

#define NAMED_MAX   "1000" /* people that a search is sent back as */
#define SOME	    " LIMIT " NAMED_MAX " + 1"
#define MANY	    "200" /* students: from so many on, the sums by month are fewer than classes */
#define PER_TEACHER "20"  /* students a teacher counts for */

/* OFFSET 0: or PostgreSQL looks for the names again wherever they are spoken of. */
static const char SQL_MEANING[] =
	"SELECT a, b, session_hour(a + interval '1 hour' - interval '1 microsecond', NULL),"
	" session_hour(b, NULL),"
	" session_month(a + interval '15 days'), session_month(b + interval '15 days'),"
	" students, teachers,"
	" CASE WHEN nearly_all THEN other_students END,"
	" CASE WHEN nearly_all THEN other_teachers END,"
	" students <> '{}' OR teachers <> '{}',"
	" greatest(cardinality(students), cardinality(teachers)) > " NAMED_MAX ","
	" a + interval '45 days' <= b"
	"  AND cardinality(students) + " PER_TEACHER " * cardinality(teachers) > " MANY ","
	" nearly_all"
	" FROM (SELECT coalesce(academy_day_start(first), '-infinity') AS a,"
	"  coalesce(academy_day_start(last + 1), 'infinity') AS b,"
	"  ARRAY(SELECT id FROM students WHERE name_folded LIKE lower($3)" SOME ") AS students,"
	"  ARRAY(SELECT id FROM accounts WHERE role = 'teacher'"
	"   AND name_folded LIKE lower($3)" SOME ") AS teachers,"
	"  ARRAY(SELECT id FROM students WHERE name_folded NOT LIKE lower($3)" SOME ")"
	"   AS other_students,"
	"  ARRAY(SELECT id FROM accounts WHERE role = 'teacher'"
	"   AND name_folded NOT LIKE lower($3)" SOME ") AS other_teachers"
	"  FROM (SELECT $1::date AS first, $2::date AS last WHERE $4::int IS NULL UNION ALL"
	"   SELECT today - $4::int + 1, today"
	"   FROM (SELECT academy_day(clock_now()) AS today) t WHERE $4::int IS NOT NULL) d"
	"  OFFSET 0) found, LATERAL (SELECT cardinality(students) > " NAMED_MAX
	"  AND greatest(cardinality(other_students), cardinality(other_teachers)) <= " NAMED_MAX
	"  AS nearly_all) few";

/*
 * Asked first and sent back as values, so that PostgreSQL plans for as many as
 * there are: one student's classes are looked up, those of many are met soon
 * while walking the newest. Very many would cost more to send than to find
 * again: then the pattern is sent.
 */
enum err session_meaning_find(struct db *db, struct arena *a, const struct session_filter *f,
			      struct session_meaning *out)
{
	const char *pattern = f->q ? like_part(a, f->q) : NULL;
	const char *args[] = { f->from, f->to, pattern, f->days ? arena_int(a, f->days) : NULL };
	bool dated = f->from || f->to || f->days;
	struct db_rows r;
	enum err e;

	*out = (struct session_meaning){ .pattern = pattern };
	if (!dated && !f->q)
		return OK;
	e = db_read(db, a, SQL_MEANING, 4, args, &r);
	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	out->from = db_str(&r);
	out->to = db_str(&r);
	out->first_hour = db_str(&r);
	out->hours_end = db_str(&r);
	out->first_month = db_str(&r);
	out->months_end = db_str(&r);
	out->students = db_str(&r);
	out->teachers = db_str(&r);
	out->other_students = db_str(&r);
	out->other_teachers = db_str(&r);
	out->anybody = db_bool(&r);
	out->too_many = db_bool(&r);
	out->by_months = db_bool(&r);
	out->nearly_all = db_bool(&r);
	if (!dated)
		out->from = out->to = NULL;
	return db_end(&r);
}

/* A session counts on the day of its click, else of its sending. */
void session_sql_days(struct sql *q, const char *from, const char *to)
{
	if (!from)
		return;
	sql_add(q, " AND coalesce(s.clicked_at, s.sent_at) >= ", "::timestamptz", from);
	sql_add(q, " AND coalesce(s.clicked_at, s.sent_at) < ", "::timestamptz", to);
}

/* With the people whose names are searched for. */
static void add_named(struct sql *q, const struct session_meaning *m)
{
	if (!m->anybody) {
		sql_text(q, " AND false");
	} else if (m->nearly_all) {
		sql_add(q, " AND (s.student_id <> ALL (", "::bigint[])", m->other_students);
		sql_add(q, " OR s.teacher_id <> ALL (", "::bigint[]))", m->other_teachers);
	} else if (m->too_many) {
		sql_add(q,
			" AND (s.student_id IN (SELECT id FROM students WHERE name_folded LIKE "
			"lower(",
			"))", m->pattern);
		sql_add(q,
			" OR s.teacher_id IN (SELECT id FROM accounts WHERE role = 'teacher'"
			"  AND name_folded LIKE lower(",
			")))", m->pattern);
	} else {
		sql_add(q, " AND (s.student_id = ANY (", "::bigint[])", m->students);
		sql_add(q, " OR s.teacher_id = ANY (", "::bigint[]))", m->teachers);
	}
}

/* What a filter means but for its days, of sessions or their counts s. */
void session_sql_filter(struct sql *q, const struct session_filter *f,
			const struct session_meaning *m)
{
	if (f->status)
		sql_add(q, " AND s.session_status = ", "", f->status);
	if (f->teacher_id)
		sql_add(q, " AND s.teacher_id = ", "::bigint", arena_int(q->a, f->teacher_id));
	if (f->student_id)
		sql_add(q, " AND s.student_id = ", "::bigint", arena_int(q->a, f->student_id));
	if (f->package_id)
		sql_add(q, " AND s.package_id = ", "", f->package_id);
	if (f->q)
		add_named(q, m);
}

/*
 * A click lies in the life of its link, at most 168 hours, so the days of a
 * filter bound the walk along sent_at too. Where an admin corrected the start
 * or reopened the class it may not: those are few and looked at beside.
 */
#define ODD_START "s.clicked_at - s.sent_at NOT BETWEEN interval '0' AND interval '168 hours'"

void session_sql_part(struct sql *q, enum session_part part, const struct session_meaning *m)
{
	if (part == PART_ODD)
		sql_text(q, " AND " ODD_START);
	if (part != PART_USUAL)
		return;
	sql_text(q, " AND (" ODD_START ") IS NOT TRUE");
	sql_add(q, " AND s.sent_at < ", "::timestamptz", m->to);
	sql_add(q, " AND s.sent_at >= ", "::timestamptz - interval '168 hours'", m->from);
}

void session_sql_parts(struct sql *q, const struct session_question *question,
		       void (*add_some)(struct sql *, enum session_part,
					const struct session_question *))
{
	if (!question->meaning->from) {
		add_some(q, PART_ALL, question);
		return;
	}
	add_some(q, PART_USUAL, question);
	sql_text(q, " UNION ALL ");
	add_some(q, PART_ODD, question);
}
