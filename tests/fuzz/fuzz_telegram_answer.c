/*
 * Whatever answers a call is read without harm, twice the same, and what it
 * was taken for, said in Telegram's own form, is taken for the same. The
 * first line is HTTP's status, the rest the body.
 */
#include "fuzz.h"

#include <json-c/json.h>

#include "telegram.h"

#define CHAT_ID_MAX ((INT64_C(1) << 52) - 1) /* source: Bot API, "Chat" */

static void put_json(void *o)
{
	json_object_put(o);
}

/* What was not done, as Telegram says it. */
static const char *rewritten(struct arena *a, const struct telegram_answer *was)
{
	struct json_object *o = json_object_new_object(), *parameters = json_object_new_object();

	arena_defer(a, put_json, o);
	json_object_object_add(o, "ok", json_object_new_boolean(false));
	json_object_object_add(o, "error_code", json_object_new_int(was->status));
	json_object_object_add(o, "description", json_object_new_string(was->description));
	if (was->outcome == TELEGRAM_WAIT)
		json_object_object_add(parameters, "retry_after",
				       json_object_new_int64(was->retry_after_s));
	if (was->outcome == TELEGRAM_MIGRATED)
		json_object_object_add(parameters, "migrate_to_chat_id",
				       json_object_new_int64(was->chat_id));
	json_object_object_add(o, "parameters", parameters);
	return json_object_to_json_string(o);
}

static void claims(const struct telegram_answer *answer)
{
	claim(answer->outcome < TELEGRAM__MAX && answer->outcome != TELEGRAM_UNREACHABLE);
	claim(answer->description);
	claim(answer->outcome != TELEGRAM_SENT || answer->status == 200);
	claim(!answer->result || answer->outcome == TELEGRAM_SENT);
	claim(answer->outcome != TELEGRAM_WAIT || answer->status == 429);
	claim((answer->outcome == TELEGRAM_WAIT) == (answer->retry_after_s > 0));
	claim(answer->retry_after_s <= 7 * 24 * 3600);
	claim((answer->outcome == TELEGRAM_MIGRATED) == (answer->chat_id != 0));
	claim(answer->chat_id >= -CHAT_ID_MAX && answer->chat_id <= CHAT_ID_MAX);
}

static void claim_same(const struct telegram_answer *one, const struct telegram_answer *other)
{
	claim(one->outcome == other->outcome && one->status == other->status);
	claim(!strcmp(one->description, other->description));
	claim(one->retry_after_s == other->retry_after_s && one->chat_id == other->chat_id);
	claim(json_object_equal(one->result, other->result));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);
	size_t head = strcspn(text, "\n") + 1;
	struct http_answer http = { .body = "" };
	struct telegram_answer answer, again;

	http.status = (int)(strtoul(text, NULL, 10) % 1000);
	if (head < len) {
		http.body = text + head;
		http.len = len - head;
	}
	telegram_read(a, HTTP_ANSWERED, &http, &answer);
	claims(&answer);
	telegram_read(a, HTTP_ANSWERED, &http, &again);
	claim_same(&answer, &again);
	if (answer.outcome != TELEGRAM_SENT && answer.outcome != TELEGRAM_UNKNOWN) {
		http.body = rewritten(a, &answer);
		http.len = strlen(http.body);
		telegram_read(a, HTTP_ANSWERED, &http, &again);
		claim_same(&answer, &again);
	}
	arena_free(a);
	return 0;
}
