#include <json-c/json.h>
#include <string.h>

#include "attention.h"
#include "db_json.h"

#define LAST_WEEK "clock_now() - interval '7 days'"
/* The moment when an active class has had its package's minutes. */
#define FULL "s.clicked_at + s.duration_minutes * interval '1 minute'"
/* Its minutes so far; the clock of a class stops at its deadline. */
#define SO_FAR "floor(extract(epoch FROM least(clock_now(), s.times_out_at) - s.clicked_at) / 60)"
/* Since the start of the month before: pay is made when that one is over. */
#define LAST_MONTH                                                                                 \
	"academy_day_start((date_trunc('month', academy_day(clock_now())) - interval '1 "          \
	"month')::date)"

/*
 * Each kind is one query, which serves its items and its count, so that they
 * cannot disagree. It gives session_id, student_id, teacher_id, clicked_at, at,
 * detail and facts, and reads a narrow range of an index made for it.
 */
#define SELECT_CLASS "SELECT s.id AS session_id, s.student_id, s.teacher_id, s.clicked_at,"

static const char SQL_UNOPENED[] = SELECT_CLASS
	" s.sent_at AS at, 'Sent, and not opened yet.' AS detail, '{}'::jsonb AS facts"
	" FROM sessions s"
	" WHERE s.session_status = 'sent' AND s.sent_at <= clock_now() - interval '15 minutes'";

static const char SQL_RUNNING_OVER[] = SELECT_CLASS
	" " FULL " AS at,"
	" format('Running for %s minutes of %s.', " SO_FAR ", s.duration_minutes) AS detail,"
	" jsonb_build_object('minutes', " SO_FAR ", 'of', s.duration_minutes) AS facts"
	" FROM sessions s WHERE s.session_status = 'active' AND " FULL " < clock_now()";

static const char SQL_ESTIMATED[] = SELECT_CLASS
	" s.times_out_at AS at, format('Nothing tells when it ended: %s minutes are an estimate.',"
	" s.session_duration_minutes) AS detail,"
	" jsonb_build_object('minutes', s.session_duration_minutes) AS facts FROM sessions s"
	" WHERE s.estimated AND s.times_out_at >= " LAST_WEEK;

static const char SQL_NO_ATTENDANCE[] = SELECT_CLASS
	" s.session_ended_at AS at, 'Attendance is not marked.' AS detail, '{}'::jsonb AS facts"
	" FROM sessions s WHERE s.attendance IS NULL AND s.session_ended_at >= " LAST_WEEK;

static const char SQL_LATE_CLICK[] =
	"SELECT DISTINCT ON (c.session_id) c.session_id, s.student_id, s.teacher_id,"
	" c.happened_at AS clicked_at, c.happened_at AS at,"
	" 'The link was opened after the class was over.' AS detail, '{}'::jsonb AS facts"
	" FROM clicks c JOIN sessions s ON s.id = c.session_id"
	" WHERE c.verdict = 'late' AND c.happened_at >= " LAST_WEEK
	" AND s.session_status IN ('ended', 'timeout', 'missed')"
	" AND c.happened_at > coalesce(s.session_ended_at, s.sent_at)"
	" ORDER BY c.session_id, c.happened_at DESC";

/* Whom the meeting's host is; the inbox decides whose class it was, or that it was none. */
static const char SQL_EVENT_WITHOUT_SESSION[] =
	"SELECT NULL::bigint AS session_id, NULL::bigint AS student_id,"
	" (SELECT min(h.account_id) FROM zoom_hosts h WHERE h.host_id = o.host_id) AS teacher_id,"
	" NULL::timestamptz AS clicked_at, o.around AS at,"
	" coalesce('Zoom meeting ' || o.meeting_id, 'A Zoom meeting') || ' belongs to no class.'"
	" AS detail, jsonb_build_object('meeting_id', o.meeting_id) AS facts"
	" FROM zoom_occurrences o"
	" WHERE o.session_id IS NULL AND o.admin_id IS NULL AND o.around >= " LAST_WEEK;

static const char SQL_NO_RATE[] = SELECT_CLASS
	" coalesce(s.clicked_at, s.sent_at) AS at, 'This class has no rate.' AS detail,"
	" jsonb_build_object('package', s.package_id) AS facts"
	" FROM sessions s WHERE s.package_rate IS NULL"
	" AND s.session_status IN ('active', 'ended', 'timeout')"
	" AND coalesce(s.clicked_at, s.sent_at) >= " LAST_MONTH
	" UNION ALL SELECT NULL, st.id, st.teacher_id, NULL, greatest(st.created_at, p.created_at),"
	" format('The package %s has no rate.', p.id), jsonb_build_object('package', p.id)"
	" FROM students st JOIN packages p ON p.id = st.package_id"
	" WHERE p.rate IS NULL AND st.disabled_at IS NULL";

/* A message that has not failed is given two minutes: the job that repeats runs every minute. */
static const char SQL_UNDELIVERED[] = SELECT_CLASS
	" m.created_at AS at,"
	" coalesce(m.detail, 'It still waits to be sent by Telegram.') AS detail,"
	" jsonb_build_object('outcome', CASE WHEN m.detail IS NULL THEN 'queued'"
	"  ELSE m.outcome END) AS facts"
	" FROM sessions s JOIN messages m ON m.session_id = s.id AND m.kind = 'join_link'"
	" WHERE s.session_status = 'sent' AND (m.state = 'failed' OR (m.state <> 'sent'"
	"  AND m.created_at <= clock_now() - interval '2 minutes'))";

static const char SQL_ORPHAN_CLICK[] =
	"SELECT NULL::bigint AS session_id, NULL::bigint AS student_id, NULL::bigint AS teacher_id,"
	" c.happened_at AS clicked_at, c.happened_at AS at,"
	" 'A link was opened whose class is not here.' AS detail, '{}'::jsonb AS facts"
	" FROM clicks c WHERE c.verdict = 'orphan' AND c.happened_at >= " LAST_WEEK;

static const struct {
	const char *kind, *sql;
} queries[] = {
	{ "undelivered", SQL_UNDELIVERED },
	{ "unopened", SQL_UNOPENED },
	{ "running_over", SQL_RUNNING_OVER },
	{ "estimated", SQL_ESTIMATED },
	{ "no_attendance", SQL_NO_ATTENDANCE },
	{ "late_click", SQL_LATE_CLICK },
	{ "event_without_session", SQL_EVENT_WITHOUT_SESSION },
	{ "no_rate", SQL_NO_RATE },
	{ "orphan_click", SQL_ORPHAN_CLICK },
};

#define KINDS (sizeof queries / sizeof *queries)

const char *const *attention_kinds(struct arena *a)
{
	const char **names = arena_alloc(a, (KINDS + 1) * sizeof *names);

	for (size_t i = 0; i < KINDS; i++)
		names[i] = queries[i].kind;
	names[KINDS] = NULL;
	return names;
}

/* The newest of each kind by turns, so that a frequent kind leaves room for the others. */
#define ITEMS_OF                                                                                   \
	"SELECT i.kind, i.session_id, st.id AS \"student.id\", st.name AS \"student.name\","       \
	" t.id AS \"teacher.id\", t.name AS \"teacher.name\", i.at, i.detail, i.facts,"            \
	" i.clicked_at FROM"                                                                       \
	" (SELECT *, row_number() OVER (PARTITION BY kind ORDER BY at DESC) AS turn FROM (%s) k"   \
	"  ORDER BY turn, at DESC LIMIT $1::bigint) i"                                             \
	" LEFT JOIN students st ON st.id = i.student_id"                                           \
	" LEFT JOIN accounts t ON t.id = i.teacher_id"                                             \
	" ORDER BY i.at DESC, i.kind, i.session_id DESC"

static enum err items(struct db *db, struct arena *a, const char *only, int64_t limit,
		      struct json_object *into)
{
	const char *args[] = { arena_int(a, limit) };
	const char *all = "";
	struct db_rows r;
	enum err e;

	for (size_t i = 0; i < KINDS; i++)
		if (!only || !strcmp(only, queries[i].kind))
			all = arena_printf(a,
					   "%s%s(SELECT '%s' AS kind, k.* FROM (%s) k"
					   " ORDER BY k.at DESC LIMIT $1::bigint)",
					   all, *all ? " UNION ALL " : "", queries[i].kind,
					   queries[i].sql);
	e = db_read(db, a, arena_printf(a, ITEMS_OF, all), 1, args, &r);
	if (!e)
		json_object_object_add(into, "items", db_rows_json(&r));
	return e;
}

static enum err counts(struct db *db, struct arena *a, struct json_object *into)
{
	struct json_object *all;
	const char *sql = "SELECT ";
	int64_t total = 0;
	struct db_rows r;
	enum err e;

	for (size_t i = 0; i < KINDS; i++)
		sql = arena_printf(a, "%s%s(SELECT count(*) FROM (%s) k) AS %s", sql, i ? ", " : "",
				   queries[i].sql, queries[i].kind);
	e = db_read(db, a, sql, 0, NULL, &r);
	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	all = db_row_json(&r);
	for (size_t i = 0; i < KINDS; i++)
		total += json_object_get_int64(json_object_object_get(all, queries[i].kind));
	json_object_object_add(into, "counts", all);
	json_object_object_add(into, "total", json_object_new_int64(total));
	return OK;
}

enum err attention(struct db *db, struct arena *a, const char *kind, int64_t limit,
		   struct json_object **out)
{
	enum err e = db_begin_snapshot(db);

	if (e)
		return e;
	*out = json_object_new_object();
	e = items(db, a, kind, limit, *out);
	if (!e)
		e = counts(db, a, *out);
	return db_finish_json(db, e, out);
}
