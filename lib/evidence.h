#ifndef EVIDENCE_H
#define EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "decide.h"
#include "presence.h"

/*
 * What was observed about a session, and the session's row that follows from
 * it. Owns the SQL for "session_events" and the decided columns of "sessions":
 * whoever learns something adds it here and lets the row be decided anew, in
 * one transaction, under the row's lock.
 *
 * Errors  ERR_NOT_FOUND from those that take an id: no such session.
 */

/* Who saw it. */
enum source {
	SOURCE_STUDENT,
	SOURCE_TEACHER,
	SOURCE_ADMIN,
	SOURCE_ZOOM,
	SOURCE_TELEGRAM,
	SOURCE_SYSTEM
};

/* When it happened, for things that happen as they are received. */
#define HAPPENED_NOW INT64_MIN

struct observation {
	const char *kind;    /* as in session_events.kind */
	int64_t happened_us; /* or HAPPENED_NOW */
	enum source source;
	int64_t account_id; /* who, when it was someone signed in; 0: nobody */
	const char *detail; /* a JSON object, NULL for {}; never holds a moment that decides */
	const char *dedupe; /* NULL, or what makes a repeat the same observation */
};

/* The row as a transaction found it; valid while its lock is held. */
struct session_row {
	int64_t id;
	int64_t teacher_id;
	int64_t student_id;
	int64_t now_us; /* the database's clock when the lock was had */
	struct terms terms;
	struct decision decided;
	struct presence presence; /* its minutes are stored once the class has ended */
	int64_t sent_us;
	int64_t superseded_by; /* 0: by none */
	const char *zoom_url;
	const char *link_id; /* a UUID */
};

/* Locks session id for the open transaction and fills *out. */
MUST_CHECK enum err session_lock(struct db *db, struct arena *a, int64_t id,
				 struct session_row *out);

/* ERR_NOT_FOUND, naming session_id: there is no such class, or it is none of theirs. */
enum err session_none(struct why *why);

/* As session_lock(), without the lock: in a transaction that sees one snapshot. */
MUST_CHECK enum err session_look(struct db *db, struct arena *a, int64_t id,
				 struct session_row *out);

/* Adds what was seen; a repeat by its dedupe adds nothing, and *added (may be NULL) says so. */
MUST_CHECK enum err evidence_add(struct db *db, struct arena *a, int64_t session_id,
				 const struct observation *seen, bool *added);

/*
 * Decides row's session anew from all its evidence and stores what changed,
 * with timed_out or missed evidence where time alone changed the state. Of the
 * taps in "clicks", those that lie behind an end that was not known before are late.
 * row->decided and row->presence are the outcome.
 */
MUST_CHECK enum err evidence_settle(struct db *db, struct arena *a, struct session_row *row);

/*
 * All evidence of a session that is heeded, in order of id. What is not:
 *
 *  - Of meetings of Zoom that were taken from it: the last zoom_assigned or
 *    zoom_released of a uuid counts.
 *  - What came after a correction of a class that was over with it (detail.over),
 *    but for people's decisions, until it is released, reopened, or corrected so
 *    that it runs.
 */
MUST_CHECK enum err evidence_read(struct db *db, struct arena *a, int64_t session_id,
				  struct evidence **out, size_t *n);

/*
 * The moment after which a tap is late: the end, else the deadline, whether or not the job has
 * come round; INT64_MAX for a class that has not begun.
 */
int64_t evidence_over_us(const struct decision *d);

/* What evidence_read()'s evidence makes of the row at now_us: all that is stored of it. Pure. */
void evidence_fold(struct arena *a, const struct session_row *row, const struct evidence *events,
		   size_t n, int64_t now_us, struct decision *d, struct presence *p);

/* Whether two decisions give the same row. */
bool decision_same(const struct decision *a, const struct decision *b);

#endif
