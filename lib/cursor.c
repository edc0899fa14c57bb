#include <sodium.h>

#include "base64url.h"
#include "cursor.h"

#define MAC_BYTES 16

struct sealed {
	unsigned char position[16];
	unsigned char mac[MAC_BYTES];
};

static void pack(unsigned char *out, int64_t n)
{
	for (int i = 7; i >= 0; i--, n = (int64_t)((uint64_t)n >> 8))
		out[i] = (unsigned char)(n & 0xff);
}

static int64_t unpack(const unsigned char *in)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | in[i];
	return (int64_t)n;
}

static void sign(const unsigned char key[KEY_BYTES], struct sealed *s)
{
	crypto_generichash(s->mac, sizeof s->mac, s->position, sizeof s->position, key, KEY_BYTES);
}

const char *cursor_make(struct arena *a, const struct keys *keys, const struct cursor *at)
{
	struct sealed s;

	pack(s.position, at->us);
	pack(s.position + 8, at->id);
	sign(keys->key[KEY_CURSOR][0], &s);
	return base64url_encode(a, &s, sizeof s);
}

enum err cursor_open(const struct keys *keys, const char *text, struct cursor *out)
{
	struct sealed given, ours;
	size_t len;

	if (base64url_decode(text, &given, sizeof given, &len) || len != sizeof given)
		return ERR_INVALID;
	ours = given;
	for (size_t i = 0; i < keys->count; i++) {
		sign(keys->key[KEY_CURSOR][i], &ours);
		if (!sodium_memcmp(ours.mac, given.mac, MAC_BYTES)) {
			*out = (struct cursor){ unpack(given.position),
						unpack(given.position + 8) };
			return OK;
		}
	}
	return ERR_INVALID;
}
