/* Whatever Zoom signs is read without harm, twice the same, and gives plain identifiers only. */
#include "fuzz.h"

#include "utf8.h"
#include "when.h"
#include "zoom_event.h"

static void claim_plain(const char *id)
{
	claim(!id || (*id && strlen(id) <= 2 * ZOOM_ID_MAX + 1));
	for (; id && *id; id++)
		claim(*id > ' ' && *id <= '~' && *id != '|');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *body = arena_copy(a, (const char *)data, len);
	struct zoom_event event, again;

	zoom_event_read(a, body, len, &event);
	zoom_event_read(a, body, len, &again);
	claim(event.kind == again.kind && !strcmp(event.key, again.key));
	claim(strlen(event.key) <= 600 && utf8_valid(event.key, strlen(event.key)));
	claim(strlen(event.name) <= 100 && utf8_valid(event.name, strlen(event.name)));
	claim(event.sent_us >= 0 && event.sent_us <= WHEN_MAX_US);
	claim_plain(event.uuid);
	claim_plain(event.host_id);
	claim_plain(event.connection);
	claim_plain(event.person_id);
	claim_plain(event.host_email);
	claim_plain(event.plain_token);
	claim(!event.meeting_id ||
	      (event.meeting_id >= 100000000 && event.meeting_id <= 99999999999));
	claim(!zoom_kind_name(event.kind) == !event.uuid);
	claim(!event.uuid || event.happened_us > 0);
	arena_free(a);
	return 0;
}
