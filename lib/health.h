#ifndef HEALTH_H
#define HEALTH_H

#include "db.h"

struct json_object;

/* The timeout job runs every 5 minutes; after this long without a success something is wrong. */
#define HEALTH_TIMEOUT_LATE_S 720

/*
 * How the product is: {"status":"ok|degraded","database","timeout":{...},"zoom":{...}}.
 * The caller owns *out. ERR_UNAVAILABLE: the database is away.
 */
MUST_CHECK enum err health_json(struct db *db, struct arena *a, struct json_object **out);

/* The figures of /metrics in Prometheus's text form. Belongs to the arena. */
MUST_CHECK enum err health_metrics(struct db *db, struct arena *a, const char **out);

#endif
