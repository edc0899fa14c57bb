#include <sodium.h>
#include <string.h>

#include "base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *base64url_encode(struct arena *a, const void *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

	return sodium_bin2base64(arena_alloc(a, size), size, bytes, len,
				 sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

enum err base64url_decode(const char *text, void *out, size_t cap, size_t *len)
{
	size_t longest = BASE64URL_LEN(cap);
	size_t text_len = strnlen(text, longest + 1);

	*len = 0;
	/* libsodium 1.0.18 takes every byte from 0x80 on for a digit of value 63. */
	if (text_len > longest || strspn(text, alphabet) != text_len)
		return ERR_INVALID;
	/* Refuses padding and spare bits by itself; without an end pointer it wants all of it. */
	if (sodium_base642bin(out, cap, text, text_len, NULL, len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING))
		return ERR_INVALID;
	return OK;
}
