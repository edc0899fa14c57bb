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
	int64_t bad;	  /* torn, damaged or senseless: kept in a *.bad file */
	bool is_cut;	  /* the time was over before the end; the next run goes on */
	int64_t until_ms;
};

/*
 * limit_ms: how long it may take, 0 as long as it does.
 *
 * ERR_UNAVAILABLE, ERR_IN_DOUBT: not all could be replayed; what is left waits for the next run
 */
MUST_CHECK enum err journal_replay(const char *dir, struct db *db, int limit_ms,
				   struct journal_replay *out);

#endif
