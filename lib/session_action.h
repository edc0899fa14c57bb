#ifndef SESSION_ACTION_H
#define SESSION_ACTION_H

#include <stdint.h>

#include "db.h"

/*
 * What people do to a session: each action is evidence with its author and
 * reason, and the row is decided anew. Repeating one that already holds
 * changes nothing and succeeds (beside Zoom's events a teacher's end is kept each time, once a
 * second); to reopen, correct or release is a repeat when the last that anybody decided is the same
 * account's, with the same reason and moments, and of a reopened class only while it runs. What a
 * newer link alone cancelled can be cancelled: its own then opens that class no more.
 */
enum action { ACTION_END, ACTION_CANCEL, ACTION_REOPEN, ACTION_CORRECT, ACTION_RELEASE };

/* A moment that was not given. */
#define MOMENT_NONE INT64_MIN

struct action_want {
	int64_t session_id;
	enum action action;
	int64_t account_id; /* who does it */
	bool by_admin;	    /* else the session's own teacher; another's is ERR_NOT_FOUND */
	const char *reason; /* NULL: none */
	/* cancel: the state that they saw, one of status_names; not given: whatever it is */
	const char *seen;
	int64_t clicked_us, ended_us; /* correct; clicked_us with reopen starts the class there */
	/* reopen; not given: now and what was left, of a class that began at clicked_us if given */
	int64_t times_out_us;
};

/*
 * ERR_NOT_FOUND  no such session, or another teacher's
 * ERR_CONFLICT   its state does not allow that, or is not the one that they saw; *why says what
 *                state it is in
 * ERR_INVALID    a moment makes no sense; *why names it
 * ERR_IN_DOUBT   repeat it
 */
MUST_CHECK enum err session_act(struct db *db, struct arena *a, const struct action_want *want,
				struct why *why);

/*
 * The signed "End class": the teacher left then (HAPPENED_NOW: now). Repeated,
 * it changes nothing. ERR_NOT_FOUND: no such session.
 */
MUST_CHECK enum err session_teacher_left(struct db *db, struct arena *a, int64_t session_id,
					 int64_t happened_us);
/* The same inside the caller's transaction; detail as in evidence, NULL for {}. */
MUST_CHECK enum err session_teacher_left_in(struct db *db, struct arena *a, int64_t session_id,
					    int64_t happened_us, const char *detail);

#endif
