/*
 * Nothing passes that the secret did not sign, and no answer to a challenge
 * is the signature of an event. Input: timestamp, signature, body, NUL between.
 */
#include "fuzz.h"

#include <sodium.h>

#include "zoom_signature.h"

#define SECRET "It's-a-secret/token_1"
#define NOW_US INT64_C(1767261961000000)

/* "v0=" and the MAC of req by libsodium's own calls, over one joined text. */
static const char *sign(struct arena *a, const struct zoom_request *req)
{
	const char *head = arena_printf(a, "v0:%s:", req->timestamp);
	size_t head_len = strlen(head);
	unsigned char *text = arena_alloc(a, head_len + req->body_len + 1);
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state hmac;
	char hex[2 * sizeof mac + 1];

	memcpy(text, head, head_len); /* NOLINT(bugprone-not-null-terminated-result): bytes */
	memcpy(text + head_len, req->body, req->body_len);
	crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)SECRET, strlen(SECRET));
	crypto_auth_hmacsha256_update(&hmac, text, head_len + req->body_len);
	crypto_auth_hmacsha256_final(&hmac, mac);
	return arena_printf(a, "v0=%s", sodium_bin2hex(hex, sizeof hex, mac, sizeof mac));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct secret secret = { SECRET, sizeof SECRET - 1 };
	struct arena *a = arena_new();
	const char *at = arena_copy(a, (const char *)data, len), *end = at + len;
	struct zoom_request req = { .timestamp = at, .signature = "", .body = "" };
	const char *right, *answer;
	struct secret used;

	at += strlen(at) + 1;
	if (at < end) {
		req.signature = at;
		at += strlen(at) + 1;
	}
	if (at < end) {
		req.body = at;
		req.body_len = (size_t)(end - at);
	}
	right = sign(a, &req);
	if (!zoom_signature_verify("other," SECRET, &req, NOW_US, &used))
		claim(!strcmp(req.signature, right) && used.len == secret.len);
	/* Rightly signed it passes exactly when the timestamp is plain and not far ahead. */
	req.signature = right;
	if (!zoom_signature_verify(SECRET, &req, NOW_US, &used))
		claim(strtoll(req.timestamp, NULL, 10) <=
			      NOW_US / 1000000 + ZOOM_SIGNATURE_AHEAD_S &&
		      strspn(req.timestamp, "0123456789") == strlen(req.timestamp));
	claim(zoom_signature_verify("", &req, NOW_US, &used) == ERR_UNAUTHENTICATED);

	/* The text that is signed for an event is no plainToken. */
	claim(zoom_challenge_answer(
		      a, &secret,
		      arena_printf(a, "v0:%s:%s", req.timestamp, (const char *)req.body),
		      &answer) == ERR_INVALID);
	if (!zoom_challenge_answer(a, &secret, req.timestamp, &answer))
		claim(strlen(answer) == 64 && !strpbrk(req.timestamp, ":{}\""));
	arena_free(a);
	return 0;
}
