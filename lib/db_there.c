#include "db_there.h"

#define THERE_MS     2000 /* for the database to show itself */
#define HURRY_MS     1000
#define FAILURES_MAX 30

bool db_is_there(struct db *db)
{
	struct arena *a = arena_new();
	enum err e;

	db_deadline(db, THERE_MS);
	e = db_read(db, a, "SELECT", 0, NULL, NULL);
	arena_free(a);
	return !e;
}

void db_run_next(struct db *db, const struct db_run *run, int ms)
{
	db_deadline(db, run->failures ? HURRY_MS : ms);
}

enum err db_run_after(struct db *db, struct db_run *run, enum err e)
{
	run->failures = e ? run->failures + 1 : 0;
	if (!e)
		return OK;
	if (!run->broken)
		run->broken = e;
	return run->failures < FAILURES_MAX && db_is_there(db) ? OK : e;
}
