#ifndef PASSWORD_H
#define PASSWORD_H

#include <stdbool.h>

#include "arena.h"
#include "err.h"

/*
 * Passwords as Argon2id hashes. A hash takes about a tenth of a second and 19
 * MiB on purpose, so only programs with few workers call this.
 *
 * Source: OWASP Password Storage (m=19456 KiB, t=2, p=1) and Authentication;
 * ASVS 5.0, 6.2: no rules of composition, long ones welcome, common ones not.
 */
#define PASSWORD_CHARACTERS_MIN 8
#define PASSWORD_BYTES_MAX	1024 /* nobody types more; a bound on the work */

/*
 * Whether a person may choose this password, valid UTF-8. field is the input's name.
 *
 * ERR_INVALID  too short, too long, one of the most common ones, or the
 *              account's own e-mail address (may be NULL)
 */
MUST_CHECK enum err password_check(const char *password, const char *email, const char *field,
				   struct why *why);

/* Its hash for the table, in the arena. ERR_UNAVAILABLE: no memory for it now. */
MUST_CHECK enum err password_hash(struct arena *a, const char *password, const char **out);

/*
 * *out: whether the hash is the password's. With no hash (NULL: no such
 * account, or none chosen yet) it works as long as with one, and it is not.
 *
 * ERR_UNAVAILABLE  no memory for it now
 */
MUST_CHECK enum err password_verify(const char *hash, const char *password, bool *out);

/* Whether the hash was made with other costs than those above. */
bool password_is_outdated(const char *hash);

#endif
