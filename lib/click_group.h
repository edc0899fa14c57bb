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
 * neighbours. A third one writes what the database did not take to this
 * node's journal, again all that wait at once. The thread that serves the
 * students waits for none of them.
 */

/* A click in line. */
struct waiting;

/* Starts the threads of this process. Once, before any click. They call when_decided, from any of
 * them, after some clicks have been decided. */
MUST_CHECK enum err click_group_start(const struct conf *conf, void (*when_decided)(void));

/* Puts a copy of click in line. click_group_leave() ends it. */
struct waiting *click_group_join(const struct click *click);

/*
 * Whether the click in line is decided, and then *out, after which its place
 * ends: it is durable, in the database or, where that did not take it within
 * CLICK_DEADLINE_MS, in the journal under its key, which keeps people's clicks
 * that open a class. One that this node's disk does not take either opens its
 * class all the same; it is logged and counted.
 * False: ask again when told so, and every 100 ms, which keeps the
 * deadline whatever the database, its network or its name server do. After one
 * such deadline every click goes to the journal at once, and the database is
 * asked every PROBE_EVERY_MS whether it is back.
 */
bool click_group_leave(struct waiting **place, struct arena *a, struct click_result *out);

#endif
