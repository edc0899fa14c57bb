/* Whatever is posted is read without harm, twice the same, and an update written anew reads the
 * same. */
#include "fuzz.h"

#include "telegram_update.h"

#define CHAT_ID_MAX ((INT64_C(1) << 52) - 1) /* source: Bot API, "Chat" */

static const char *rewritten(struct arena *a, const struct update *u)
{
	switch (u->kind) {
	case UPDATE_START:
		return arena_printf(
			a,
			"{\"update_id\":%lld,\"message\":{\"text\":\"/start%s%s\",\"chat\":"
			"{\"id\":%lld},\"from\":{\"language_code\":\"%s\"}}}",
			(long long)u->id, u->code ? "@our_bot  " : "@", u->code ? u->code : "",
			(long long)u->chat_id, u->language ? u->language : "xx");
	case UPDATE_MIGRATED:
		return arena_printf(a,
				    "{\"update_id\":%lld,\"message\":{\"migrate_to_chat_id\":%lld,"
				    "\"chat\":{\"id\":%lld}}}",
				    (long long)u->id, (long long)u->new_chat_id,
				    (long long)u->chat_id);
	case UPDATE_BLOCKED:
	case UPDATE_BACK:
		return arena_printf(
			a,
			"{\"update_id\":%lld,\"my_chat_member\":{\"chat\":{\"id\":%lld},"
			"\"new_chat_member\":{\"status\":\"%s\"}}}",
			(long long)u->id, (long long)u->chat_id,
			u->kind == UPDATE_BACK ? "member" : "kicked");
	case UPDATE_OTHER:
		break;
	}
	return arena_printf(a, "{\"update_id\":%lld}", (long long)u->id);
}

static bool same_text(const char *one, const char *other)
{
	return one && other ? !strcmp(one, other) : one == other;
}

static void claims(const struct update *u)
{
	claim(update_word(u->kind));
	claim((u->chat_id == 0) <= (u->kind == UPDATE_OTHER));
	claim(u->chat_id >= -CHAT_ID_MAX && u->chat_id <= CHAT_ID_MAX);
	claim(u->new_chat_id >= -CHAT_ID_MAX && u->new_chat_id <= CHAT_ID_MAX);
	claim(u->kind != UPDATE_MIGRATED || u->new_chat_id);
	for (const char *c = u->code; c && *c; c++)
		claim(strchr("_-", *c) || (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= 'a' && *c <= 'z'));
	claim(!u->code || (*u->code && strlen(u->code) <= 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *body = arena_copy(a, (const char *)data, len), *text;
	struct update update, again;

	if (update_parse(a, body, len, &update)) {
		claim(update.kind == UPDATE_OTHER && !update.id);
	} else {
		claims(&update);
		text = rewritten(a, &update);
		claim(!update_parse(a, text, strlen(text), &again));
		claim(again.id == update.id && again.kind == update.kind);
		if (update.kind != UPDATE_OTHER)
			claim(again.chat_id == update.chat_id &&
			      again.new_chat_id == update.new_chat_id);
		if (update.kind == UPDATE_START)
			claim(same_text(again.code, update.code) &&
			      same_text(again.language, update.language));
	}
	arena_free(a);
	return 0;
}
