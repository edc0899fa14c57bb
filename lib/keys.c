#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "keys.h"
#include "secret.h"

static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "seals with these keys");
static_assert(KEY_BYTES == crypto_auth_hmacsha256_KEYBYTES, "signs with these keys");

/* The names go into the keys: a changed name is the death of every link made before. */
static const char *const names[KEY__MAX] = {
	[KEY_JOIN_LINK] = "classclock join-link",
	[KEY_JOIN_NONCE] = "classclock join-link nonce",
	[KEY_TEACHER_LEFT] = "classclock teacher-left",
	[KEY_CURSOR] = "classclock cursor",
};

static void derive(struct keys *keys, size_t i, const struct secret *secret)
{
	unsigned char master[crypto_generichash_BYTES];

	crypto_generichash(master, sizeof master, (const unsigned char *)secret->text, secret->len,
			   NULL, 0);
	for (size_t p = 0; p < KEY__MAX; p++)
		crypto_generichash(keys->key[p][i], KEY_BYTES, (const unsigned char *)names[p],
				   strlen(names[p]), master, sizeof master);
	sodium_memzero(master, sizeof master);
}

static enum err load(const char *text, struct keys *out, struct why *why)
{
	const char *rest = text;
	struct secret secret;

	if (!text || !*text)
		return why_not(why, ERR_INVALID, "AUTH_SECRET", "It is missing.");
	while (secret_next(&rest, &secret)) {
		if (secret.len < KEYS_SECRET_MIN)
			return why_not(why, ERR_INVALID, "AUTH_SECRET",
				       "Each secret needs at least 32 bytes.");
		if (out->count == KEYS_MAX)
			return why_not(why, ERR_INVALID, "AUTH_SECRET",
				       "It holds more than 8 secrets.");
		derive(out, out->count++, &secret);
	}
	return OK;
}

enum err keys_load(const char *text, struct keys *out, struct why *why)
{
	enum err e;

	*out = (struct keys){ 0 };
	if (sodium_init() < 0)
		return why_not(why, ERR_INTERNAL, NULL, "libsodium does not start.");
	e = load(text, out, why);
	if (e)
		keys_wipe(out);
	return e;
}

void keys_wipe(struct keys *keys)
{
	sodium_memzero(keys, sizeof *keys);
}
