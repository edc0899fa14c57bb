#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "join_link.h"

#define VERSION	   1
#define NONCE	   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG	   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define FIXED	   (8 + JOIN_LINK_ID_BYTES + 8 + 8)
#define PLAIN_MAX  (FIXED + JOIN_LINK_URL_MAX)
#define SEALED_MIN (1 + NONCE + FIXED + 1 + TAG)
#define SEALED_MAX (1 + NONCE + PLAIN_MAX + TAG)
#define ID_TEXT	   (2 * JOIN_LINK_ID_BYTES + 1)

static_assert(BASE64URL_LEN(SEALED_MAX) == JOIN_LINK_TEXT_MAX, "the header's figure");

static unsigned char *put_i64(unsigned char *at, int64_t n)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*at++ = (unsigned char)((uint64_t)n >> shift);
	return at;
}

static const unsigned char *get_i64(const unsigned char *at, int64_t *out)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | *at++;
	*out = (int64_t)n;
	return at;
}

const char *join_link_seal(struct arena *a, const struct keys *keys, const struct join_link *link)
{
	unsigned char plain[PLAIN_MAX], sealed[SEALED_MAX] = { VERSION };
	size_t url_len = strnlen(link->zoom_url, JOIN_LINK_URL_MAX + 1);
	unsigned long long len;
	unsigned char *at;

	if (url_len == 0 || url_len > JOIN_LINK_URL_MAX)
		return NULL;
	at = put_i64(plain, link->session_id);
	memcpy(at, link->link_id, JOIN_LINK_ID_BYTES);
	at = put_i64(at + JOIN_LINK_ID_BYTES, link->sent_us);
	at = put_i64(at, link->expires_us);
	memcpy(at, link->zoom_url, url_len);

	/* From the content, so that the same link is the same text: two contents do not share a
	 * nonce. */
	crypto_generichash(sealed + 1, NONCE, plain, FIXED + url_len, keys->key[KEY_JOIN_NONCE][0],
			   KEY_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 1 + NONCE, &len, plain, FIXED + url_len,
						   sealed, 1, NULL, sealed + 1,
						   keys->key[KEY_JOIN_LINK][0]);
	return base64url_encode(a, sealed, 1 + NONCE + (size_t)len);
}

/* Opens sealed into plain with the first key that fits; bytes of plain, 0 if none fits. */
static size_t unseal(const struct keys *keys, const unsigned char *sealed, size_t len,
		     unsigned char *plain)
{
	unsigned long long plain_len;

	for (size_t i = 0; i < keys->count; i++)
		if (!crypto_aead_xchacha20poly1305_ietf_decrypt(
			    plain, &plain_len, NULL, sealed + 1 + NONCE, len - 1 - NONCE, sealed, 1,
			    sealed + 1, keys->key[KEY_JOIN_LINK][i]))
			return (size_t)plain_len;
	return 0;
}

enum err join_link_open(struct arena *a, const struct keys *keys, const char *text,
			struct join_link *out)
{
	unsigned char sealed[SEALED_MAX], plain[PLAIN_MAX];
	const unsigned char *at;
	size_t len;

	*out = (struct join_link){ 0 };
	if (!text || base64url_decode(text, sealed, sizeof sealed, &len))
		return ERR_NOT_FOUND;
	if (len < SEALED_MIN || sealed[0] != VERSION)
		return ERR_NOT_FOUND;
	len = unseal(keys, sealed, len, plain);
	if (!len)
		return ERR_NOT_FOUND;

	at = get_i64(plain, &out->session_id);
	memcpy(out->link_id, at, JOIN_LINK_ID_BYTES);
	at = get_i64(at + JOIN_LINK_ID_BYTES, &out->sent_us);
	at = get_i64(at, &out->expires_us);
	out->zoom_url = arena_copy(a, (const char *)at, len - FIXED);
	return OK;
}

const char *join_link_id_text(struct arena *a, const struct join_link *link)
{
	return sodium_bin2hex(arena_alloc(a, ID_TEXT), ID_TEXT, link->link_id, JOIN_LINK_ID_BYTES);
}
