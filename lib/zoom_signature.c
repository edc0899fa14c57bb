#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "zoom_signature.h"

#define MAC_BYTES crypto_auth_hmacsha256_BYTES
#define HEX_LEN	  ((size_t)2 * MAC_BYTES)

/* "v0=" and the MAC in lower-case hex. */
#define PREFIX	      "v0="
#define SIGNATURE_LEN (sizeof PREFIX - 1 + HEX_LEN)

/* Longest timestamp, digits: ten until the year 2286. */
#define TIMESTAMP_MAX 12

/* Longest plainToken, characters; Zoom sends 22. */
#define TOKEN_MAX      128
#define TOKEN_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

struct part {
	const void *bytes;
	size_t len;
};

/* Lower-case hex of the HMAC-SHA256 of the parts one behind the other. */
static void mac_hex(const struct secret *secret, const struct part *parts, size_t count,
		    char out[HEX_LEN + 1])
{
	crypto_auth_hmacsha256_state state;
	unsigned char mac[MAC_BYTES];

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret->text, secret->len);
	for (size_t i = 0; i < count; i++)
		crypto_auth_hmacsha256_update(&state, parts[i].bytes, parts[i].len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2hex(out, HEX_LEN + 1, mac, sizeof mac);
	sodium_memzero(&state, sizeof state);
}

/* Reads plain decimal seconds. */
static bool read_timestamp(const char *text, int64_t *out)
{
	size_t len = strnlen(text, TIMESTAMP_MAX + 1);

	if (len == 0 || len > TIMESTAMP_MAX || strspn(text, "0123456789") != len)
		return false;
	for (*out = 0; *text; text++)
		*out = *out * 10 + (*text - '0');
	return true;
}

static bool is_signed_by(const struct secret *secret, const struct zoom_request *req)
{
	const struct part parts[] = {
		{ "v0:", 3 },
		{ req->timestamp, strlen(req->timestamp) },
		{ ":", 1 },
		{ req->body, req->body_len },
	};
	char want[HEX_LEN + 1];

	mac_hex(secret, parts, sizeof parts / sizeof *parts, want);
	return !sodium_memcmp(want, req->signature + strlen(PREFIX), HEX_LEN);
}

enum err zoom_signature_verify(const char *secrets, const struct zoom_request *req, int64_t now_us,
			       struct secret *out)
{
	const char *rest = secrets;
	struct secret secret;
	int64_t at;

	*out = (struct secret){ 0 };
	if (!req->timestamp || !req->signature || !read_timestamp(req->timestamp, &at))
		return ERR_UNAUTHENTICATED;
	if (strnlen(req->signature, SIGNATURE_LEN + 1) != SIGNATURE_LEN ||
	    strncmp(req->signature, PREFIX, strlen(PREFIX)) != 0)
		return ERR_UNAUTHENTICATED;
	if (at - ZOOM_SIGNATURE_AHEAD_S > now_us / 1000000)
		return ERR_UNAUTHENTICATED;
	while (secret_next(&rest, &secret)) {
		if (secret.len && is_signed_by(&secret, req)) {
			*out = secret;
			return OK;
		}
	}
	return ERR_UNAUTHENTICATED;
}

enum err zoom_challenge_answer(struct arena *a, const struct secret *secret,
			       const char *plain_token, const char **out)
{
	size_t len = plain_token ? strnlen(plain_token, TOKEN_MAX + 1) : 0;
	const struct part part = { plain_token, len };
	char *hex = arena_alloc(a, HEX_LEN + 1);

	*out = NULL;
	if (!secret->len || len == 0 || len > TOKEN_MAX ||
	    strspn(plain_token, TOKEN_ALPHABET) != len)
		return ERR_INVALID;
	mac_hex(secret, &part, 1, hex);
	*out = hex;
	return OK;
}
