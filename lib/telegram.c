#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "secret.h"
#include "telegram.h"
#include "telegram_words.h"

#define ANSWER_BYTES_MAX   (256 << 10)
#define JSON_DEPTH_MAX	   32
#define RETRY_AFTER_MAX_S  (7 * 24 * 3600) /* more would be a mistake of theirs */
#define RETRY_AFTER_NONE_S 60		   /* a 429 that does not say how long */

/* Telegram's ids have at most 52 significant bits. Source: Bot API, "Chat". */
#define CHAT_ID_MAX ((INT64_C(1) << 52) - 1)

/*
 * Decided by code and the beginning of the description: the rest of it may
 * change. The first row that fits counts. Source: the official server, Client.cpp.
 */
static const struct {
	const char *prefix;
	int code;
	enum telegram_outcome outcome;
} errors[] = {
	{ "Bad Request: chat not found", 400, TELEGRAM_NO_CHAT },
	{ "Bad Request: inline keyboard button URL", 400, TELEGRAM_BAD_URL },
	{ "", 401, TELEGRAM_BAD_TOKEN },
	{ "Forbidden: bot was blocked by the user", 403, TELEGRAM_BLOCKED },
	{ "Forbidden: user is deactivated", 403, TELEGRAM_DEACTIVATED },
	{ "Forbidden: bot can't initiate conversation", 403, TELEGRAM_NEVER_STARTED },
	{ "Forbidden: bot was kicked", 403, TELEGRAM_LEFT_GROUP },
	{ "Forbidden: bot is not a member", 403, TELEGRAM_LEFT_GROUP },
	{ "Forbidden: the group chat was deleted", 403, TELEGRAM_LEFT_GROUP },
	{ "", 403, TELEGRAM_FORBIDDEN },
	{ "", 404, TELEGRAM_BAD_TOKEN },
};

/* One a process: it keeps what TLS has learned of the server. */
static struct http *http;

void telegram_open(struct telegram *out, const struct conf *conf, int total_ms)
{
	const char *list = conf->telegram_bot_token;

	*out = (struct telegram){ .base = conf->telegram_api_base, .total_ms = total_ms };
	if (secret_next(&list, &out->token) && !out->token.len)
		out->token.text = NULL;
}

static void put_json(void *o)
{
	json_object_put(o);
}

/* The one JSON object that text is, NULL if it is anything else. Belongs to the arena. */
static struct json_object *object_of(struct arena *a, const struct http_answer *answer)
{
	struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *o = NULL;

	if (tok) {
		json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		o = json_tokener_parse_ex(tok, answer->body, (int)answer->len);
		arena_defer(a, put_json, o);
		if (json_tokener_get_error(tok) != json_tokener_success ||
		    !json_object_is_type(o, json_type_object))
			o = NULL;
		json_tokener_free(tok);
	}
	return o;
}

/* The member if it is an integer, else fallback. */
static int64_t int_of(struct json_object *o, const char *name, int64_t fallback)
{
	struct json_object *v;

	if (json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_int))
		return json_object_get_int64(v);
	return fallback;
}

static const char *text_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	if (json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string))
		return json_object_get_string(v);
	return "";
}

/* How long to be silent; the number stands in the description too. */
static int64_t retry_after(struct json_object *parameters, const char *description)
{
	static const char said[] = "Too Many Requests: retry after ";
	int64_t s = int_of(parameters, "retry_after", 0);

	if (s <= 0 && !strncmp(description, said, sizeof said - 1))
		s = strtoll(description + sizeof said - 1, NULL, 10);
	if (s <= 0)
		s = RETRY_AFTER_NONE_S;
	return s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S;
}

/* Where the group has moved to, 0 if it has not. */
static int64_t new_chat(struct json_object *parameters)
{
	int64_t id = int_of(parameters, "migrate_to_chat_id", 0);

	return id >= -CHAT_ID_MAX && id <= CHAT_ID_MAX ? id : 0;
}

/* An answer that says in Telegram's own form that it was not done. */
static void read_error(struct json_object *o, struct telegram_answer *out)
{
	const char *description = text_of(o, "description");
	struct json_object *parameters = NULL;

	out->description = description;
	json_object_object_get_ex(o, "parameters", &parameters);
	if (out->status == 429) {
		out->outcome = TELEGRAM_WAIT;
		out->retry_after_s = retry_after(parameters, description);
		return;
	}
	if (out->status == 400)
		out->chat_id = new_chat(parameters);
	if (out->chat_id) {
		out->outcome = TELEGRAM_MIGRATED;
		return;
	}
	/* Of an error on its side Telegram does not say what was done before it. */
	out->outcome =
		out->status >= 400 && out->status < 500 ? TELEGRAM_REFUSED : TELEGRAM_UNKNOWN;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].code == out->status &&
		    !strncmp(description, errors[i].prefix, strlen(errors[i].prefix))) {
			out->outcome = errors[i].outcome;
			return;
		}
}

void telegram_read(struct arena *a, enum http_outcome outcome, const struct http_answer *answer,
		   struct telegram_answer *out)
{
	struct json_object *o, *ok;

	*out = (struct telegram_answer){ .outcome = TELEGRAM_UNKNOWN,
					 .status = answer->status,
					 .description = "" };
	if (outcome == HTTP_NOT_SENT)
		out->outcome = TELEGRAM_UNREACHABLE;
	if (outcome != HTTP_ANSWERED)
		return;
	o = object_of(a, answer);
	if (!json_object_object_get_ex(o, "ok", &ok) || !json_object_is_type(ok, json_type_boolean))
		return; /* a proxy's page, or cut */
	if (json_object_get_boolean(ok) && answer->status == 200) {
		out->outcome = TELEGRAM_SENT;
		json_object_object_get_ex(o, "result", &out->result);
	} else if (!json_object_get_boolean(ok)) {
		out->status = (int)int_of(o, "error_code", answer->status);
		read_error(o, out);
	}
}

/* Whether the token can stand in a path as it is. */
static bool is_token(const struct secret *token)
{
	for (size_t i = 0; i < token->len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_-",
			    token->text[i]))
			return false;
	return token->text && token->len > 0;
}

void telegram_call(const struct telegram *t, struct arena *a, const char *method,
		   struct json_object *params, struct telegram_answer *out)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	struct http_call call = { .method = "POST",
				  .headers = headers,
				  .connect_ms = t->total_ms / 2,
				  .total_ms = t->total_ms,
				  .answer_max = ANSWER_BYTES_MAX };
	struct http_answer answer = { .body = "", .reason = "out of memory" };
	enum http_outcome outcome;

	arena_defer(a, put_json, params);
	if (!is_token(&t->token)) {
		log_error("setting TELEGRAM_BOT_TOKEN does not look like a token");
		*out = (struct telegram_answer){ .outcome = TELEGRAM_BAD_TOKEN, .description = "" };
		return;
	}
	call.url =
		arena_printf(a, "%s/bot%.*s/%s", t->base, (int)t->token.len, t->token.text, method);
	call.body =
		params ? json_object_to_json_string_ext(
				 params, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
		       : "{}";
	call.body_len = strlen(call.body);
	if (!http)
		http = http_new();
	outcome = http ? http_call(http, a, &call, &answer) : HTTP_NOT_SENT;
	telegram_read(a, outcome, &answer, out);
	log_info("telegram method=%s status=%d outcome=%s%s%s", method, out->status,
		 telegram_word(out->outcome), outcome == HTTP_ANSWERED ? "" : " reason=",
		 outcome == HTTP_ANSWERED ? "" : answer.reason);
}

/* {"inline_keyboard":[[{"text":...,"url":...}]]} */
static struct json_object *keyboard(const struct telegram_message *message)
{
	struct json_object *button = json_object_new_object();
	struct json_object *row = json_object_new_array(), *rows = json_object_new_array();
	struct json_object *markup = json_object_new_object();

	json_object_object_add(button, "text", json_object_new_string(message->button));
	json_object_object_add(button, "url", json_object_new_string(message->url));
	json_object_array_add(row, button);
	json_object_array_add(rows, row);
	json_object_object_add(markup, "inline_keyboard", rows);
	return markup;
}

void telegram_send(const struct telegram *t, struct arena *a,
		   const struct telegram_message *message, struct telegram_answer *out,
		   int64_t *message_id)
{
	struct json_object *params = json_object_new_object();
	struct json_object *preview = json_object_new_object();

	json_object_object_add(preview, "is_disabled", json_object_new_boolean(true));
	json_object_object_add(params, "chat_id", json_object_new_int64(message->chat_id));
	json_object_object_add(params, "text", json_object_new_string(message->text));
	json_object_object_add(params, "protect_content", json_object_new_boolean(true));
	json_object_object_add(params, "link_preview_options", preview);
	if (message->url)
		json_object_object_add(params, "reply_markup", keyboard(message));
	telegram_call(t, a, "sendMessage", params, out);
	*message_id = out->outcome == TELEGRAM_SENT ? int_of(out->result, "message_id", 0) : 0;
}
