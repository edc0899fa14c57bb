#include <sodium.h>
#include <string.h>

#include "secret.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool secret_next(const char **rest, struct secret *out)
{
	const char *text = *rest;
	size_t len;

	if (!text)
		return false;
	len = strcspn(text, ",");
	*rest = text[len] ? text + len + 1 : NULL;
	while (len && is_blank(text[0])) {
		text++;
		len--;
	}
	while (len && is_blank(text[len - 1]))
		len--;
	*out = (struct secret){ .text = text, .len = len };
	return true;
}

/* Hashes are of one length, so comparing them tells nothing of the secret's. */
static void fingerprint(unsigned char out[crypto_generichash_BYTES], const char *s, size_t len)
{
	crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)s, len, NULL, 0);
}

bool secret_matches(const char *list, const char *presented)
{
	unsigned char want[crypto_generichash_BYTES], got[crypto_generichash_BYTES];
	const char *rest = list;
	struct secret item;
	bool is_match = false;

	if (!presented)
		return false;
	fingerprint(got, presented, strlen(presented));
	while (secret_next(&rest, &item)) {
		fingerprint(want, item.text, item.len);
		is_match |= item.len && !sodium_memcmp(want, got, sizeof want);
	}
	sodium_memzero(want, sizeof want);
	sodium_memzero(got, sizeof got);
	return is_match;
}
