#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdint.h>

#include "cursor.h"
#include "db.h"

struct json_object;

/* Which rows of the delivery log: what became of each attempt to send a message. */
struct delivery_filter {
	int64_t session_id; /* 0: any */
	int64_t student_id; /* 0: any */
	const char *state;  /* of the message after the attempt; NULL: any */
};

/*
 * A page of the log, newest first: {"deliveries": [...], "next_cursor"}. after
 * NULL: the first page. The caller owns *out.
 */
MUST_CHECK enum err delivery_list(struct db *db, struct arena *a, const struct keys *keys,
				  const struct delivery_filter *filter, int64_t limit,
				  const struct cursor *after, struct json_object **out);

#endif
