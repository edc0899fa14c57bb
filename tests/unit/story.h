#ifndef STORY_H
#define STORY_H

#include "decide.h"

/*
 * Evidence for tests, told in the order received. Moments are written as on a
 * clock: a link sent at 10:00 is sent at CLOCK(10, 0, 0).
 */

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define CLOCK(h, m, s)                                                                             \
	(INT64_C(1767225600) * SECOND + ((h)*INT64_C(60) + (m)) * MINUTE + (s)*SECOND)
#define IN_THE_END INT64_MAX

/* The mission's "Europe", and the academy's twelve hours. */
static const struct terms EUROPE = { .duration_s = 3600, .buffer_s = 600, .link_s = 43200 };

struct story {
	size_t n;
	struct evidence events[16];
};

/* Adds a fact, with an id and a moment of receipt after all before it. */
static inline struct evidence *tell(struct story *s, enum kind kind, int64_t happened_us)
{
	struct evidence *e = &s->events[s->n++];

	*e = (struct evidence){
		.id = (int64_t)s->n,
		.kind = kind,
		.happened_us = happened_us,
		.received_us = CLOCK(9, 0, (int64_t)s->n),
		.occurrence = -1,
		.participant = -1,
	};
	return e;
}

static inline struct evidence *tell_zoom(struct story *s, enum kind kind, int64_t happened_us,
					 int occurrence)
{
	struct evidence *e = tell(s, kind, happened_us);

	e->occurrence = occurrence;
	return e;
}

/* A join or a leave of one connection. */
static inline struct evidence *tell_move(struct story *s, enum kind kind, int64_t happened_us,
					 int occurrence, int participant, enum role role)
{
	struct evidence *e = tell_zoom(s, kind, happened_us, occurrence);

	e->participant = participant;
	e->role = role;
	return e;
}

static inline void tell_reopened(struct story *s, int64_t happened_us, int64_t lasts_us)
{
	tell(s, KIND_REOPENED, happened_us)->lasts_us = lasts_us;
}

static inline struct decision decided(const struct story *s, int64_t now_us)
{
	return decide(&EUROPE, s->events, s->n, now_us);
}

#endif
