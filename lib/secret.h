#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Secrets of the settings. Each is a comma list for rotation: the first makes,
 * all are accepted (design §7). Blanks around an item are not part of it.
 */
struct secret {
	const char *text; /* inside the list, not ended by a NUL */
	size_t len;
};

/*
 * Takes the next item, perhaps an empty one, off the list at *rest and moves
 * *rest behind it; false at the end. A NULL list has no items, "" an empty one.
 */
bool secret_next(const char **rest, struct secret *out);

/*
 * Whether presented is one of the list. Takes the same time wherever they
 * differ. Nothing matches an empty list, and an empty item matches nothing.
 * Either may be NULL.
 */
bool secret_matches(const char *list, const char *presented);

#endif
