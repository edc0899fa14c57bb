#include <json-c/json.h>

#include "db_json.h"
#include "zoom_inbox.h"

/* Of the moments those count that decide: the session's, else what Zoom told. */
static const char SQL_LIST[] =
	"WITH listed AS ("
	" SELECT o.*, CASE WHEN o.session_id IS NOT NULL THEN 'assigned'"
	"   WHEN o.admin_id IS NOT NULL THEN 'dismissed' ELSE 'waiting' END AS state"
	" FROM zoom_occurrences o"
	" WHERE ($2::text IS NULL OR o.uuid = $2) AND ($3::bigint IS NULL OR o.session_id = $3)"
	"  AND CASE $1::text WHEN 'waiting' THEN o.session_id IS NULL AND o.admin_id IS NULL"
	"   WHEN 'dismissed' THEN o.session_id IS NULL AND o.admin_id IS NOT NULL"
	"   WHEN 'assigned' THEN o.session_id IS NOT NULL ELSE true END"
	" ORDER BY o.around DESC, o.uuid LIMIT $4::bigint + 1)"
	" SELECT o.uuid, o.meeting_id, host.id AS \"teacher.id\", host.name AS \"teacher.name\","
	"  fact.began_at, fact.last_at, fact.ended_at, fact.events, fact.people, o.state,"
	"  s.id AS \"session.id\", st.name AS \"session.student_name\","
	"  s.session_status AS \"session.session_status\","
	"  CASE WHEN o.admin_id IS NULL THEN 'rule' ELSE 'admin' END AS decided_by, o.reason"
	" FROM listed o LEFT JOIN sessions s ON s.id = o.session_id"
	" LEFT JOIN students st ON st.id = s.student_id"
	" LEFT JOIN LATERAL (SELECT t.id, t.name FROM zoom_hosts h JOIN accounts t"
	"  ON t.id = h.account_id WHERE h.host_id = o.host_id ORDER BY h.learned_at LIMIT 1) host"
	"  ON true"
	" CROSS JOIN LATERAL (SELECT min(happened_at) AS began_at, max(happened_at) AS last_at,"
	"  max(happened_at) FILTER (WHERE kind = 'zoom_ended') AS ended_at, count(*) AS events,"
	"  count(DISTINCT connection) AS people FROM ("
	"  SELECT e.kind, e.happened_at, e.detail->>'participant' AS connection"
	"   FROM session_events e WHERE e.session_id = o.session_id AND e.detail->>'uuid' = o.uuid"
	"   AND e.kind IN ('zoom_started', 'zoom_joined', 'zoom_left', 'zoom_ended')"
	"  UNION ALL"
	"  SELECT r.kind, r.happened_at, r.connection FROM zoom_raw r WHERE r.uuid = o.uuid"
	"   AND o.session_id IS NULL) told) fact"
	" ORDER BY o.around DESC, o.uuid";

enum err zoom_inbox(struct db *db, struct arena *a, const struct zoom_inbox_filter *filter,
		    struct json_object **out)
{
	const char *args[] = { filter->state, filter->uuid,
			       filter->session_id ? arena_int(a, filter->session_id) : NULL,
			       arena_int(a, filter->limit) };
	struct json_object *list;
	struct db_rows r;
	bool more;
	enum err e = db_read(db, a, SQL_LIST, 4, args, &r);

	if (e)
		return e;
	list = db_rows_json(&r);
	more = db_count(&r) > filter->limit;
	if (more)
		json_object_array_del_idx(list, (size_t)filter->limit, 1);
	*out = json_object_new_object();
	json_object_object_add(*out, "occurrences", list);
	json_object_object_add(*out, "more", json_object_new_boolean(more));
	return OK;
}
