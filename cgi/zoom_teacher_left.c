/*
 * GET /api/zoom/teacher-left?session=123&exp=E&sig=S: the teacher has left, the class ends now.
 *
 * Answer    200 and a small page; a repeat shows the same and changes nothing
 * Errors    400 403 altered or expired, 404 no such session, 503 nothing could be kept: small HTML
 *           pages
 * Source    design, HTTP contract; lib/leave_link.h for the signature
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "app.h"
#include "app_parent.h"
#include "evidence.h"
#include "journal.h"
#include "journal_state.h"
#include "leave_link.h"
#include "log.h"
#include "page.h"
#include "probe.h"
#include "req_visitor.h"
#include "session_action.h"

/* Whether the database is away, as all workers see it. */
static _Atomic int64_t *ask_again_ms;

/* The database is away: what the teacher said is kept on this node and replayed with its moment. */
static enum err end_later(struct req *req, int64_t session_id, int64_t happened_us)
{
	const struct journal_entry entry = { .kind = JOURNAL_LEFT,
					     .happened_us = happened_us,
					     .session_id = session_id };

	if (journal_append(req->conf->journal_dir, req->arena, &entry, 1))
		return page_answer(req, 503, PAGE_NOT_ENDED, NULL);
	return page_answer(req, 200, PAGE_CLASS_ENDED, NULL);
}

/* While it is away one request in PROBE_EVERY_MS finds out whether it is back, no other waits. */
static bool is_away(struct req *req)
{
	int64_t now = monotonic_ms(), at = atomic_load(ask_again_ms);

	if (!at)
		return false;
	if (now < at || !atomic_compare_exchange_strong(ask_again_ms, &at, now + PROBE_EVERY_MS))
		return true;
	if (probe_database(req->db, req->conf)) {
		/* It may have taken as long. */
		atomic_store(ask_again_ms, monotonic_ms() + PROBE_EVERY_MS);
		return true;
	}
	atomic_store(ask_again_ms, 0);
	log_info("the database is back");
	db_deadline(req->db, CLICK_DEADLINE_MS);
	return false;
}

static enum err end_now(struct req *req, int64_t session_id)
{
	enum err e;

	if (is_away(req))
		return ERR_UNAVAILABLE;
	e = session_teacher_left(req->db, req->arena, session_id, HAPPENED_NOW);
	if (e == ERR_IN_DOUBT) /* idempotent */
		e = session_teacher_left(req->db, req->arena, session_id, HAPPENED_NOW);
	if ((e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT) &&
	    !atomic_exchange(ask_again_ms, monotonic_ms() + PROBE_EVERY_MS))
		log_warn("the database is away: who has left goes to the journal");
	return e;
}

static enum err end_class(struct req *req)
{
	int64_t happened_us = journal_now_us();
	struct leave_link link;
	enum err e = leave_link_verify(req->arena, req->keys, req->query,
				       (int64_t)time(NULL) * 1000000, &link, &req->why);

	if (e)
		return page_answer(req, err_status(e), PAGE_BAD_LEAVE, NULL);
	if (req_visitor(req) != VISITOR_HUMAN) /* only a person ends a class */
		return page_answer(req, 503, PAGE_NOT_ENDED, NULL);
	e = end_now(req, link.session_id);
	if (e == ERR_NOT_FOUND)
		return page_answer(req, 404, PAGE_BAD_LEAVE, NULL);
	return e ? end_later(req, link.session_id, happened_us)
		 : page_answer(req, 200, PAGE_CLASS_ENDED, NULL);
}

static enum err start(const struct conf *conf)
{
	journal_state_open(conf->journal_dir);
	return OK;
}

static const struct endpoint endpoint = {
	.name = "zoom_teacher_left",
	.who = WHO_SECRET, /* the signature */
	.routes = { { "GET", end_class } },
	.needs = NEED_AUTH_SECRET | NEED_JOURNAL,
	.deadline_ms = CLICK_DEADLINE_MS, /* then the journal */
	.start = start,
};

int main(int argc, char **argv)
{
	/* Before the workers are forked: it is theirs together. */
	ask_again_ms = mmap(NULL, sizeof *ask_again_ms, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ask_again_ms == MAP_FAILED)
		return EXIT_FAILURE;
	return app_main(argc, argv, &endpoint);
}
