/*
 * GET /api/admin/session-events?session_id=: the evidence of a session, and what it comes to.
 *
 * Answer    200 {"session":{...},"events":[{"id","kind","happened_at","received_at","source",
 *           "account":{"id","name"}|null,"detail"}],"opened_late_at","explanation",
 *           "explained":{...}}; what was explained is told in lib/explain.h
 * Errors    400 401 403 404 503
 */
#include <json-c/json.h>

#include "app.h"
#include "evidence.h"
#include "db_json.h"
#include "explain.h"
#include "params.h"
#include "session.h"

/* No class has more; a hostile one is cut here, newest left out. */
#define EVENTS_MAX "1000"

static const char SQL_EVENTS[] =
	"SELECT e.id, e.kind, e.happened_at, e.received_at, e.source, a.id AS \"account.id\","
	" a.name AS \"account.name\", e.detail"
	" FROM session_events e LEFT JOIN accounts a ON a.id = e.account_id"
	" WHERE e.session_id = $1::bigint ORDER BY e.happened_at, e.id LIMIT " EVENTS_MAX;

/* The evidence has the first of these, which tells enough; a class is reopened from the last. */
static const char SQL_OPENED_LATE[] =
	"SELECT max(c.happened_at) AS opened_late_at FROM clicks c"
	" JOIN sessions s ON s.id = c.session_id WHERE c.session_id = $1::bigint"
	" AND c.verdict = 'late' AND c.happened_at > coalesce(s.session_ended_at, s.sent_at)";

static enum err read_of(struct req *req, const char *sql, int64_t id, struct db_rows *rows)
{
	const char *args[] = { arena_int(req->arena, id) };

	return db_read(req->db, req->arena, sql, 1, args, rows);
}

/* All of one moment. The caller owns *session. */
static enum err read_all(struct req *req, int64_t id, struct explanation *why,
			 struct db_rows *events, struct db_rows *late, struct json_object **session)
{
	enum err e = db_begin_snapshot(req->db);

	if (e)
		return e;
	*session = NULL;
	e = explain(req->db, req->arena, id, why);
	if (!e)
		e = read_of(req, SQL_EVENTS, id, events);
	if (!e)
		e = read_of(req, SQL_OPENED_LATE, id, late);
	if (!e)
		e = session_json(req->db, req->arena, id, session);
	return db_finish_json(req->db, e, session);
}

static enum err show(struct req *req)
{
	struct json_object *session, *answer;
	struct explanation why;
	struct db_rows events, late;
	struct params p;
	int64_t id;
	enum err e;

	params_open(&p, req);
	id = params_i64_or(&p, "session_id", 1, INT64_MAX - 1, 0);
	if (!id)
		params_refuse(&p, "session_id", "Say which session.");
	e = params_close(&p);
	if (!e)
		e = read_all(req, id, &why, &events, &late, &session);
	if (e)
		return e == ERR_NOT_FOUND ? session_none(&req->why) : e;
	e = db_one_json(&late, &answer);
	if (e) {
		json_object_put(session);
		return e;
	}
	json_object_object_add(answer, "session", session);
	json_object_object_add(answer, "events", db_rows_json(&events));
	json_object_object_add(answer, "explanation", json_object_new_string(why.sentence));
	json_object_object_add(answer, "explained", db_row_json(&why.facts));
	return req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "admin_session_events",
	.who = WHO_ADMIN,
	.routes = { { "GET", show } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
