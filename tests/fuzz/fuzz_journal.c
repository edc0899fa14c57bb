/* A line of the journal is what was written: whatever is read, writes the same line again. */
#include "fuzz.h"

#include "journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);
	struct journal_entry e, again;

	if (!journal_parse(a, text, &e)) {
		const char *line = journal_line(a, &e);

		claim(!journal_parse(a, line, &again));
		claim(again.session_id == e.session_id && again.happened_us == e.happened_us);
	}
	/* The same words under a checksum of their own. */
	e = (struct journal_entry){
		.kind = JOURNAL_CLICK, .id = "x", .agent = text, .session_id = (int64_t)len
	};
	claim(!journal_parse(a, journal_line(a, &e), &again));
	claim(again.session_id == (int64_t)len);
	if (*text && strlen(text) <= 300)
		claim(again.agent && !strcmp(again.agent, text));
	arena_free(a);
	return 0;
}
