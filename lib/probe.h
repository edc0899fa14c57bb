#ifndef PROBE_H
#define PROBE_H

#include "conf.h"
#include "db.h"

/*
 * Whether the database takes what a click wants of it: writes this node's row
 * in "nodes", and measures how far the database's clock is from ours for the
 * journal's sake. A write that hangs keeps the next one from piling up behind
 * it: both want the same row.
 */
MUST_CHECK enum err probe_database(struct db *db, const struct conf *conf);

/* How often it is asked while it is away. Source: docs/decisions.md, "The probe writes". */
#define PROBE_EVERY_MS 1000

/* A student waits at most this long for the database. Source: design, processes. */
#define CLICK_DEADLINE_MS 1000

#endif
