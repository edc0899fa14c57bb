#ifndef ZOOM_SIGNATURE_H
#define ZOOM_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"
#include "secret.h"

/*
 * Zoom's signature under its events and the answer to its challenge. Both are
 * HMACs under the same secret, so a challenge may only be answered once its
 * own request was verified: the answer takes the secret that verifying found.
 */

/* Headers of a request from Zoom and its raw body; a header that was not sent is NULL. */
struct zoom_request {
	const char *timestamp; /* x-zm-request-timestamp: seconds since 1970 UTC */
	const char *signature; /* x-zm-signature */
	const void *body;
	size_t body_len;
};

/* How far the clock of Zoom may run ahead of ours, seconds. There is no limit backwards: retries
 * come late. */
#define ZOOM_SIGNATURE_AHEAD_S 600

/*
 * Fills *out with the one of secrets (a comma list, may be NULL) that signed
 * req; now_us is microseconds since 1970 UTC. Without a secret nothing passes.
 *
 * ERR_UNAUTHENTICATED  not signed by Zoom as it signs, or dated too far ahead
 */
MUST_CHECK enum err zoom_signature_verify(const char *secrets, const struct zoom_request *req,
					  int64_t now_us, struct secret *out);

/*
 * Sets *out to encryptedToken, the answer to plain_token of a verified
 * endpoint.url_validation.
 *
 * ERR_INVALID  plain_token is not 1..128 of A-Z a-z 0-9 _ -: it could be the
 *              text of an event, and the answer its signature
 */
MUST_CHECK enum err zoom_challenge_answer(struct arena *a, const struct secret *secret,
					  const char *plain_token, const char **out);

#endif
