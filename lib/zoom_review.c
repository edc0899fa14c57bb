#include "db_there.h"
#include "log.h"
#include "zoom_meeting.h"
#include "zoom_review.h"

#define REVIEW_DEADLINE_MS 5000 /* for one meeting */

/* Whether there is anything to review: to plan the next question costs more than most runs of the
 * job. */
static const char SQL_RECENT[] = "SELECT FROM zoom_occurrences WHERE admin_id IS NULL"
				 " AND around > clock_now() - interval '8 days' LIMIT 1";

/* Evidence e by which session s, of the days of occurrence o, can claim it or give it up. */
#define CLAIMS                                                                                     \
	"  AND s.sent_at BETWEEN o.around - interval '10 days' AND o.around + interval '1 day'"    \
	"  AND e.kind IN ('sent', 'clicked', 'cancelled', 'superseded', 'corrected', 'released'"   \
	"  , 'reopened', 'zoom_url')"

/*
 * Occurrences whose answer may have changed since it was asked: a session that
 * could be held there claimed it, or its claim changed, or its host became known.
 */
static const char SQL_STALE[] =
	"SELECT o.uuid FROM zoom_occurrences o WHERE o.admin_id IS NULL"
	" AND o.around > clock_now() - interval '8 days' AND (EXISTS (SELECT FROM sessions s"
	"  JOIN session_events e ON e.session_id = s.id WHERE s.meeting_id = o.meeting_id" CLAIMS
	"  AND e.received_at > o.matched_at - interval '1 minute')"
	" OR EXISTS (SELECT FROM session_events left_it JOIN sessions s ON s.id = "
	"left_it.session_id"
	"  JOIN session_events e ON e.session_id = s.id WHERE left_it.kind = 'zoom_url'"
	"  AND left_it.detail ? 'was' AND left_it.detail->>'was' = o.meeting_id::text" CLAIMS
	"  AND e.received_at > o.matched_at - interval '1 minute')"
	" OR EXISTS (SELECT FROM zoom_hosts h JOIN sessions s ON s.teacher_id = h.account_id"
	"  JOIN session_events e ON e.session_id = s.id WHERE h.host_id = o.host_id"
	"  AND s.meeting_id IS NULL" CLAIMS
	"  AND greatest(e.received_at, h.learned_at) > o.matched_at - interval '1 minute'))"
	" ORDER BY o.around, o.uuid";

enum err zoom_review(struct db *db, int64_t *changed)
{
	struct arena *a = arena_new();
	struct db_run run = { 0 };
	enum err e;
	struct db_rows r;

	*changed = 0;
	db_deadline(db, REVIEW_DEADLINE_MS);
	e = db_read(db, a, SQL_RECENT, 0, NULL, &r);
	if (!e && db_count(&r) > 0)
		e = db_read(db, a, SQL_STALE, 0, NULL, &r);
	while (!e && db_next(&r)) {
		struct arena *each = arena_new();
		const char *uuid = db_str(&r);

		db_run_next(db, &run, REVIEW_DEADLINE_MS);
		e = db_begin(db);
		if (!e)
			e = db_finish(db, zoom_meeting_review(db, each, uuid, changed));
		if (e)
			log_error("zoom: meeting %s cannot be reviewed", uuid);
		e = db_run_after(db, &run, e);
		arena_free(each);
	}
	arena_free(a);
	return e ? e : run.broken;
}
