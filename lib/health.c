#include <json-c/json.h>

#include "db_json.h"
#include "health.h"

static const char SQL_HEALTH[] =
	"WITH run AS (SELECT finished_at, detail FROM job_runs WHERE job = 'session-timeout' AND ok"
	"  ORDER BY id DESC LIMIT 1)"
	" SELECT CASE WHEN (SELECT finished_at FROM run) > clock_now() - $1::bigint * interval '1 "
	"second'"
	"  THEN 'ok' ELSE 'degraded' END AS status,"
	" 'ok' AS database, clock_now() AS now,"
	" (SELECT finished_at FROM run) AS \"timeout.last_success\","
	" extract(epoch FROM clock_now() - (SELECT finished_at FROM run))::bigint AS "
	"\"timeout.age_seconds\","
	" (SELECT count(*) FROM sessions WHERE session_status = 'active'"
	"  AND times_out_at <= clock_now()) AS \"timeout.due\","
	" (SELECT max(received_at) FROM zoom_raw) AS \"zoom.last_webhook\","
	" (SELECT max(received_at) FROM zoom_raw WHERE event = 'endpoint.url_validation')"
	"  AS \"zoom.last_challenge\","
	" (SELECT count(*) FROM zoom_occurrences WHERE session_id IS NULL AND admin_id IS NULL)"
	"  AS \"zoom.waiting\","
	" (SELECT max(version) FROM migrations) AS schema_version";

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

enum err health_json(struct db *db, struct arena *a, struct json_object **out)
{
	const char *args[] = { arena_int(a, HEALTH_TIMEOUT_LATE_S) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_HEALTH, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*out = db_row_json(&r);
	return *out ? OK : ERR_INTERNAL;
}

enum err health_metrics(struct db *db, struct arena *a, const char **out)
{
	struct db_rows r;
	enum err e = db_read(db, a, SQL_METRICS, 0, NULL, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*out = db_str(&r);
	return db_end(&r);
}
