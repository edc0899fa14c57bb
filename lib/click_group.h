#ifndef CLICK_GROUP_H
#define CLICK_GROUP_H

#include "click.h"
#include "probe.h"

/*
 * Many students tap at the top of the hour. Clicks that arrive while one
 * commit is on its way share the next one: no timer, so a lone click does not
 * wait. One thread of each process speaks to the database; a second one takes
 * the clicks that cannot be had at once (a locked session, a newer link) and
 * those of a group that failed, one by one, so that none fails or delays its
 * neighbours.
 */

/* Starts the two threads of this process. Once, before any click. */
MUST_CHECK enum err click_group_start(const struct conf *conf);

/*
 * As click_record(), from any thread. Returns after the commit, or when
 * CLICK_DEADLINE_MS have passed, whatever the database, its network or its
 * name server do: ERR_UNAVAILABLE, and it may yet be recorded, so keep it
 * under its key. After one such deadline every click is told so at once, and
 * the database is asked every PROBE_EVERY_MS whether it is back.
 */
MUST_CHECK enum err click_group_record(struct arena *a, const struct click *click,
				       struct click_result *out);

#endif
