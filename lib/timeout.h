#ifndef TIMEOUT_H
#define TIMEOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"

/*
 * What time alone decides: running classes past their deadline time out, links
 * past their life are missed, and classes that decide() wants to look at again
 * are decided anew. One function behind three doors: session-timeout,
 * POST /api/admin/auto-timeout and GET /api/cron/session-timeout.
 */
#define TIMEOUT_IDS_MAX 200 /* ids told to a caller; source: design, auto-timeout */

struct timeout_run {
	int64_t timed_out; /* classes that timed out */
	int64_t missed;	   /* links that nobody opened */
	int64_t settled;   /* others whose row changed */
	int64_t rematched; /* meetings of Zoom that went to another class */
	int64_t ids[TIMEOUT_IDS_MAX];
	size_t n_ids; /* of the classes that timed out */
	int64_t duration_ms;
};

/*
 * Touches due rows only, in short transactions, and leaves alone what another
 * transaction holds: that is found by the next run. Safe beside itself and
 * every writer. Records the run. The moment at which it runs changes no minute.
 */
MUST_CHECK enum err timeout_run(struct db *db, struct arena *a, struct timeout_run *out);

/* Counts what a run would touch now: classes to time out, links to mark missed. */
MUST_CHECK enum err timeout_due(struct db *db, struct arena *a, int64_t *active, int64_t *unopened);

#endif
