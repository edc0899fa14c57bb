#ifndef DB_THERE_H
#define DB_THERE_H

#include "db.h"

/*
 * Whether the database answers, asked after something failed: then the fault is
 * that thing's own, and need not keep others back. Sets the deadline.
 */
bool db_is_there(struct db *db);

/*
 * A run over many things: one that fails keeps no other back. Zeroed at the
 * start; broken is the first error in the end.
 */
struct db_run {
	int failures; /* one after the other */
	enum err broken;
};

/* Before each: at most ms for it, less behind one that failed. */
void db_run_next(struct db *db, const struct db_run *run, int ms);

/*
 * After each, which ended with e: OK, go on; else e. The run ends where the
 * database is away, or so many failed one after the other that it is not their
 * own fault.
 */
MUST_CHECK enum err db_run_after(struct db *db, struct db_run *run, enum err e);

#endif
