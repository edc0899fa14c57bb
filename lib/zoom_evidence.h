#ifndef ZOOM_EVIDENCE_H
#define ZOOM_EVIDENCE_H

#include <stdint.h>

#include "db.h"

/*
 * The evidence that one occurrence of a meeting gives to a session. Facts are
 * never deleted: taking an occurrence away says so, giving it back says so, and
 * the last word counts (lib/evidence.h). What it gave to an earlier session is
 * copied to the next with its own moments.
 *
 * All of it in the open transaction, under the locks of the sessions concerned;
 * who calls decides them anew afterwards.
 */

/* An occurrence that goes from one session to another; 0 is no session. */
struct zoom_move {
	const char *uuid;
	const char *host_id; /* NULL: unknown */
	int64_t from, to;
	const char *why;    /* a word: the rule that says so; NULL: an admin */
	int64_t account_id; /* the admin */
	const char *reason; /* the admin's */
};

MUST_CHECK enum err zoom_evidence_move(struct db *db, struct arena *a,
				       const struct zoom_move *move);

/* Adds the facts of the occurrence that its session lacks. */
MUST_CHECK enum err zoom_evidence_bring(struct db *db, struct arena *a, const char *uuid,
					const char *host_id, int64_t session_id);

#endif
