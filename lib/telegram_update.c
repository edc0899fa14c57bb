#include <json-c/json.h>
#include <string.h>

#include "telegram_update.h"
#include "telegram_words.h"

#define JSON_DEPTH_MAX 64 /* replies nest */

/* A deep link's parameter. Source: Bot API, "Deep linking". */
#define CODE_LEN_MAX  64
#define CODE_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* Telegram's ids have at most 52 significant bits. Source: Bot API, "Chat". */
#define CHAT_ID_MAX ((INT64_C(1) << 52) - 1)

static const char *const words[] = {
	[UPDATE_OTHER] = "other", [UPDATE_START] = "start",	  [UPDATE_BLOCKED] = "blocked",
	[UPDATE_BACK] = "back",	  [UPDATE_MIGRATED] = "migrated",
};

const char *update_word(enum update_kind kind)
{
	return words[kind];
}

static void put_json(void *o)
{
	json_object_put(o);
}

/* The member of that type, NULL if it is absent or another; o may be NULL. */
static struct json_object *member(struct json_object *o, const char *name, json_type type)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, name, &v);
	return v && json_object_is_type(v, type) ? v : NULL;
}

static const char *text_of(struct json_object *o, const char *name)
{
	return json_object_get_string(member(o, name, json_type_string));
}

/* An id of a chat, 0 if it is none. */
static int64_t chat_id_of(struct json_object *o, const char *name)
{
	struct json_object *v = member(o, name, json_type_int);
	int64_t id = v ? json_object_get_int64(v) : 0;

	return id >= -CHAT_ID_MAX && id <= CHAT_ID_MAX ? id : 0;
}

/* "/start", "/start CODE", "/start@our_bot CODE"; a code of other characters is none of ours. */
static void read_text(struct arena *a, const char *text, struct update *out)
{
	size_t len;

	if (!text || strncmp(text, "/start", 6) != 0 || !strchr(" @", text[6]))
		return;
	out->kind = UPDATE_START;
	text += strcspn(text, " ");
	text += strspn(text, " ");
	len = strspn(text, CODE_ALPHABET);
	if (len && len <= CODE_LEN_MAX && !text[len])
		out->code = arena_copy(a, text, len);
}

static void read_message(struct arena *a, struct json_object *message, struct update *out)
{
	struct json_object *from = member(message, "from", json_type_object);

	out->chat_id = chat_id_of(member(message, "chat", json_type_object), "id");
	out->new_chat_id = chat_id_of(message, "migrate_to_chat_id");
	out->language = telegram_language(text_of(from, "language_code"));
	if (out->new_chat_id)
		out->kind = UPDATE_MIGRATED;
	else
		read_text(a, text_of(message, "text"), out);
}

/* The bot's own standing in a chat. Source: Bot API, "ChatMember". */
static void read_membership(struct json_object *change, struct update *out)
{
	struct json_object *now = member(change, "new_chat_member", json_type_object);
	const char *status = text_of(now, "status");

	out->chat_id = chat_id_of(member(change, "chat", json_type_object), "id");
	if (!status)
		return;
	if (!strcmp(status, "kicked") || !strcmp(status, "left"))
		out->kind = UPDATE_BLOCKED;
	else if (!strcmp(status, "member") || !strcmp(status, "administrator"))
		out->kind = UPDATE_BACK;
}

enum err update_parse(struct arena *a, const char *text, size_t len, struct update *out)
{
	struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *o = NULL, *id, *message, *change;

	*out = (struct update){ .kind = UPDATE_OTHER };
	if (!tok)
		return ERR_UNAVAILABLE;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	arena_defer(a, put_json, o);
	if (json_tokener_get_error(tok) != json_tokener_success)
		o = NULL;
	json_tokener_free(tok);
	id = member(o, "update_id", json_type_int);
	if (!id)
		return ERR_INVALID;
	out->id = json_object_get_int64(id);
	message = member(o, "message", json_type_object);
	change = member(o, "my_chat_member", json_type_object);
	if (message)
		read_message(a, message, out);
	else if (change)
		read_membership(change, out);
	if (!out->chat_id)
		out->kind = UPDATE_OTHER;
	return OK;
}
