/* What parses can be written again and parses to the same; the first token is found whatever else
 * stands there. */
#include "fuzz.h"

#include "query.h"
#include "utf8.h"

/* text with every byte escaped. */
static const char *escaped(struct arena *a, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, 3 * strlen(text) + 1), *at = out;

	for (; *text; text++) {
		*at++ = '%';
		*at++ = hex[(unsigned char)*text >> 4];
		*at++ = hex[*text & 15];
	}
	*at = '\0';
	return out;
}

static void round_trip(struct arena *a, const struct query *query)
{
	const char *text = "";
	struct query again;

	for (size_t i = 0; i < query->count; i++) {
		claim(utf8_valid(query->pair[i].name, strlen(query->pair[i].name)));
		claim(utf8_valid(query->pair[i].value, strlen(query->pair[i].value)));
		text = arena_printf(a, "%s&%s=%s", text, escaped(a, query->pair[i].name),
				    escaped(a, query->pair[i].value));
	}
	if (strlen(text) > QUERY_TEXT_MAX)
		return;
	claim(query_parse(a, text, &again, NULL) == OK && again.count == query->count);
	for (size_t i = 0; i < query->count; i++) {
		claim(!strcmp(query->pair[i].name, again.pair[i].name));
		claim(!strcmp(query->pair[i].value, again.pair[i].value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);
	const char *first = query_first(a, text, "token");
	struct why why = { 0 };
	struct query query;

	if (query_parse(a, text, &query, &why))
		claim(why.detail);
	else
		round_trip(a, &query);
	(void)query_repeated(&query);
	if (first)
		claim(utf8_valid(first, strlen(first)));
	first = query_first(a, arena_printf(a, "token=T&%s", text), "token");
	claim(first && !strcmp(first, "T"));
	arena_free(a);
	return 0;
}
