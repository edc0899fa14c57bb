#ifndef KIND_H
#define KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What one row of session_events says, as plain values: the input of
 * decide.h and presence.h, and the spelling of its kinds in the database.
 */

/* An order that decide() relies on: of two equal teachers' ends the lower kind counts. */
enum kind {
	KIND_SENT,
	KIND_CLICKED,
	KIND_CLICK_IGNORED, /* a robot, a prefetch, a signed-in teacher: never decides */
	KIND_TEACHER_LEFT,  /* the signed leave link */
	KIND_TEACHER_ENDED, /* "End class" in the teacher's page */
	KIND_ADMIN_ENDED,
	KIND_ZOOM_STARTED,
	KIND_ZOOM_JOINED,
	KIND_ZOOM_LEFT,
	KIND_ZOOM_ENDED,
	KIND_TIMED_OUT, /* this and the next record what a job did: never decide */
	KIND_MISSED,
	KIND_CANCELLED,	 /* withdrawn or voided by a person */
	KIND_SUPERSEDED, /* a newer link went to the same student */
	KIND_CORRECTED_CLICK,
	KIND_CORRECTED_END,
	KIND_REOPENED,
	KIND_RELEASED,
	KIND_OTHER, /* attendance, delivery, ...: never decides */
	KIND__MAX
};

enum role { ROLE_UNKNOWN, ROLE_TEACHER, ROLE_STUDENT };

struct evidence {
	int64_t id;	     /* unique and above 0; the same row twice is the same fact */
	int64_t happened_us; /* the moment it speaks of; of a correction, the corrected moment */
	int64_t received_us;
	int64_t lasts_us; /* KIND_REOPENED: the new deadline is this long after happened_us */
	enum kind kind;
	int occurrence;	 /* Zoom: one number for each meeting uuid of the session, else -1 */
	int participant; /* Zoom: one for each participant_uuid (a connection), else -1 */
	enum role role;
};

/* Started, joined, left or ended. */
bool kind_is_zoom(enum kind kind);

/* The kind as session_events spells it; both corrections are "corrected". */
const char *kind_name(enum kind kind);

/* What detail.field says beside that name: "clicked_at", "session_ended_at"; else NULL. */
const char *kind_field(enum kind kind);

/*
 * The kind spelled name, with detail.field when it has one (else NULL). False
 * and KIND_OTHER for every spelling that this file does not list.
 */
bool kind_of(const char *name, const char *field, enum kind *out);

/*
 * Whether two of Zoom's joins and leaves speak of one connection: the same
 * participant, or both without one, of the same role and in the same meeting.
 */
bool is_same_connection(const struct evidence *a, const struct evidence *b);

/* Whether e is the teacher's: by its own role, or by any event of the same connection. */
bool is_teachers(const struct evidence *events, size_t n, const struct evidence *e);

#endif
