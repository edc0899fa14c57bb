#ifndef ZOOM_EVENT_H
#define ZOOM_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/*
 * What one signed event of Zoom says, read from its raw body. Pure. Nothing
 * here fails: what cannot be used (unknown, malformed, without a meeting or a
 * moment) is ZOOM_OTHER, which is kept and decides nothing.
 *
 * Only plain identifiers are taken out; names stay in the body.
 */
enum zoom_kind {
	ZOOM_OTHER,
	ZOOM_CHALLENGE, /* endpoint.url_validation */
	ZOOM_STARTED,	/* meeting.started; this and the next three are evidence */
	ZOOM_JOINED,
	ZOOM_LEFT,
	ZOOM_ENDED,
	ZOOM_KIND__MAX
};

/* Longest identifier taken, bytes. Zoom's uuid has 24, its ids 22, a dashed hex 36. */
#define ZOOM_ID_MAX 128

struct zoom_event {
	enum zoom_kind kind;
	const char *name; /* as Zoom calls it, cleaned; "" if it has none */
	/*
	 * What a repeat has in common with the first delivery: event, uuid,
	 * connection and moment; of other events their name and a hash.
	 * Source: facts of Zoom, 4.
	 */
	const char *key;
	int64_t sent_us; /* event_ts, 0 if unknown */

	const char *plain_token; /* of a challenge, NULL if it has none */

	/* Of evidence; strings may be NULL unless said otherwise. */
	int64_t happened_us;
	int64_t meeting_id;	/* 9 to 11 digits, 0 if unknown */
	const char *uuid;	/* of the occurrence, never NULL */
	const char *host_id;	/* the account that the meeting belongs to */
	const char *connection; /* participant_uuid, or what comes closest to it */
	const char *person_id;	/* the account of who joined or left; NULL: not signed in */
	const char *host_email; /* when host_id itself joined or left and Zoom tells */
};

/* Reads len bytes of body (any bytes). Strings of *out belong to the arena. */
void zoom_event_read(struct arena *a, const char *body, size_t len, struct zoom_event *out);

/* The kind as session_events spells it, NULL for what is no evidence. */
const char *zoom_kind_name(enum zoom_kind kind);

#endif
