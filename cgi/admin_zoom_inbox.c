/*
 * GET, POST /api/admin/zoom-inbox: meetings that Zoom told of, and whose class each is.
 *
 * GET       state=waiting (default), dismissed, assigned or all; session_id; limit (50; 1 to 200)
 *           200 {"occurrences":[...],"more"}: lib/zoom_inbox.h
 * POST      {"uuid","session_id": the class, or null for none,"reason"}
 *           200 {"occurrences":[the one]}; the rule leaves it alone from then on
 * Errors    400 401 403 404 503
 */
#include <string.h>

#include "app.h"
#include "fields.h"
#include "params.h"
#include "zoom_event.h"
#include "zoom_inbox.h"
#include "zoom_meeting.h"

#define REASON_MAX    500 /* characters */
#define LIMIT_DEFAULT 50

static const char *const states[] = { "waiting", "dismissed", "assigned", "all", NULL };

static enum err answer(struct req *req, const struct zoom_inbox_filter *filter)
{
	struct json_object *list;
	enum err e = zoom_inbox(req->db, req->arena, filter, &list);

	return e ? e : req_json(req, 200, list);
}

static enum err show(struct req *req)
{
	struct zoom_inbox_filter filter = { 0 };
	struct params p;
	enum err e;

	params_open(&p, req);
	filter.state = params_word_or_null(&p, "state", states);
	filter.session_id = params_i64_or(&p, "session_id", 1, INT64_MAX - 1, 0);
	filter.limit = params_i64_or(&p, "limit", 1, ZOOM_INBOX_MAX, LIMIT_DEFAULT);
	e = params_close(&p);
	if (!filter.state && !filter.session_id)
		filter.state = "waiting";
	else if (filter.state && !strcmp(filter.state, "all"))
		filter.state = NULL;
	return e ? e : answer(req, &filter);
}

static enum err parse(struct req *req, struct zoom_meeting_want *want)
{
	struct fields f;

	fields_open(&f, req);
	want->uuid = fields_str(&f, "uuid", 1, ZOOM_ID_MAX);
	if (!fields_has(&f, "session_id"))
		fields_refuse(&f, "session_id", "Say which class, or null for none.");
	want->session_id = fields_i64_or(&f, "session_id", 1, INT64_MAX - 1, 0);
	want->reason = fields_str(&f, "reason", 1, REASON_MAX);
	return fields_close(&f);
}

static enum err assign(struct req *req)
{
	struct zoom_meeting_want want = { .account_id = req->who.id };
	struct zoom_inbox_filter filter = { .limit = 1 };
	enum err e = parse(req, &want);

	if (!e)
		e = zoom_meeting_assign(req->db, req->arena, &want, &req->why);
	filter.uuid = want.uuid;
	return e ? e : answer(req, &filter);
}

static const struct endpoint endpoint = {
	.name = "admin_zoom_inbox",
	.who = WHO_ADMIN,
	.routes = { { "GET", show }, { "POST", assign } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
