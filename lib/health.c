#include <inttypes.h>
#include <json-c/json.h>

#include "db_json.h"
#include "health.h"
#include "journal_state.h"

/* $1 to $3: after how many seconds the last success of session-timeout, Zoom's last challenge and
 * the last success of retention, or else the database's first migration, are long ago. The first is
 * also how long an event of Zoom may wait for that job. */
static const char SQL_HEALTH[] =
	"WITH run AS (SELECT finished_at, detail FROM job_runs WHERE job = 'session-timeout' AND ok"
	"  ORDER BY id DESC LIMIT 1),"
	" challenge AS (SELECT max(received_at) AS at FROM zoom_raw"
	"  WHERE event = 'endpoint.url_validation')"
	" SELECT to_json(array_remove(ARRAY["
	"  CASE WHEN (SELECT finished_at FROM run) > clock_now() - $1::bigint * interval '1 second'"
	"   THEN NULL ELSE 'session-timeout has not succeeded lately' END,"
	"  CASE WHEN challenge.at < clock_now() - $2::bigint * interval '1 second'"
	"   THEN 'Zoom has not checked the webhook lately' END,"
	"  CASE WHEN coalesce((SELECT max(finished_at) FROM job_runs WHERE job = 'retention' AND "
	"ok),"
	"    (SELECT min(applied_at) FROM migrations)) < clock_now() - $3::bigint * interval '1 "
	"second'"
	"   THEN 'retention has not succeeded lately' END,"
	"  CASE WHEN EXISTS (SELECT FROM zoom_raw WHERE apply_at IS NOT NULL"
	"   AND received_at < clock_now() - $1::bigint * interval '1 second')"
	"   THEN 'an event of Zoom cannot be applied' END], NULL)) AS causes,"
	" 'ok' AS database, clock_now() AS now,"
	/* First of each what is never null, for which the whole would be. */
	" (SELECT count(*) FROM sessions WHERE session_status = 'active'"
	"  AND times_out_at <= clock_now()) AS \"timeout.due\","
	" (SELECT finished_at FROM run) AS \"timeout.last_success\","
	" extract(epoch FROM clock_now() - (SELECT finished_at FROM run))::bigint AS "
	"\"timeout.age_seconds\","
	" (SELECT count(*) FROM zoom_occurrences WHERE session_id IS NULL AND admin_id IS NULL)"
	"  AS \"zoom.waiting\","
	" (SELECT max(received_at) FROM zoom_raw) AS \"zoom.last_webhook\","
	" challenge.at AS \"zoom.last_challenge\","
	" (SELECT max(version) FROM migrations) AS schema_version FROM challenge";

static const char SQL_METRICS[] =
	"WITH figure (name, help, type, value) AS (VALUES"
	" ('classclock_sessions_active', 'Classes running now.', 'gauge',"
	"  (SELECT count(*) FROM sessions WHERE session_status = 'active')),"
	" ('classclock_sessions_unopened', 'Links sent and not opened yet.', 'gauge',"
	"  (SELECT count(*) FROM sessions WHERE session_status = 'sent')),"
	" ('classclock_sessions_due', 'Running classes past their deadline.', 'gauge',"
	"  (SELECT count(*) FROM sessions WHERE session_status = 'active'"
	"   AND times_out_at <= clock_now())),"
	" ('classclock_timeout_last_success_timestamp_seconds', 'Last run of session-timeout.', "
	"'gauge',"
	"  (SELECT coalesce(extract(epoch FROM max(finished_at)), 0)::bigint FROM job_runs"
	"   WHERE job = 'session-timeout' AND ok)),"
	" ('classclock_retention_last_success_timestamp_seconds', 'Last run of retention.', "
	"'gauge',"
	"  (SELECT coalesce(extract(epoch FROM max(finished_at)), 0)::bigint FROM job_runs"
	"   WHERE job = 'retention' AND ok)),"
	" ('classclock_zoom_last_webhook_timestamp_seconds', 'Last signed call of Zoom.', 'gauge',"
	"  (SELECT coalesce(extract(epoch FROM max(received_at)), 0)::bigint FROM zoom_raw)),"
	" ('classclock_zoom_last_challenge_timestamp_seconds', 'Last check of the webhook by Zoom;"
	" it comes every 72 hours.', 'gauge',"
	"  (SELECT coalesce(extract(epoch FROM max(received_at)), 0)::bigint FROM zoom_raw"
	"   WHERE event = 'endpoint.url_validation')),"
	" ('classclock_zoom_waiting', 'Meetings of Zoom that are no known class.', 'gauge',"
	"  (SELECT count(*) FROM zoom_occurrences WHERE session_id IS NULL AND admin_id IS NULL)),"
	" ('classclock_clicks_orphaned', 'Clicks of the last day on links without a session.', "
	"'gauge',"
	"  (SELECT count(*) FROM clicks WHERE verdict = 'orphan'"
	"   AND received_at > clock_now() - interval '1 day')))"
	" SELECT string_agg(format(E'# HELP %1$s %2$s\\n# TYPE %1$s %3$s\\n%1$s %4$s\\n',"
	"  name, help, type, value), '') FROM figure";

/* What waits too long, cannot be read or was lost wants a person. */
static bool journal_is_well(const struct journal_state *j)
{
	return !j->bad && !j->lost && j->oldest_s < HEALTH_JOURNAL_LATE_S;
}

static struct json_object *journal_json(const struct journal_state *j)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "files", json_object_new_int64(j->files));
	json_object_object_add(o, "bytes", json_object_new_int64(j->bytes));
	json_object_object_add(o, "oldest_seconds", json_object_new_int64(j->oldest_s));
	json_object_object_add(o, "bad_files", json_object_new_int64(j->bad));
	json_object_object_add(o, "lost", json_object_new_int64(j->lost));
	return o;
}

static void add_journal(struct json_object *health, const char *dir)
{
	struct journal_state j;
	bool known = dir && !journal_state_read(dir, &j);

	json_object_object_add(health, "journal", known ? journal_json(&j) : NULL);
	if (dir && (!known || !journal_is_well(&j)))
		json_object_array_add(json_object_object_get(health, "causes"),
				      json_object_new_string("this node's journal"));
}

static void add_status(struct json_object *health)
{
	bool ok = json_object_array_length(json_object_object_get(health, "causes")) == 0;

	json_object_object_add(health, "status", json_object_new_string(ok ? "ok" : "degraded"));
}

enum err health_json(struct db *db, struct arena *a, const char *journal_dir,
		     struct json_object **out)
{
	const char *args[] = { arena_int(a, HEALTH_TIMEOUT_LATE_S),
			       arena_int(a, HEALTH_CHALLENGE_LATE_S),
			       arena_int(a, HEALTH_RETENTION_LATE_S) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_HEALTH, 3, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*out = db_row_json(&r);
	if (!*out)
		return ERR_INTERNAL;
	add_journal(*out, journal_dir);
	add_status(*out);
	return OK;
}

static const char *figure(struct arena *a, const char *name, const char *help, const char *type,
			  int64_t value)
{
	return arena_printf(a, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name, help, name,
			    type, name, value);
}

static const char *journal_figures(struct arena *a, const char *dir)
{
	struct journal_state j;

	if (!dir || journal_state_read(dir, &j))
		return "";
	return arena_printf(
		a, "%s%s%s%s%s",
		figure(a, "classclock_journal_files", "Files of clicks and ends that wait here.",
		       "gauge", j.files),
		figure(a, "classclock_journal_bytes", "Their length.", "gauge", j.bytes),
		figure(a, "classclock_journal_oldest_seconds",
		       "Since the oldest of them was written to.", "gauge", j.oldest_s),
		figure(a, "classclock_journal_bad_files", "Files of lines that nobody could read.",
		       "gauge", j.bad),
		figure(a, "classclock_journal_lost_total",
		       "Clicks and ends that could be kept nowhere.", "counter", j.lost));
}

const char *health_metrics(struct db *db, struct arena *a, const char *journal_dir)
{
	const char *told = NULL;
	struct db_rows r;
	enum err e = db_read(db, a, SQL_METRICS, 0, NULL, &r);

	if (!e && db_next(&r))
		told = db_str(&r);
	return arena_printf(a, "%s%s%s",
			    figure(a, "classclock_database_up", "Whether the database answers.",
				   "gauge", told != NULL),
			    told ? told : "", journal_figures(a, journal_dir));
}
