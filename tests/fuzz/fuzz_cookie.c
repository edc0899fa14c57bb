/* A cookie is found wherever it stands, whole, and never in the middle of another one. */
#include "fuzz.h"

#include "cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *header = arena_copy(a, (const char *)data, len);
	const char *found = cookie_get(a, header, "login");
	/* What a value can be made of; no pair of it can be called "login". */
	char *value = arena_copy(a, header, strcspn(header, "; "));
	const char *line;

	claim(!found || (!strpbrk(found, "; ") && strstr(header, "login=")));
	if (strlen(header) > 2000) {
		arena_free(a);
		return 0;
	}
	line = arena_printf(a, "login=%s; %s", value, header);
	found = cookie_get(a, line, "login");
	claim(found && !strcmp(found, value));
	line = arena_printf(a, "xlogin=1;%s; login2=2; login=%s",
			    strstr(value, "login=") ? "" : value, value);
	found = cookie_get(a, line, "login");
	claim(found && !strcmp(found, value));
	arena_free(a);
	return 0;
}
