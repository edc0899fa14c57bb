#include <stdbool.h>
#include <string.h>

#include "csv.h"

/* What begins a formula, = + - @ full-width too, or hides one. Source: OWASP, CSV Injection. */
static bool begins_formula(const char *text)
{
	switch (*text) {
	case '=':
	case '+':
	case '-':
	case '@':
	case '\t':
	case '\r':
	case '\n':
		return true;
	case '\xef':
		return !strncmp(text, "\xef\xbc\x9d", 3) || !strncmp(text, "\xef\xbc\x8b", 3) ||
		       !strncmp(text, "\xef\xbc\x8d", 3) || !strncmp(text, "\xef\xbc\xa0", 3);
	default:
		return false;
	}
}

void csv_field(struct buf *b, const char *text)
{
	size_t len;

	if (!text)
		text = "";
	/* Every field ends in a quote and nothing else does. */
	if (b->len && b->data[b->len - 1] == '"')
		buf_char(b, ',');
	buf_char(b, '"');
	if (begins_formula(text))
		buf_char(b, '\'');
	for (; *text; text += len) {
		len = strcspn(text, "\"");
		buf_add(b, text, len);
		if (text[len]) {
			buf_str(b, "\"\"");
			len++;
		}
	}
	buf_char(b, '"');
}

void csv_row_end(struct buf *b)
{
	buf_str(b, "\r\n");
}

enum err csv_flush(struct buf *b, csv_sink *sink, void *to)
{
	enum err e = b->err;

	if (!e && b->len)
		e = sink(to, b->data, b->len);
	buf_clear(b);
	return e;
}
