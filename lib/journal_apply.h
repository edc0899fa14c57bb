#ifndef JOURNAL_APPLY_H
#define JOURNAL_APPLY_H

#include "db.h"
#include "journal.h"

/*
 * Brings n lines of a journal into the database in one transaction, those that it has already left
 * out: *applied is how many were new to it. All of them or none; another error than these is one
 * line's own.
 *
 * ERR_UNAVAILABLE, ERR_IN_DOUBT: try again later
 * ERR_INVALID: a line says what cannot be
 */
MUST_CHECK enum err journal_apply(struct db *db, struct arena *a, const struct journal_entry *lines,
				  size_t n, int64_t *applied);

#endif
