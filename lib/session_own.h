#ifndef SESSION_OWN_H
#define SESSION_OWN_H

#include <stdint.h>

#include "db.h"

/*
 * What a teacher says about an own session, beside lib/session_action.h.
 *
 * ERR_NOT_FOUND  no such session, or another teacher's
 */

/*
 * Another Zoom link for a class that is sent or running, remembered for the
 * student's next one, unless a meeting had been made for this class. The one
 * that it has already changes nothing.
 *
 * ERR_CONFLICT  its state does not allow that; *why says what state it is in
 * ERR_INVALID   *why says what is wrong with the link
 */
MUST_CHECK enum err session_change_url(struct db *db, struct arena *a, int64_t session_id,
				       int64_t teacher_id, const char *zoom_url, struct why *why);

/*
 * Marks attendance, one of the schema's words; note may be "", or NULL for the
 * one that stands. Marked so already changes nothing.
 */
MUST_CHECK enum err session_attendance(struct db *db, struct arena *a, int64_t session_id,
				       int64_t teacher_id, const char *attendance, const char *note,
				       struct why *why);

#endif
