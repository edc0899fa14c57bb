#ifndef ZOOM_INBOX_H
#define ZOOM_INBOX_H

#include <stdint.h>

#include "db.h"

struct json_object;

/*
 * What an admin sees of Zoom's meetings: those that are nobody's class above
 * all. Who assigns them: lib/zoom_meeting.h.
 */

/* Meetings in one answer at most. */
#define ZOOM_INBOX_MAX 200

struct zoom_inbox_filter {
	/*
	 * "waiting": nobody's, and no admin has said so; "dismissed": an admin has;
	 * "assigned": some session's. NULL: all.
	 */
	const char *state;
	const char *uuid;   /* NULL: any */
	int64_t session_id; /* 0: any */
	int64_t limit;	    /* 1 .. ZOOM_INBOX_MAX */
};

/*
 * {"occurrences":[{"uuid","meeting_id","teacher":{"id","name"}|null,"began_at",
 * "last_at","ended_at","events","people","state","session":{"id","student_name",
 * "session_status"}|null,"decided_by":"rule"|"admin","reason"}],"more"}, newest
 * first. The caller owns *out.
 */
MUST_CHECK enum err zoom_inbox(struct db *db, struct arena *a,
			       const struct zoom_inbox_filter *filter, struct json_object **out);

#endif
