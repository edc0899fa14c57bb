#ifndef ZOOM_INTAKE_H
#define ZOOM_INTAKE_H

#include "db.h"
#include "zoom_event.h"

/*
 * Takes in what Zoom signed: stored once, as it came, and applied in the same
 * transaction. Owns the SQL that fills "zoom_raw".
 */

/*
 * Stores the event read from len bytes of body and applies it. A repeat of what
 * was applied changes nothing. What cannot be applied for a reason of ours, or
 * not in time, is logged and kept: zoom_intake_catch_up() applies it, or a repeat
 * that comes first. Where there is something to apply it sets the deadline, and
 * takes less than 2 s.
 *
 * ERR_UNAVAILABLE, ERR_IN_DOUBT  repeat it
 */
MUST_CHECK enum err zoom_intake(struct db *db, struct arena *a, const struct zoom_event *event,
				const char *body, size_t len);

/*
 * Applies what was kept, each event in a transaction of its own, for two
 * minutes at most. One that still cannot be applied is tried again by later
 * runs, ever more seldom, for eight days. For the job.
 *
 * The error of the first that failed; the others were applied nevertheless.
 */
MUST_CHECK enum err zoom_intake_catch_up(struct db *db);

#endif
