#include <string.h>

#include "cookie.h"

#define HEADER_BYTES_MAX 4096

const char *cookie_get(struct arena *a, const char *header, const char *name)
{
	const char *at = header;
	size_t n = strlen(name);

	if (!at || strlen(at) > HEADER_BYTES_MAX)
		return NULL;
	while (*at) {
		at += strspn(at, " ;");
		if (!strncmp(at, name, n) && at[n] == '=')
			return arena_copy(a, at + n + 1, strcspn(at + n + 1, "; "));
		at += strcspn(at, ";");
	}
	return NULL;
}
