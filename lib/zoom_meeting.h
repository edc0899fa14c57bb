#ifndef ZOOM_MEETING_H
#define ZOOM_MEETING_H

#include <stdint.h>

#include "db.h"
#include "zoom_event.h"

/*
 * The meetings that Zoom tells of, and whose class each is. Owns, with
 * zoom_evidence.h and zoom_review.h, the SQL for "zoom_occurrences" and "zoom_hosts". What
 * zoom_match() says, or an admin, is written into the sessions' evidence; sessions are decided anew
 * with it.
 *
 * Locks  the meeting first, then sessions in order of id.
 */

/* In the open transaction: what an event that was just stored means for its meeting's sessions. */
MUST_CHECK enum err zoom_meeting_learn(struct db *db, struct arena *a,
				       const struct zoom_event *event);

/* What an admin wants of an occurrence. */
struct zoom_meeting_want {
	const char *uuid;
	int64_t session_id; /* 0: no session's */
	int64_t account_id; /* who says so */
	const char *reason;
};

/*
 * Makes the occurrence the session's, or nobody's; the rule leaves it alone
 * from then on. Repeated, it changes nothing.
 *
 * ERR_NOT_FOUND  no such occurrence or session; *why says which
 */
MUST_CHECK enum err zoom_meeting_assign(struct db *db, struct arena *a,
					const struct zoom_meeting_want *want, struct why *why);

/*
 * In the open transaction: asks the rule again about the occurrence and what is
 * near it. Adds to *changed the occurrences that went to another session.
 */
MUST_CHECK enum err zoom_meeting_review(struct db *db, struct arena *a, const char *uuid,
					int64_t *changed);

#endif
