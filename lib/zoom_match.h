#ifndef ZOOM_MATCH_H
#define ZOOM_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whose class was this meeting? Decided from moments alone, before and apart
 * from the minutes. Pure: no I/O, no allocation; the same facts give the same
 * answer in whatever order they became known.
 *
 * An occurrence is one run of a meeting (Zoom's uuid). All occurrences given
 * are of one meeting id, all sessions might be held there.
 *
 * Source: design, States, 6: an occurrence belongs to the session whose window
 * it touches on that meeting id and teacher, until another session on the same
 * meeting id is sent or clicked; from then on restarts are the newer one's.
 *
 *  Holder  of a meeting id is, at any moment, the session sent or clicked last.
 *  Window  of a session is from its click to its deadline.
 *
 *  1 An occurrence that begins in its holder's window is the holder's.
 *  2 Else it is the session's that was clicked first while it ran: the teacher
 *    is often in the room before the student opens the link.
 *  3 Else it is the last sent session's whose link was out and unopened when it
 *    began: the teacher waits for a student who does not come.
 *  4 Else it is nobody's.
 *
 * What the papers leave open:
 *
 *  - Links sent in the morning: the teacher opens the room for the next class
 *    while the window of the last one lasts, and the next student clicks. So a
 *    restart (not the holder's first occurrence) that another session's click
 *    falls into is that session's, if it ran longer after that click, up to
 *    its deadline, than before. One that has not ended yet counts as lasting.
 *  - An occurrence without an end ends where the next begins, and after a day.
 *  - Whose link was changed to another meeting has what began before, and its
 *    clicks before. Nobody having opened it by then, it holds nothing: what began in
 *    the window of another class is that one's. It may still have waited there.
 *  - Whose link came from another meeting claims this one from then on, and a click
 *    before opened it then: restarts before stay another class's. But what is
 *    nobody's or at best waited for goes to whose it would be, had the link led here
 *    from the start: the teacher opened the right room by hand.
 *  - A reopening takes from nobody. What begins from then until the deadline that it gave
 *    is the session's if no other's by rule 1; what runs then, if no other's by rule 2.
 *    What began before goes to it as to whose link came late, by the start that it has.
 *  - Zoom tells whole seconds, so a claim counts from the start of its second.
 *  - A session of a better rank is preferred, among those that were opened and then
 *    among those that are waited for.
 */

/* How surely a session is held on this meeting id. */
enum match_rank {
	MATCH_BY_ID,	   /* its link names the meeting id */
	MATCH_BY_ID_ALONE, /* so it does, but the host is known as another teacher's */
	MATCH_BY_HOST,	   /* its link names no id; the host is its teacher */
	MATCH_RANKS
};

struct match_session {
	int64_t id;
	enum match_rank rank; /* the lowest is preferred */
	int64_t sent_us;
	int64_t link_end_us;
	bool has_click;
	int64_t clicked_us;  /* with has_click */
	int64_t deadline_us; /* so; else INT64_MIN */
	bool is_reopened;
	int64_t reopened_us, until_us; /* with is_reopened: the last time, and its deadline */
	int64_t start_us;	       /* so; of one with a click of no account */
	int64_t came_us; /* its link led to another meeting until then; INT64_MIN: never */
	int64_t left_us; /* its link went to another meeting then; INT64_MAX: it is still here */
};

struct match_occurrence {
	int64_t begin_us;
	bool has_end;
	int64_t end_us; /* with has_end; the last meeting.ended */
};

enum match_why {
	MATCH_NOBODYS,
	MATCH_IN_WINDOW, /* rule 1 */
	MATCH_CLICKED,	 /* rule 2, or a restart for the next class, or reopened while it ran */
	MATCH_WAITED,	 /* rule 3 */
	MATCH_WHY__MAX
};

struct match {
	int session; /* index of the session, -1: nobody's */
	enum match_why why;
};

/* Fills out[i] for each of n occurrences, which are sorted by begin_us. */
void zoom_match(const struct match_session *sessions, size_t n_sessions,
		const struct match_occurrence *occurrences, size_t n, struct match *out);

#endif
