#ifndef ZOOM_CREATE_H
#define ZOOM_CREATE_H

#include <stdint.h>

#include "zoom_api.h"

/*
 * A fresh Zoom meeting for one class, made when its teacher pastes no link.
 *
 * Making one cannot be repeated safely, so the wish is written down first
 * ("zoom_creates"), under a topic that no other meeting has: an answer that got
 * lost is looked for by it, and the same request never makes two. Whatever
 * goes wrong, pasting a link works, and *why says so.
 */
struct zoom_create_want {
	int64_t teacher_id;
	int64_t student_id;
	const char *request_id; /* of the session: a UUID */
};

struct zoom_created {
	const char *join_url;
	const char *start_url; /* for the teacher alone; never logged. NULL: Zoom gave none */
};

/*
 * Fills *out with the meeting of the request, making it if there is none yet.
 *
 * ERR_INVALID      no app is configured
 * ERR_NOT_FOUND    no such student of this teacher
 * ERR_CONFLICT     the request_id is another's, or Zoom knows no such teacher
 * ERR_UNAVAILABLE  Zoom is away, takes no more meetings, or has made one that students cannot be
 *                  sent to: repeat later, with the same request_id, or paste
 */
MUST_CHECK enum err zoom_create(const struct zoom_api *api, const struct zoom_create_want *want,
				struct zoom_created *out, struct why *why);

#endif
