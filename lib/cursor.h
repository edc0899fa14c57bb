#ifndef CURSOR_H
#define CURSOR_H

#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "keys.h"

/*
 * A position in a list that is read newest first by (moment, id), which never
 * changes: a page neither skips nor repeats a row while others are added. The
 * text carries a MAC, so that a position is one that we gave out.
 */
struct cursor {
	int64_t us; /* microseconds since 1970 UTC */
	int64_t id;
};

const char *cursor_make(struct arena *a, const struct keys *keys, const struct cursor *at);

/* ERR_INVALID: not one of ours. */
MUST_CHECK enum err cursor_open(const struct keys *keys, const char *text, struct cursor *out);

#endif
