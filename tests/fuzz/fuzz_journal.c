/*
 * A line of the journal is what was written: whatever is written is read, and whatever is read,
 * writes the same again. Input is tried as a line, as the words of a line with the right checksum,
 * and as what there is to write.
 */
#include "fuzz.h"

#include <sodium.h>

#include "base64url.h"
#include "journal.h"

#define AGENT_BYTES_MAX 300 /* of an agent that is kept: lib/journal_line.c */

/* What is empty is written as what is unknown. */
static bool is_same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool is_same(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->kind == b->kind && is_same_text(a->id, b->id) &&
	       a->happened_us == b->happened_us && a->offset_us == b->offset_us &&
	       a->session_id == b->session_id && is_same_text(a->link_id, b->link_id) &&
	       a->sent_us == b->sent_us && a->expires_us == b->expires_us &&
	       is_same_text(a->address, b->address) && is_same_text(a->agent, b->agent) &&
	       is_same_text(a->login, b->login);
}

static size_t words(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text != ' ' && (text[1] == ' ' || !text[1]);
	return n;
}

static void read_and_write(struct arena *a, const char *line)
{
	struct journal_entry e, again;
	const char *written;

	if (journal_parse(a, line, &e))
		return;
	written = journal_line(a, &e);
	claim(!journal_parse(a, written, &again));
	claim(is_same(&e, &again));
	/* Every word was read: version 1 had one less. */
	claim(words(written) == words(line) + (line[0] == '1'));
}

/* No mutation finds the checksum of what it has changed. */
static const char *with_checksum(struct arena *a, const char *text)
{
	unsigned char sum[16];

	crypto_generichash(sum, sizeof sum, (const unsigned char *)text, strlen(text), NULL, 0);
	return arena_printf(a, "%s %s", text, base64url_encode(a, sum, sizeof sum));
}

static void write_and_read(struct arena *a, const uint8_t *data, size_t len)
{
	int64_t n[5] = { 0 };
	size_t fixed = len < sizeof n ? len : sizeof n;
	bool left = len % 2;
	struct journal_entry e, got;

	memcpy(n, data, fixed);
	e = (struct journal_entry){
		.kind = left ? JOURNAL_LEFT : JOURNAL_CLICK,
		.id = "id",
		.happened_us = n[0],
		.offset_us = n[1],
		.session_id = n[2],
		.link_id = left ? NULL : "link",
		.sent_us = n[3],
		.expires_us = n[4],
		.address = left ? NULL : "address",
		.agent = arena_copy(a, (const char *)data + fixed, len - fixed),
		.login = left ? NULL : "login",
	};
	claim(!journal_parse(a, journal_line(a, &e), &got));
	if (strlen(e.agent) > AGENT_BYTES_MAX)
		e.agent = arena_copy(a, e.agent, AGENT_BYTES_MAX);
	claim(is_same(&e, &got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);

	read_and_write(a, text);
	read_and_write(a, with_checksum(a, text));
	write_and_read(a, data, len);
	arena_free(a);
	return 0;
}
