/* Only what was given out opens, and it opens to what it was; a position changed in one bit does
 * not. */
#include "fuzz.h"

#include "base64url.h"
#include "cursor.h"

#define RAW_BYTES 32 /* of a cursor's text */

static struct keys keys;

static void round_trip(struct arena *a, const uint8_t *data)
{
	unsigned char raw[RAW_BYTES];
	struct cursor want, got;
	const char *text;
	size_t n;

	memcpy(&want, data, sizeof want);
	text = cursor_make(a, &keys, &want);
	claim(cursor_open(&keys, text, &got) == OK);
	claim(got.us == want.us && got.id == want.id);
	claim(base64url_decode(text, raw, sizeof raw, &n) == OK && n == sizeof raw);
	raw[data[sizeof want] % RAW_BYTES] ^= (unsigned char)(1U << data[sizeof want] / RAW_BYTES);
	claim(cursor_open(&keys, base64url_encode(a, raw, n), &got) == ERR_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct cursor got;

	if (!keys.count) /* not the key of the cursor in the corpus */
		claim(!keys_load("fedcba9876543210fedcba9876543210", &keys, NULL));
	claim(cursor_open(&keys, arena_copy(a, (const char *)data, len), &got) == ERR_INVALID);
	if (len > sizeof got)
		round_trip(a, data);
	arena_free(a);
	return 0;
}
