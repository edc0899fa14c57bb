#ifndef ZOOM_INTAKE_H
#define ZOOM_INTAKE_H

#include "db.h"
#include "zoom_event.h"

/*
 * Takes in what Zoom signed: stored once, as it came, and applied in the same
 * transaction. Owns the SQL that fills "zoom_raw".
 */

/*
 * Stores the event read from len bytes of body and applies it. A repeat
 * changes nothing. What cannot be applied for a reason of ours is logged and
 * kept for the job, so that Zoom need not repeat it.
 *
 * ERR_IN_DOUBT  repeat it
 */
MUST_CHECK enum err zoom_intake(struct db *db, struct arena *a, const struct zoom_event *event,
				const char *body, size_t len);

#endif
