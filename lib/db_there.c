#include "db_there.h"

bool db_is_there(struct db *db)
{
	struct arena *a = arena_new();
	enum err e;

	db_deadline(db, DB_THERE_MS);
	e = db_read(db, a, "SELECT", 0, NULL, NULL);
	arena_free(a);
	return !e;
}
