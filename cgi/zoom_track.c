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

/* Taps in hand at once; more wait in the socket's queue. Source: docs/decisions.md, "The click". */
#define LANES 144

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

/*
 * The database is away: the sealed link alone opens the class, and the click
 * is durable on this node before it does. A student is never refused because
 * of our outage, so a journal that fails stops nobody either; it is logged.
 */
static enum err open_without_database(struct req *req, const struct click *click,
				      int64_t happened_us)
{
	const struct join_link *link = click->link;
	const struct journal_entry entry = {
		.kind = JOURNAL_CLICK,
		.id = click->key,
		.happened_us = happened_us,
		.session_id = link->session_id,
		.link_id = join_link_id_text(req->arena, link),
		.sent_us = link->sent_us,
		.expires_us = link->expires_us,
		.address = click->address,
		.agent = click->agent,
		.login = click->login ? token_hash(req->arena, click->login) : NULL,
	};
	struct click_result result = { .zoom_url = link->zoom_url };

	if (happened_us + journal_clock_offset_us(req->conf->journal_dir) >= link->expires_us)
		result.answer = CLICK_EXPIRED;
	else if (click->visitor == VISITOR_HUMAN)
		(void)!journal_append(req->conf->journal_dir, req->arena, &entry);
	return answer(req, click->visitor, &result);
}

static enum err open_class(struct req *req)
{
	int64_t happened_us = journal_now_us();
	struct click_result result;
	struct join_link link;
	const char *id = req_id(req);
	struct click click = { .key = id ? id : journal_id(req->arena),
			       .link = &link,
			       .visitor = req_visitor(req),
			       .address = req_address(req),
			       .agent = req_header(req, "User-Agent"),
			       .login = gate_login_token(req) };

	if (join_link_open(req->arena, req->keys, query_first(req->arena, req->query, "token"),
			   &link))
		return page_answer(req, 404, PAGE_NOT_A_LINK, NULL);
	if (click_group_record(req->arena, &click, &result))
		return open_without_database(req, &click, happened_us);
	return answer(req, click.visitor, &result);
}

static const struct endpoint endpoint = {
	.name = "zoom_track",
	.who = WHO_ANYONE,
	.routes = { { "GET", open_class }, { "HEAD", open_class } },
	.needs = NEED_AUTH_SECRET | NEED_JOURNAL,
	.workers = 1,
	.lanes = LANES,
	.wakes = true,
	.start = click_group_start,
	.keeps_login = true,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
