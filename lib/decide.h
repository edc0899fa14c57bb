#ifndef DECIDE_H
#define DECIDE_H

#include "kind.h"

/*
 * The one place where a session's minutes are decided: its evidence and a
 * moment in, its row out. Pure: no I/O, no allocation, no globals. Every row
 * of the table sessions is what decide() says of its evidence.
 *
 * Units  *_us is microseconds since 1970-01-01 UTC, *_s is seconds, never below 0.
 *
 * Order  No order of the array, and no order in which the facts arrived,
 *        changes the row: every fact is judged by its own moment. The one
 *        exception is what a person decided: corrections, ends by an admin,
 *        cancelling, reopening and releasing are read in the order received,
 *        by received_us and then id.
 *
 * The rules, best end first (source: design, States, and who decides):
 *
 *  Link    is open from the moment sent, for link_s, its last microsecond
 *          excluded; closed from a cancel or a supersede until a reopening.
 *  Click   a corrected one, else the earliest on an open link, else, on a
 *          reopened session, the earliest reopening.
 *  Deadline  click + duration + buffer; reopened: as long after it as it says.
 *          now == deadline has passed it, an end at the deadline is an end.
 *  Admin   the latest received of corrected ends (at any moment from the click
 *          on) and ends by an admin (from the click to the deadline).
 *  Zoom    the last meeting.ended from the click to the deadline, which no
 *          restart follows.
 *  Leave   once the deadline has passed: the teacher's own last leave by Zoom's
 *          events in that window, which no rejoin and no restart follows.
 *  Teacher the earliest teacher_left or teacher_ended in that window, which no
 *          restart follows.
 *  Timeout at the deadline, once it has passed; else the class is active.
 *
 * What the papers leave open, decided for minutes that can be explained:
 *
 *  - A restart (occurrence_follows) has a later moment than the end, before the
 *    deadline; in one second with the end it is none, nor is it when it may be
 *    of the same occurrence.
 *  - A restart undoes a teacher's end as it undoes Zoom's: the class went on.
 *  - After a reopening only evidence of a later moment ends the class; the
 *    admin's own end or correction received after it may speak of any moment.
 *  - A rejoin is any connection of the teacher that is still open at the deadline
 *    (occurrence_holds_teacher): the new one is often up before Zoom gives up the
 *    old one.
 *  - What happens after the deadline moves no end. It only tells whether the
 *    class ran at the deadline (occurrence_ran_at): then the timeout is not
 *    estimated.
 *  - A teacher's leave and end at one moment: teacher_left counts.
 *  - An admin's end outside the window changes nothing, and so does a corrected
 *    end before the click: the one received before it still stands.
 *  - A correction fixes the moment that it names, not the other one. What came
 *    after it is not among the evidence of a class that was over: evidence_read().
 *  - A click at or after a reopening's deadline is no click of this class. A
 *    reopening whose deadline is not after a corrected click gives no deadline:
 *    click + duration + buffer applies.
 *  - Several reopenings: the latest received gives deadline and window; the
 *    earliest stands in for the click, so that extending a class loses no minute.
 *  - A reopening undoes a cancel or supersede for good, but what was clicked
 *    while the link was closed stays no click. At one moment reopening wins.
 *  - A supersede after the link's life finds nothing to supersede: missed stays
 *    missed, whenever the job ran. A cancel is a person's will at any moment.
 *  - A released session keeps its reopening, its cancel and its ends by an admin:
 *    only corrections are dropped.
 *  - Facts with a moment after now count: clocks differ by a second or two.
 *  - Of several sent (there is one) the earliest counts; without one nothing
 *    can be decided: sent and unsettled.
 */

/* What applied when the link was sent. */
struct terms {
	int64_t duration_s;
	int64_t buffer_s;
	int64_t link_s;
};

enum status {
	STATUS_SENT,
	STATUS_ACTIVE,
	STATUS_ENDED,
	STATUS_TIMEOUT,
	STATUS_CANCELLED,
	STATUS_MISSED,
	STATUS__MAX
};

enum ender { ENDER_NONE, ENDER_ADMIN, ENDER_ZOOM, ENDER_TEACHER_LEFT, ENDER_TEACHER, ENDER__MAX };

struct decision {
	enum status status;
	enum ender ended_by;
	int64_t clicked_us;   /* with has_click, as the next */
	int64_t times_out_us; /* an end by correction may be later */
	int64_t ended_us;     /* with has_end; >= clicked_us */
	int64_t deciding_id;  /* the evidence that set the end (of equals the lowest id), else 0 */
	bool has_click;	      /* exactly when active, ended or timeout */
	bool has_end;	      /* exactly when ended or timeout */
	bool estimated;	      /* a timeout without evidence that the class ran then */
	bool corrected;	      /* a correction in force set the click or the end */
	bool zoom_seen;	      /* some evidence is Zoom's */
	/*
	 * Passing time alone will change this row into something other than what
	 * the set-based timeout writes, which is: sent becomes missed; active
	 * becomes an estimated timeout at times_out_us. So it leaves this row
	 * alone, and the job decides it anew once times_out_us has passed.
	 */
	bool unsettled;
};

/* The row of a session with these n pieces of evidence at now_us; INT64_MAX is "in the end". */
struct decision decide(const struct terms *terms, const struct evidence *events, size_t n,
		       int64_t now_us);

/* Whether two decisions agree in every field. */
bool decision_equal(const struct decision *a, const struct decision *b);

/* As the database spells them, in their order, and a NULL. */
extern const char *const status_names[STATUS__MAX + 1];

/* The same, one by one; ender_name is NULL for ENDER_NONE. */
const char *status_name(enum status status);
const char *ender_name(enum ender ender);

#endif
