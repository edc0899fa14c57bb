/* Whatever the headers hold, there is a verdict; a name anywhere in an agent at a word's start
 * decides. */
#include "fuzz.h"

#include "visitor.h"

/* The next NUL-ended string of the input; NULL when it is used up. */
static const char *take(const char **at, const char *end)
{
	const char *s = *at;

	if (s >= end)
		return NULL;
	*at += strlen(s) + 1;
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *at = arena_copy(a, (const char *)data, len), *end = at + len;
	struct visit visit = { .method = "GET" };
	enum visitor visitor;

	visit.user_agent = take(&at, end);
	visit.sec_purpose = take(&at, end);
	visit.purpose = take(&at, end);
	visit.x_purpose = take(&at, end);
	visit.x_moz = take(&at, end);
	visitor = visitor_of(&visit);
	claim(visitor != VISITOR_HEAD && visitor_name(visitor));

	visit.sec_purpose = visit.purpose = visit.x_purpose = visit.x_moz = NULL;
	claim(visitor != VISITOR_HUMAN || visitor_of(&visit) == VISITOR_HUMAN);
	if (visit.user_agent) {
		visit.user_agent = arena_printf(a, "%s TelegramBot", visit.user_agent);
		claim(visitor_of(&visit) == VISITOR_CRAWLER);
	}
	visit.method = "HEAD";
	claim(visitor_of(&visit) == VISITOR_HEAD);
	arena_free(a);
	return 0;
}
