#ifndef LEAVE_LINK_H
#define LEAVE_LINK_H

#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "keys.h"

/*
 * The signed query of /api/zoom/teacher-left: session=123&exp=E&sig=S, where S
 * is base64url of HMAC-SHA256 over "v1\nteacher-left\n123\nE".
 */
struct leave_link {
	int64_t session_id; /* > 0 */
	int64_t expires_s;  /* > 0, seconds since 1970 UTC; good to the end of this second */
};

/* Length of the signature's text, without NUL. */
#define LEAVE_LINK_SIG_LEN 43

/* The signature of link under one raw key. */
const char *leave_link_sign(struct arena *a, const unsigned char key[KEY_BYTES],
			    const struct leave_link *link);

/* The query of link, signed under the first key. */
const char *leave_link_make(struct arena *a, const struct keys *keys,
			    const struct leave_link *link);

/*
 * Fills *out from text, the raw query (may be NULL), if any of keys signed it
 * and it is not over at now_us (microseconds since 1970 UTC).
 *
 * ERR_INVALID    not exactly session, exp and sig, once each, the numbers in
 *                plain decimal; *why names the parameter
 * ERR_FORBIDDEN  altered, or over (a detail of its own)
 */
MUST_CHECK enum err leave_link_verify(struct arena *a, const struct keys *keys, const char *text,
				      int64_t now_us, struct leave_link *out, struct why *why);

#endif
