#ifndef JOIN_LINK_H
#define JOIN_LINK_H

#include <stdint.h>

#include "arena.h"
#include "base64url.h"
#include "err.h"
#include "keys.h"

/*
 * The token in the student's link (design §4). It is sealed, not stored: all
 * that is needed to open the class is inside, and a forgery costs no query.
 *
 * base64url of  version (1) | nonce (24) | XChaCha20-Poly1305 over
 *               session_id (8) | link_id (16) | sent (8) | expires (8) | URL
 * with integers big-endian and the version as associated data.
 */

#define JOIN_LINK_ID_BYTES 16

/* Longest Zoom URL, bytes (design §4); what that makes of the token's text, without NUL. */
#define JOIN_LINK_URL_MAX  600
#define JOIN_LINK_TEXT_MAX BASE64URL_LEN(1 + 24 + 40 + JOIN_LINK_URL_MAX + 16)

struct join_link {
	int64_t session_id; /* > 0 */
	unsigned char link_id[JOIN_LINK_ID_BYTES];
	int64_t sent_us; /* microseconds since 1970 UTC, like expires_us */
	int64_t expires_us;
	const char *zoom_url; /* 1..JOIN_LINK_URL_MAX bytes, kept byte for byte */
};

/*
 * The token of link under the first key, the same for the same link: a repeated
 * request gets the same answer. NULL if the URL has no legal length.
 */
MUST_CHECK const char *join_link_seal(struct arena *a, const struct keys *keys,
				      const struct join_link *link);

/*
 * Fills *out with what was sealed into text (may be NULL) under any of keys;
 * the URL lives in the arena. Expiry is for the caller to judge.
 *
 * ERR_NOT_FOUND  not one of ours, or not as we made it
 */
MUST_CHECK enum err join_link_open(struct arena *a, const struct keys *keys, const char *text,
				   struct join_link *out);

/* The link_id as 32 hex digits, which PostgreSQL reads as a UUID. */
const char *join_link_id_text(struct arena *a, const struct join_link *link);

#endif
