/*
 * GET /api/admin/trends: what happened in a range of days, and what pay is made from.
 *
 * Request   from, to: academy days, inclusive, at most 400; none is the last 30. format=csv
 *           streams the pay, a row also with the days of its month that it is of
 * Answer    200 {"from","to","time_zone","days":[{"day","classes","minutes","timeouts","missed"}],
 *           "teachers":[{"teacher":{"id","name"},"classes","minutes","timeouts","missed"}],
 *           "hours":[{"weekday": 0 is Monday,"hour","classes"}],
 *           "pay":[{"month":"YYYY-MM","teacher":{"id","name"},"currency","classes","minutes",
 *           "estimated_minutes","sum_rate":"10.00","without_rate"}],"more"} or text/csv; what
 *           counts as what is said in lib/trends.h
 * Errors    400 401 403 503
 */
#include <string.h>

#include "app.h"
#include "params.h"
#include "req_csv.h"
#include "trends.h"

static const char *const formats[] = { "json", "csv", NULL };

static enum err show(struct req *req)
{
	struct trends_range range;
	struct json_object *answer;
	const char *format;
	struct params p;
	enum err e;

	params_open(&p, req);
	range.from = params_day_or_null(&p, "from");
	range.to = params_day_or_null(&p, "to");
	format = params_word_or_null(&p, "format", formats);
	e = params_close(&p);
	if (!e)
		e = trends_days(req->db, req->arena, &range, &req->why);
	if (e)
		return e;
	if (format && !strcmp(format, "csv")) {
		req_csv_name(req, "pay", range.from, range.to);
		return trends_csv(req->db, req->arena, &range, req_csv_send, req);
	}
	e = trends(req->db, req->arena, &range, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "admin_trends",
	.who = WHO_ADMIN,
	.routes = { { "GET", show } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
