/*
 * GET /api/admin/deliveries: what became of each attempt to send a message, newest first.
 *
 * Request   session_id, student_id, state (queued, sent, unknown, failed, dropped); limit, cursor
 * Answer    200 {"deliveries":[{"id","happened_at","state","outcome","status","detail","attempt",
 *           "message":{"id","kind","state","next_at"},"session_id","student":{"id","name"}|null,
 *           "teacher":{"id","name"}|null}],"next_cursor"}
 * Errors    400 401 403 503
 */
#include "app.h"
#include "cursor_rows.h"
#include "delivery.h"
#include "params.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     200

static const char *const states[] = { "queued", "sent", "unknown", "failed", "dropped", NULL };

static enum err list(struct req *req)
{
	struct delivery_filter filter;
	struct json_object *answer;
	struct cursor after;
	struct params p;
	bool has_cursor;
	int64_t limit;
	enum err e;

	params_open(&p, req);
	filter.session_id = params_i64_or(&p, "session_id", 1, INT64_MAX - 1, 0);
	filter.student_id = params_i64_or(&p, "student_id", 1, INT64_MAX - 1, 0);
	filter.state = params_word_or_null(&p, "state", states);
	limit = params_i64_or(&p, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT);
	has_cursor = cursor_param(&p, &after);
	e = params_close(&p);
	if (!e)
		e = delivery_list(req->db, req->arena, req->keys, &filter, limit,
				  has_cursor ? &after : NULL, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "admin_deliveries",
	.who = WHO_ADMIN,
	.routes = { { "GET", list } },
	.needs = NEED_AUTH_SECRET,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
