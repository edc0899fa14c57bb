#ifndef PRESENCE_H
#define PRESENCE_H

#include "arena.h"
#include "kind.h"

/*
 * How long the teacher, the student side and both at once were in the meeting,
 * by Zoom's joins and leaves. Kept beside the click-to-end duration, never
 * instead of it. Pure, as decide(), but for room in the arena; the order of the
 * events is irrelevant. A guest with the link can make thousands: n log n.
 *
 *  - A participant_uuid is one connection. A join opens it, its first later
 *    leave closes it; without one, its meeting's end does, or else ended_us. A
 *    meeting's end closes a connection even if a leave of later moment is known.
 *  - A leave whose join is unknown closes a connection that was open since its
 *    previous leave (a move between rooms is a leave and a join in one second,
 *    and a rejoin is a new connection), or since its meeting's start, or else
 *    since clicked_us. A join in the same second is not unknown.
 *  - A side is there while any of its connections is: overlaps count once.
 *  - Only [clicked_us, ended_us] counts; each sum is rounded half up to seconds.
 *  - The student side is everyone who was not recognised as the teacher. With no
 *    teacher recognised nobody can be told apart, and no minutes are known.
 */
struct presence {
	bool has;   /* some join or leave is known; else nothing below is */
	bool sides; /* the teacher was recognised, so the seconds are known */
	int64_t teacher_s;
	int64_t student_s;
	int64_t both_s;
};

struct presence presence_of(struct arena *a, const struct evidence *events, size_t n,
			    int64_t clicked_us, int64_t ended_us);

/* Whether two tell the same minutes. */
bool presence_same(const struct presence *x, const struct presence *y);

/* From when to when both sides were there, gaps included; false: never, or not known. */
bool presence_together(struct arena *a, const struct evidence *events, size_t n, int64_t clicked_us,
		       int64_t ended_us, int64_t *from_us, int64_t *to_us);

#endif
