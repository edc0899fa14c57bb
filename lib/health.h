#ifndef HEALTH_H
#define HEALTH_H

#include "db.h"

struct json_object;

/* The timeout job runs every 5 minutes; after this long without a success something is wrong. */
#define HEALTH_TIMEOUT_LATE_S 720

/* Lines that have waited for their replay for so long say that it does not run. */
#define HEALTH_JOURNAL_LATE_S 600

/*
 * Zoom checks the webhook's address every 72 hours, and disables it after six checks that failed.
 * Source: facts of Zoom, 2.
 */
#define HEALTH_CHALLENGE_LATE_S (80 * 3600)

/* Retention runs once a day: so long without a success, and people's data is kept for too long. */
#define HEALTH_RETENTION_LATE_S (96 * 3600)

/*
 * How the product is:
 * {"status":"ok|degraded","causes":[...],"database","timeout":{...},"zoom":{...}, "journal":{...}}.
 * journal_dir may be NULL. The caller owns *out. ERR_UNAVAILABLE: the database is away.
 */
MUST_CHECK enum err health_json(struct db *db, struct arena *a, const char *journal_dir,
				struct json_object **out);

/*
 * The figures of /metrics in Prometheus's text form; those of the journal also
 * while the database is away. Belongs to the arena.
 */
const char *health_metrics(struct db *db, struct arena *a, const char *journal_dir);

#endif
