/*
 * GET /api/zoom/track?token=T: the student's tap. Starts the clock and opens Zoom.
 *
 * Answer    302 to Zoom's link; to a crawler a 200 page with a button
 * Errors    404 forged, 410 expired or cancelled, 503 prefetch: small HTML pages
 * Source    design, "The join link"; docs/architecture.md, "The path of a click"
 */
#include "app.h"
#include "click_group.h"
#include "gate.h"
#include "journal.h"
#include "page.h"
#include "query.h"
#include "req_visitor.h"
#include "zoom_url.h"

/* Taps in hand at once; more wait in the socket's queue. Source: docs/decisions.md, "One thread for
 * all taps". */
#define TAPS 256

struct tap {
	enum visitor visitor;
	struct waiting *place; /* of its click in line */
};

static enum err answer(struct req *req, enum visitor visitor, const struct click_result *result)
{
	if (result->answer == CLICK_BY_ACCOUNT)
		return page_answer(req, 200, PAGE_TEACHER, NULL);
	if (result->answer == CLICK_EXPIRED)
		return page_answer(req, 410, PAGE_EXPIRED, NULL);
	if (result->answer == CLICK_CANCELLED)
		return page_answer(req, 410, PAGE_CANCELLED, NULL);
	if (zoom_url_check(result->zoom_url, NULL))
		return page_answer(req, 404, PAGE_NOT_A_LINK, NULL);
	if (visitor == VISITOR_CRAWLER)
		return page_answer(req, 200, PAGE_OPEN_CLASS, result->zoom_url);
	if (visitor == VISITOR_PREFETCH)
		return page_answer(req, 503, PAGE_TRY_AGAIN, NULL);
	req_add_header(req, "Location", result->zoom_url);
	req_add_header(req, "X-Robots-Tag", "noindex, nofollow");
	return req_text(req, 302, "text/plain", "");
}

static enum err when_decided(struct req *req)
{
	struct tap *tap = req->waits_for;
	struct click_result result;

	if (!click_group_leave(&tap->place, req->arena, &result))
		return req_wait(req, when_decided);
	return answer(req, tap->visitor, &result);
}

static enum err open_class(struct req *req)
{
	struct tap *tap = arena_alloc(req->arena, sizeof *tap);
	const char *id = req_id(req);
	struct join_link link;
	struct click click = { .key = id ? id : journal_id(req->arena),
			       .link = &link,
			       .visitor = req_visitor(req),
			       .address = req_address(req),
			       .agent = req_header(req, "User-Agent"),
			       .login = gate_login_token(req) };

	if (join_link_open(req->arena, req->keys, query_first(req->arena, req->query, "token"),
			   &link))
		return page_answer(req, 404, PAGE_NOT_A_LINK, NULL);
	*tap = (struct tap){ click.visitor, click_group_join(&click) };
	req->waits_for = tap;
	return when_decided(req);
}

static enum err start(const struct conf *conf)
{
	return click_group_start(conf, app_wake);
}

static const struct endpoint endpoint = {
	.name = "zoom_track",
	.who = WHO_ANYONE,
	.routes = { { "GET", open_class }, { "HEAD", open_class } },
	.needs = NEED_AUTH_SECRET | NEED_JOURNAL,
	.workers = 1,
	.at_once = TAPS,
	.wakes = true,
	.start = start,
	.keeps_login = true,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
