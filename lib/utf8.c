#include <string.h>

#include "utf8.h"

/* The sequences of RFC 3629 §4 by first byte: its range, the range of the second, bytes in all. */
static const struct {
	unsigned char first_min, first_max;
	unsigned char second_min, second_max;
	unsigned char len;
} forms[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Bytes of the character at s, of which left are there; 0 if it is none. */
static size_t character(const unsigned char *s, size_t left)
{
	size_t i = 0;

	while (i < sizeof forms / sizeof *forms &&
	       (s[0] < forms[i].first_min || s[0] > forms[i].first_max))
		i++;
	if (i == sizeof forms / sizeof *forms || forms[i].len > left)
		return 0;
	if (forms[i].len > 1 && (s[1] < forms[i].second_min || s[1] > forms[i].second_max))
		return 0;
	for (size_t k = 2; k < forms[i].len; k++)
		if (s[k] < 0x80 || s[k] > 0xbf)
			return 0;
	return forms[i].len;
}

bool utf8_valid(const char *s, size_t len)
{
	const unsigned char *at = (const unsigned char *)s;

	while (len > 0) {
		size_t n = character(at, len);

		if (!n)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

size_t utf8_length(const char *s)
{
	size_t n = 0;

	/* The bytes that do not continue a character. */
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

char *utf8_clean(struct arena *a, const char *s, size_t max)
{
	size_t left = strlen(s), len = 0;
	char *out = arena_alloc(a, max + 1);

	while (left > 0) {
		size_t n = character((const unsigned char *)s, left);
		size_t step = n ? n : 1;

		if (len + step > max)
			break;
		if (n > 1 || (n == 1 && (unsigned char)*s >= 0x20 && *s != 0x7f))
			memcpy(out + len, s, n);
		else
			out[len] = '?';
		len += step;
		s += step;
		left -= step;
	}
	out[len] = '\0';
	return out;
}
