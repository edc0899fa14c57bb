#include <json-c/json.h>

#include "evidence.h"
#include "zoom_evidence.h"

/*
 * $1 session  $2 uuid  $3 host or NULL. What another session was given already
 * goes first: its moments are the ones that decided.
 */
static const char SQL_BRING[] =
	"INSERT INTO session_events (session_id, kind, happened_at, received_at, source, detail,"
	"  dedupe)"
	" SELECT DISTINCT ON (key) $1::bigint, kind, happened_at, received_at, 'zoom', detail, key"
	" FROM ("
	"  SELECT dedupe AS key, kind, happened_at, received_at, detail, 0 AS rank, id"
	"  FROM session_events WHERE detail ? 'uuid' AND detail->>'uuid' = $2"
	"   AND session_id <> $1::bigint AND dedupe IS NOT NULL"
	"  UNION ALL"
	"  SELECT key, kind, happened_at, received_at, jsonb_strip_nulls(jsonb_build_object("
	"    'uuid', uuid, 'participant', connection, 'side',"
	"    CASE WHEN kind NOT IN ('zoom_joined', 'zoom_left') THEN NULL"
	"     WHEN person_id = coalesce(host_id, $3) THEN 'teacher'"
	"     WHEN coalesce(host_id, $3) IS NOT NULL THEN 'student' END)), 1, 0"
	"  FROM zoom_raw WHERE uuid = $2 AND kind IS NOT NULL) fact"
	" WHERE NOT EXISTS (SELECT FROM session_events had"
	"  WHERE had.session_id = $1::bigint AND had.dedupe = key)"
	" ORDER BY key, rank, id"
	" ON CONFLICT (session_id, dedupe) DO NOTHING";

/* Connections that turned out to be the teacher's only after their facts had been given. */
static const char SQL_RECOGNISE[] =
	"INSERT INTO session_events (session_id, kind, happened_at, source, detail, dedupe)"
	" SELECT DISTINCT $1::bigint, 'zoom_role', clock_now(), 'zoom', jsonb_build_object("
	"  'uuid', uuid, 'participant', connection, 'side', 'teacher'),"
	"  'role|' || uuid || '|' || connection"
	" FROM zoom_raw WHERE uuid = $2 AND person_id = $3 AND connection IS NOT NULL"
	"  AND NOT EXISTS (SELECT FROM session_events known WHERE known.session_id = $1::bigint"
	"   AND known.detail->>'participant' = connection AND known.detail->>'side' = 'teacher')"
	" ON CONFLICT (session_id, dedupe) DO NOTHING";

/* $1 uuid  $2 session or NULL  $3 admin or NULL  $4 the admin's reason */
static const char SQL_OWN[] =
	"UPDATE zoom_occurrences SET session_id = $2::bigint, admin_id = $3::bigint, reason = $4"
	" WHERE uuid = $1";

/* $1 uuid  $2 state. What nobody needed is not looked at again. */
static const char SQL_STATE[] =
	"UPDATE zoom_raw SET state = $2 WHERE uuid = $1 AND state IS DISTINCT FROM $2";

/* $1 host  $2 session */
static const char SQL_LEARN_HOST[] =
	"INSERT INTO zoom_hosts (host_id, account_id)"
	" SELECT $1, teacher_id FROM sessions WHERE id = $2::bigint ON CONFLICT DO NOTHING";

/*
 * $1 host  $2 the session that lost a meeting of it. What nothing else tells is
 * not the teacher's: no word of Zoom, no meeting made for them, none that their
 * link names or an admin gave them. One that the rule found by the host alone
 * tells nothing.
 */
static const char SQL_UNLEARN_HOST[] =
	"DELETE FROM zoom_hosts h USING sessions lost WHERE lost.id = $2::bigint"
	" AND h.host_id = $1 AND h.account_id = lost.teacher_id AND NOT h.confirmed"
	" AND NOT EXISTS (SELECT FROM zoom_creates made"
	"  WHERE made.account_id = h.account_id AND made.host_id = h.host_id)"
	" AND NOT EXISTS (SELECT FROM sessions s JOIN zoom_occurrences o ON o.session_id = s.id"
	"  WHERE s.teacher_id = h.account_id AND o.host_id = h.host_id"
	"  AND (s.meeting_id IS NOT NULL OR o.admin_id IS NOT NULL))";

static void put(void *o)
{
	json_object_put(o);
}

static const char *detail(struct arena *a, const struct zoom_move *move)
{
	struct json_object *o = json_object_new_object();

	arena_defer(a, put, o);
	json_object_object_add(o, "uuid", json_object_new_string(move->uuid));
	if (move->why)
		json_object_object_add(o, "why", json_object_new_string(move->why));
	if (move->reason)
		json_object_object_add(o, "reason", json_object_new_string(move->reason));
	return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
}

static enum err say(struct db *db, struct arena *a, const struct zoom_move *move, const char *kind,
		    int64_t session_id)
{
	const struct observation seen = {
		.kind = kind,
		.happened_us = HAPPENED_NOW,
		.source = move->account_id ? SOURCE_ADMIN : SOURCE_SYSTEM,
		.account_id = move->account_id,
		.detail = detail(a, move),
	};

	return session_id ? evidence_add(db, a, session_id, &seen, NULL) : OK;
}

enum err zoom_evidence_bring(struct db *db, struct arena *a, const char *uuid, const char *host_id,
			     int64_t session_id)
{
	const char *args[] = { arena_int(a, session_id), uuid, host_id };
	const char *state[] = { uuid, "applied" };
	enum err e = db_write(db, a, SQL_BRING, 3, args, NULL);

	if (!e && host_id)
		e = db_write(db, a, SQL_RECOGNISE, 3, args, NULL);
	return e ? e : db_write(db, a, SQL_STATE, 2, state, NULL);
}

enum err zoom_evidence_move(struct db *db, struct arena *a, const struct zoom_move *move)
{
	const char *own[] = { move->uuid, move->to ? arena_int(a, move->to) : NULL,
			      move->account_id ? arena_int(a, move->account_id) : NULL,
			      move->reason };
	const char *state[] = { move->uuid, "inbox" };
	const char *lost[] = { move->host_id, move->from ? arena_int(a, move->from) : NULL };
	const char *host[] = { move->host_id, own[1] };
	enum err e = say(db, a, move, "zoom_released", move->from);

	if (!e)
		e = say(db, a, move, "zoom_assigned", move->to);
	if (!e)
		e = db_write(db, a, SQL_OWN, 4, own, NULL);
	if (!e && move->from && move->host_id)
		e = db_write(db, a, SQL_UNLEARN_HOST, 2, lost, NULL);
	if (!e && move->to && move->host_id)
		e = db_write(db, a, SQL_LEARN_HOST, 2, host, NULL);
	if (e)
		return e;
	return move->to ? zoom_evidence_bring(db, a, move->uuid, move->host_id, move->to)
			: db_write(db, a, SQL_STATE, 2, state, NULL);
}
