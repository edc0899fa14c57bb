#ifndef OCCURRENCE_H
#define OCCURRENCE_H

#include "kind.h"

/*
 * What Zoom's events tell of the meetings held on a session's link. Each
 * occurrence of a meeting has its own uuid; the session may have several, one
 * after another. Events may be missing and may come in any order. Pure.
 */

/*
 * Whether a meeting began after end and before until, so that end was not the
 * end of the class: a later start; or, its start being lost, a later join of
 * another occurrence than the one that end tells the end of. The teacher's leave
 * or word ends no occurrence: then another is one that had not been seen by
 * then, while some other had.
 */
bool occurrence_follows(const struct evidence *events, size_t n, const struct evidence *end,
			int64_t until_us);

/*
 * Whether a connection of the teacher is still open at until: neither a later
 * leave of its own nor the end of its meeting closes it. In the same second a
 * join beats a leave (source: facts of Zoom, a move between rooms).
 */
bool occurrence_holds_teacher(const struct evidence *events, size_t n, int64_t until_us);

/*
 * Whether some event shows a meeting running at t: it speaks at t or later of
 * an occurrence that had begun by t (or whose beginning is not known at all)
 * and had not ended before t.
 */
bool occurrence_ran_at(const struct evidence *events, size_t n, int64_t t_us);

#endif
