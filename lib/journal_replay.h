#ifndef JOURNAL_REPLAY_H
#define JOURNAL_REPLAY_H

#include "db.h"

/*
 * Brings what the journal of this node holds into the database: each line
 * once, with its true moment, corrected by the clock's offset, clamped to what
 * is possible and marked where it was. Any order, any number of runs, and a
 * crash at any point give the same rows.
 */
struct journal_replay {
	int64_t applied;  /* lines that were new to the database */
	int64_t repeated; /* lines it had already */
	int64_t bad;	  /* torn or damaged: kept in a *.bad file */
};

/* ERR_UNAVAILABLE, ERR_IN_DOUBT: not all could be replayed; what is left waits for the next run. */
MUST_CHECK enum err journal_replay(const char *dir, struct db *db, struct journal_replay *out);

#endif
