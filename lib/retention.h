#ifndef RETENTION_H
#define RETENTION_H

#include "db.h"

/*
 * Forgets what was kept about people and is no longer needed: clicks, Zoom's
 * raw events, what became of messages, used codes, old logins. Evidence and
 * sessions stay, so no minute and no pay changes. Safe beside everything else.
 */

/* Days that RETENTION_DAYS may name: longer than a link can live and Zoom can be late. */
#define RETENTION_DAYS_MIN 14
#define RETENTION_DAYS_MAX 3650

/*
 * *gone: how many rows (and files of the journal) went. Records the run. journal_dir may be NULL.
 * What cannot be forgotten keeps nothing else back; the first error is returned.
 */
MUST_CHECK enum err retention_run(struct db *db, struct arena *a, int64_t days,
				  const char *journal_dir, int64_t *gone);

/*
 * Erases a student as a person: name, note, chat, addresses, what Zoom and
 * Telegram told of them. Their classes and minutes stay, under a number.
 *
 * ERR_NOT_FOUND  no such student
 * ERR_CONFLICT   a class of theirs runs, or may still be opened
 */
MUST_CHECK enum err retention_erase_student(struct db *db, struct arena *a, int64_t id);

#endif
