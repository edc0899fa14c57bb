/*
 * Nothing opens that we did not seal, and what we sealed comes back. Input is
 * tried as a token, and as the contents and the first bytes of one of ours.
 */
#include "fuzz.h"

#include "join_link.h"

static struct keys keys;

static void round_trip(struct arena *a, const uint8_t *data, size_t len)
{
	struct join_link want = { .zoom_url = "" }, got;
	size_t fixed = sizeof want.session_id + sizeof want.link_id;
	const char *text;
	char *changed;

	if (len < fixed)
		return;
	memcpy(&want.session_id, data, sizeof want.session_id);
	memcpy(want.link_id, data + sizeof want.session_id, sizeof want.link_id);
	want.sent_us = want.session_id / -2;
	want.expires_us = want.session_id / 3;
	want.zoom_url = arena_copy(a, (const char *)data + fixed, len - fixed);
	text = join_link_seal(a, &keys, &want);
	claim(!text == (!*want.zoom_url || strlen(want.zoom_url) > JOIN_LINK_URL_MAX));
	if (!text)
		return;
	claim(strlen(text) <= JOIN_LINK_TEXT_MAX);
	claim(join_link_open(a, &keys, text, &got) == OK);
	claim(got.session_id == want.session_id && got.sent_us == want.sent_us &&
	      got.expires_us == want.expires_us && !strcmp(got.zoom_url, want.zoom_url) &&
	      !memcmp(got.link_id, want.link_id, sizeof got.link_id));

	changed = arena_copy(a, text, strlen(text));
	memcpy(changed + data[0] % (strlen(text) - fixed), data, fixed);
	claim(!strcmp(changed, text) || join_link_open(a, &keys, changed, &got) == ERR_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct join_link got;

	if (!keys.count) /* not the key of the token in the corpus */
		claim(!keys_load("fedcba9876543210fedcba9876543210", &keys, NULL));
	claim(join_link_open(a, &keys, arena_copy(a, (const char *)data, len), &got) ==
	      ERR_NOT_FOUND);
	round_trip(a, data, len);
	arena_free(a);
	return 0;
}
