#ifndef COOKIE_H
#define COOKIE_H

#include "arena.h"

/*
 * The value of cookie name in header, a request's Cookie header (may be NULL),
 * in the arena. NULL: it is not there, or the header is longer than any of
 * ours. Of several with one name the first counts, as browsers order them.
 */
const char *cookie_get(struct arena *a, const char *header, const char *name);

#endif
