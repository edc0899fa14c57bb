#ifndef JOURNAL_STATE_H
#define JOURNAL_STATE_H

#include <stdint.h>

#include "err.h"

/*
 * What a monitor wants to know of this node's journal (lib/journal.h). It can
 * be asked by another program, and while the database is away.
 */
struct journal_state {
	int64_t files;	  /* that wait for replay */
	int64_t bytes;	  /* in them */
	int64_t oldest_s; /* since the oldest of them was written to; 0: none waits */
	int64_t bad;	  /* files of lines that could not be read: someone must look */
	int64_t lost;	  /* lines that could be kept nowhere, since the folder was made */
};

/* ERR_UNAVAILABLE: the folder, or the count in it of what is lost, cannot be read; logged. */
MUST_CHECK enum err journal_state_read(const char *dir, struct journal_state *out);

/*
 * Opens the count of what is lost, in a file of the folder that is as long as
 * it will ever be: it can be written when the disk is full. Once in a process;
 * without it only the log tells.
 */
void journal_state_open(const char *dir);
void journal_count_lost(void);

/*
 * Removes what nobody will come for: files of unreadable lines, and of attempts
 * that broke off, older than so many days. Returns how many.
 */
int64_t journal_forget(const char *dir, int64_t days);

#endif
