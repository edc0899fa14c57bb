#ifndef DB_THERE_H
#define DB_THERE_H

#include "db.h"

#define DB_THERE_MS 2000 /* for the database to show itself */

/*
 * Whether the database answers, asked after something failed: then the fault is
 * that thing's own, and need not keep others back. Sets the deadline.
 */
bool db_is_there(struct db *db);

#endif
