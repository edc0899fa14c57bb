#include <stdbool.h>
#include <string.h>

#include "query.h"
#include "utf8.h"

/* One piece between two &: raw, not ended by a NUL. */
struct piece {
	const char *name, *value;
	size_t name_len, value_len;
};

/* Takes the next piece that is not empty off *rest; false at the end. */
static bool next_piece(const char **rest, struct piece *out)
{
	const char *at = *rest + strspn(*rest, "&");
	size_t len = strcspn(at, "&");
	const char *equals;

	*rest = at + len;
	if (!len)
		return false;
	equals = memchr(at, '=', len);
	out->name = at;
	out->name_len = equals ? (size_t)(equals - at) : len;
	out->value = equals ? equals + 1 : at + len;
	out->value_len = (size_t)(at + len - out->value);
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The two digits behind a % as a byte; -1 if they are none, or are 00. */
static int escape(const char *digits, size_t left)
{
	int high, low;

	if (left < 2)
		return -1;
	high = hex_digit(digits[0]);
	low = hex_digit(digits[1]);
	if (high < 0 || low < 0 || high + low == 0)
		return -1;
	return high << 4 | low;
}

/* Decodes len bytes of raw; NULL if they do not. */
static const char *decode(struct arena *a, const char *raw, size_t len)
{
	char *text = arena_alloc(a, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)raw[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			c = escape(raw + i + 1, len - i - 1);
			if (c < 0)
				return NULL;
			i += 2;
		}
		text[n++] = (char)c;
	}
	text[n] = '\0';
	return utf8_valid(text, n) ? text : NULL;
}

enum err query_parse(struct arena *a, const char *text, struct query *out, struct why *why)
{
	const char *rest = text ? text : "";
	struct piece piece;

	out->count = 0;
	if (strnlen(rest, QUERY_TEXT_MAX + 1) > QUERY_TEXT_MAX)
		return why_not(why, ERR_INVALID, "query", "The query is longer than 8192 bytes.");
	while (next_piece(&rest, &piece)) {
		struct query_pair pair = { .name = decode(a, piece.name, piece.name_len),
					   .value = decode(a, piece.value, piece.value_len) };

		if (!pair.name || !pair.value)
			return why_not(why, ERR_INVALID, pair.name,
				       "It is not UTF-8 text in percent-encoding.");
		if (out->count == QUERY_PAIRS_MAX)
			return why_not(why, ERR_INVALID, "query",
				       "The query has more than 32 parameters.");
		out->pair[out->count++] = pair;
	}
	return OK;
}

const char *query_get(const struct query *query, const char *name)
{
	for (size_t i = 0; i < query->count; i++)
		if (!strcmp(query->pair[i].name, name))
			return query->pair[i].value;
	return NULL;
}

const char *query_repeated(const struct query *query)
{
	for (size_t i = 1; i < query->count; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(query->pair[i].name, query->pair[k].name))
				return query->pair[i].name;
	return NULL;
}

const char *query_first(struct arena *a, const char *text, const char *name)
{
	const char *rest = text ? text : "";
	size_t name_len = strlen(name);
	struct piece piece;

	while (next_piece(&rest, &piece))
		if (piece.name_len == name_len && !memcmp(piece.name, name, name_len))
			return decode(a, piece.value, piece.value_len);
	return NULL;
}
