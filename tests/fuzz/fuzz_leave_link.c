/* Nothing verifies that we did not sign: a query that does is ours, spelled as we spell it or
 * escaped. */
#include "fuzz.h"

#include "leave_link.h"
#include "query.h"

#define NOW_US (INT64_C(1767265499) * 1000000)

static struct keys keys;

static void verify(struct arena *a, const char *text)
{
	struct leave_link link;
	struct why why = { 0 };
	struct query query;
	enum err e = leave_link_verify(a, &keys, text, NOW_US, &link, &why);

	if (e) {
		claim(e == ERR_INVALID || e == ERR_FORBIDDEN);
		claim(why.detail && link.session_id == 0);
		return;
	}
	claim(link.session_id > 0 && link.expires_s >= NOW_US / 1000000);
	claim(!query_parse(a, text, &query, NULL) && query.count == 3);
	claim(!strcmp(query_get(&query, "session"), arena_int(a, link.session_id)));
	claim(!strcmp(query_get(&query, "exp"), arena_int(a, link.expires_s)));
	claim(!strcmp(query_get(&query, "sig"),
		      leave_link_sign(a, keys.key[KEY_TEACHER_LEFT][0], &link)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct leave_link link = { 0 }, got;

	/* The raw key 00..1f, so that the corpus can hold signed queries. */
	keys.count = 1;
	for (size_t i = 0; i < KEY_BYTES; i++)
		keys.key[KEY_TEACHER_LEFT][0][i] = (unsigned char)i;
	verify(a, arena_copy(a, (const char *)data, len));
	memcpy(&link, data, len < sizeof link ? len : sizeof link);
	if (link.session_id > 0 && link.expires_s >= NOW_US / 1000000)
		claim(!leave_link_verify(a, &keys, leave_link_make(a, &keys, &link), NOW_US, &got,
					 NULL));
	arena_free(a);
	return 0;
}
