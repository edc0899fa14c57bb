#include <stdbool.h>
#include <string.h>

#include "csv.h"

/* What begins a formula, = + - @ full-width too, or hides one. Source: OWASP, CSV Injection. */
static const char *const starts[] = {
	"=",
	"+",
	"-",
	"@",
	"\t",
	"\r",
	"\n",
	"\xef\xbc\x9d",
	"\xef\xbc\x8b",
	"\xef\xbc\x8d",
	"\xef\xbc\xa0",
};

static bool begins_formula(const char *text)
{
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (!strncmp(text, starts[i], strlen(starts[i])))
			return true;
	return false;
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
