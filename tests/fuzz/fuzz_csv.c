/* A reader of RFC 4180 gets every field back, and none of them begins a formula. */
#include "fuzz.h"

#include "csv.h"

#define CAP 100000

/* Reads one quoted field at *at and its quote's end; the text without doubling. */
static const char *read_field(struct arena *a, const char **at)
{
	char *text = arena_alloc(a, strlen(*at) + 1);
	size_t n = 0;

	claim(*(*at)++ == '"');
	for (;; (*at)++) {
		claim(**at);
		if (**at == '"' && *++*at != '"')
			break;
		text[n++] = **at;
	}
	text[n] = '\0';
	return text;
}

static void claim_same(const char *got, const char *want)
{
	static const char *const full_width[] = { "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
						  "\xef\xbc\xa0" };
	bool is_guarded = *got == '\'' && !strcmp(got + 1, want);

	claim(is_guarded || !strcmp(got, want));
	if (is_guarded)
		return;
	claim(!*got || !strchr("=+-@\t\r\n", *got));
	for (size_t i = 0; i < sizeof full_width / sizeof *full_width; i++)
		claim(strncmp(got, full_width[i], strlen(full_width[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len), *at;
	struct buf b;

	/* Fields end at NUL, rows at an empty field. */
	buf_init(&b, CAP);
	for (size_t i = 0; i <= len; i += strlen(text + i) + 1) {
		csv_field(&b, text + i);
		if (!text[i])
			csv_row_end(&b);
	}
	if (!b.err) {
		at = b.data;
		for (size_t i = 0; i <= len; i += strlen(text + i) + 1) {
			claim_same(read_field(a, &at), text + i);
			if (!text[i]) {
				claim(at[0] == '\r' && at[1] == '\n');
				at += 2;
			} else if (*at) {
				claim(*at++ == ',');
			}
		}
		claim(at == b.data + b.len);
	}
	buf_free(&b);
	arena_free(a);
	return 0;
}
