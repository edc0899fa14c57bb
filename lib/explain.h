#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "db.h"

/*
 * One plain sentence that says where a session's minutes come from, with
 * times in the academy's zone: "48 min: opened 10:02 by the student, both present
 * 10:03 to 10:50 (47 min), ended 10:50 by Zoom." Belongs to the arena.
 *
 * ERR_NOT_FOUND  no such session
 */
MUST_CHECK enum err explain(struct db *db, struct arena *a, int64_t session_id, const char **out);

#endif
