/* Bytes have one spelling: text that decodes encodes to itself, and bytes come back. */
#include "fuzz.h"

#include "base64url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);
	unsigned char *bytes = arena_alloc(a, len + 1);
	size_t n;

	if (!base64url_decode(text, bytes, len, &n))
		claim(!strcmp(base64url_encode(a, bytes, n), text));
	text = base64url_encode(a, data, len);
	claim(strlen(text) == BASE64URL_LEN(len));
	claim(base64url_decode(text, bytes, len, &n) == OK);
	claim(n == len && !memcmp(bytes, data, len));
	arena_free(a);
	return 0;
}
