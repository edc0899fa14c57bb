#ifndef TIMEOUT_JSON_H
#define TIMEOUT_JSON_H

#include "timeout.h"

struct json_object;

/* Runs the timeout and tells what it did, as its two HTTP doors answer. The caller owns *out. */
MUST_CHECK enum err timeout_run_json(struct db *db, struct arena *a, struct json_object **out);

/* What a run would do now: {"due","unopened"}. The caller owns *out. */
MUST_CHECK enum err timeout_due_json(struct db *db, struct arena *a, struct json_object **out);

#endif
