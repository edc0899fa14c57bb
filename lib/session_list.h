#ifndef SESSION_LIST_H
#define SESSION_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "cursor.h"
#include "db.h"

struct json_object;

/*
 * Which sessions, asked once for every form of the answer: page, totals, CSV.
 */
struct session_filter {
	const char *from, *to; /* academy days, inclusive; NULL: open */
	int64_t days;	       /* instead: so many up to today; 0: not given */
	const char *status;    /* NULL: any */
	int64_t teacher_id;    /* 0: any */
	int64_t student_id;    /* 0: any */
	const char *package_id;
	const char *q; /* part of a teacher's or student's name, any case; NULL: any */
};

/*
 * A page, newest first: {"sessions", "generated_at", "time_zone",
 * "next_cursor", "totals"}; totals are over the whole filter. after NULL:
 * the first page. The caller owns *out.
 */
MUST_CHECK enum err session_list(struct db *db, struct arena *a, const struct keys *keys,
				 const struct session_filter *filter, int64_t limit,
				 const struct cursor *after, struct json_object **out);

#endif
