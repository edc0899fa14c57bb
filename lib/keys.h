#ifndef KEYS_H
#define KEYS_H

#include <stddef.h>

#include "err.h"

/*
 * The keys that AUTH_SECRET stands for: one a purpose, so that what is made
 * for one purpose is worth nothing for another. A plain value; wipe it when
 * it is no longer needed.
 */
enum key_purpose {
	KEY_JOIN_LINK,	  /* seals the token of the student's link */
	KEY_JOIN_NONCE,	  /* makes the nonce of that seal */
	KEY_TEACHER_LEFT, /* signs the teacher's "End class" URL */
	KEY_CURSOR,	  /* protects the position in a list */
	KEY__MAX
};

#define KEY_BYTES 32

/* Secrets in AUTH_SECRET at most, and bytes of each at least (design §7). */
#define KEYS_MAX	8
#define KEYS_SECRET_MIN 32

struct keys {
	size_t count; /* of secrets, 1..KEYS_MAX */
	/* By purpose and secret. [purpose][0] makes, each of the first count is accepted. */
	unsigned char key[KEY__MAX][KEYS_MAX][KEY_BYTES];
};

/*
 * Derives *out from text, the value of AUTH_SECRET (may be NULL). The same
 * text gives the same keys in every version: links outlive an upgrade.
 *
 * ERR_INVALID  none, too short or too many; *why names AUTH_SECRET and says which
 */
MUST_CHECK enum err keys_load(const char *text, struct keys *out, struct why *why);

void keys_wipe(struct keys *keys);

#endif
