/* Whatever AUTH_SECRET holds: keys or a reason, and each secret of a good one is accepted as
 * itself. */
#include "fuzz.h"

#include "keys.h"
#include "secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len), *rest = text;
	struct why why = { 0 };
	struct secret item;
	struct keys keys;
	size_t items = 0;

	if (keys_load(text, &keys, &why)) {
		claim(why.field && why.detail && keys.count == 0);
	} else {
		while (secret_next(&rest, &item)) {
			const char *copy = arena_copy(a, item.text, item.len);

			claim(item.len >= KEYS_SECRET_MIN && !memchr(item.text, ',', item.len));
			claim(secret_matches(text, copy));
			items++;
		}
		claim(keys.count == items && items <= KEYS_MAX);
	}
	claim(!secret_matches(text, ""));
	arena_free(a);
	return 0;
}
