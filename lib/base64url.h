#ifndef BASE64URL_H
#define BASE64URL_H

#include <stddef.h>

#include "arena.h"
#include "err.h"

/*
 * RFC 4648 §5 without padding: what our tokens and signatures travel as.
 * Bytes have exactly one spelling: what decodes, encodes to the same text.
 */

/* Length of the text of n bytes, without NUL. */
#define BASE64URL_LEN(n) (((n)*4 + 2) / 3)

char *base64url_encode(struct arena *a, const void *bytes, size_t len);

/*
 * Decodes text into at most cap bytes at out, *len of them.
 *
 * ERR_INVALID  another alphabet, padding, spare bits that are not zero, or too long
 */
MUST_CHECK enum err base64url_decode(const char *text, void *out, size_t cap, size_t *len);

#endif
