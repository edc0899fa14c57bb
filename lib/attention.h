#ifndef ATTENTION_H
#define ATTENTION_H

#include <stdint.h>

#include "db.h"

struct json_object;

/*
 * What an admin should look at: {"items": [...], "counts": {kind: n}, "total"}.
 *
 * Items are newest first and at most ATTENTION_ITEMS_MAX, of each kind its
 * newest; counts are of all. detail is in English; with the facts, which stand
 * in brackets here, it can be worded in another language.
 * An item goes by itself when its reason goes; nobody dismisses it.
 *
 *   undelivered    waits to be opened, and Telegram refused its link or has not
 *                  confirmed it for 2 minutes; the detail says what to do
 *                  {outcome: a word of telegram.h, queued, or null when only the detail tells}
 *   unopened       sent 15 minutes ago or longer, and nobody came
 *   running_over   active beyond its package's minutes, the buffer not counted
 *                  {minutes, of}
 *   estimated      timed out in the last week; nothing better ended it {minutes}
 *   no_attendance  over in the last week, and the teacher marked nothing
 *   late_click     someone opened the link after the end, in the last week;
 *                  clicked_at is where a reopened class would begin
 *   event_without_session
 *                  a Zoom meeting of the last week that is no class's, and that
 *                  no admin has put aside {meeting_id: or null}
 *   no_rate        a class of this month or the last without a rate, or a student whose
 *                  package has none {package: the class's, or the student's; or null}
 *   orphan_click   an authentic link of the last week whose class is not here
 */
#define ATTENTION_ITEMS_MAX 200

/* Their names, in the order above; a NULL ends the list. */
const char *const *attention_kinds(struct arena *a);

/* At most limit items of one kind, or of all (NULL); counts are of all. The caller owns *out. */
MUST_CHECK enum err attention(struct db *db, struct arena *a, const char *kind, int64_t limit,
			      struct json_object **out);

#endif
