#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "db.h"

/* Where a session's minutes come from. Belongs to the arena. */
struct explanation {
	/*
	 * One plain sentence, with times in the academy's zone: "48 min: opened 10:02
	 * by the student, both present 10:03 to 10:50 (47 min), ended 10:50 by Zoom."
	 */
	const char *sentence;
	/*
	 * The row of what it says that session_json() does not, for who words it in
	 * another language, and of what can be done about it:
	 *
	 *   began_by         corrected or reopened; NULL when the student opened it
	 *   together_from    when both were first there; NULL: never, or not known
	 *   together_to      when they last were; NULL as well when no end was seen
	 *   end_corrected    the end is an admin's word
	 *   reopened         the deadline is one that an admin chose
	 *   withdrawn_by     admin, teacher or newer_link; NULL when not cancelled
	 *   link_hours, duration_minutes, buffer_minutes
	 *   with_seconds     start and end in minutes, as seconds are cut off, would
	 *                    not give the minutes: seconds are told
	 *   corrected        a correction stands, and can be released
	 */
	struct db_rows facts;
};

/*
 * Several reads: the caller sees to it that they see one session.
 *
 * ERR_NOT_FOUND  no such session
 */
MUST_CHECK enum err explain(struct db *db, struct arena *a, int64_t session_id,
			    struct explanation *out);

#endif
