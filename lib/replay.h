#ifndef REPLAY_H
#define REPLAY_H

#include <stdint.h>

#include "db.h"

/*
 * Holds every session to its evidence: deciding it anew must give its row.
 * Time that no job has acted on yet is not counted as passed. Locks nothing.
 */
struct replay {
	int64_t checked;
	int64_t wrong;
};

/* Prints a line for each session whose row its evidence does not give. */
MUST_CHECK enum err replay_all(struct db *db, struct replay *out);

#endif
