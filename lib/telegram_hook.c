#include <json-c/json.h>
#include <string.h>

#include "log.h"
#include "secret.h"
#include "telegram.h"
#include "telegram_hook.h"
#include "utf8.h"
#include "when.h"

#define TELEGRAM_MS	10000
#define PATH		"/api/telegram/webhook"
#define CONNECTIONS_MAX 10

/* What a secret may consist of. Source: Bot API, "setWebhook". */
#define SECRET_LEN_MAX	256
#define SECRET_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

#define WORDS_BYTES_MAX 300

static enum err call(const struct conf *conf, struct arena *a, const char *method,
		     struct json_object *params, struct telegram_answer *out)
{
	struct telegram telegram;

	telegram_open(&telegram, conf, TELEGRAM_MS);
	if (!telegram.token.text) {
		json_object_put(params);
		log_error("setting TELEGRAM_BOT_TOKEN is missing");
		return ERR_INVALID;
	}
	telegram_call(&telegram, a, method, params, out);
	switch (out->outcome) {
	case TELEGRAM_SENT:
		return OK;
	case TELEGRAM_BAD_TOKEN:
		log_error("Telegram does not accept the bot's token: correct TELEGRAM_BOT_TOKEN");
		return ERR_CONFLICT;
	case TELEGRAM_WAIT:
	case TELEGRAM_UNREACHABLE:
	case TELEGRAM_UNKNOWN:
		log_error("Telegram cannot be asked now; try again in a moment");
		return ERR_UNAVAILABLE;
	default:
		log_error("Telegram: %s", utf8_clean(a, out->description, WORDS_BYTES_MAX));
		return ERR_INVALID;
	}
}

static const char *url_of(const struct conf *conf, struct arena *a)
{
	return arena_printf(a, "%s" PATH, conf->base_url);
}

enum err telegram_hook_set(const struct conf *conf, struct arena *a, FILE *out)
{
	const char *list = conf->telegram_webhook_secret;
	struct json_object *params, *kinds;
	struct telegram_answer answer;
	struct secret secret = { 0 };
	const char *text;
	enum err e;

	(void)secret_next(&list, &secret);
	text = arena_copy(a, secret.text ? secret.text : "", secret.len);
	if (!secret.len || secret.len > SECRET_LEN_MAX || text[strspn(text, SECRET_ALPHABET)]) {
		log_error("setting TELEGRAM_WEBHOOK_SECRET is missing or malformed: it must be 1 "
			  "to %d letters, digits, _ and -",
			  SECRET_LEN_MAX);
		return ERR_INVALID;
	}
	params = json_object_new_object();
	kinds = json_object_new_array();
	json_object_array_add(kinds, json_object_new_string("message"));
	json_object_array_add(kinds, json_object_new_string("my_chat_member"));
	json_object_object_add(params, "url", json_object_new_string(url_of(conf, a)));
	json_object_object_add(params, "secret_token", json_object_new_string(text));
	json_object_object_add(params, "allowed_updates", kinds);
	json_object_object_add(params, "max_connections", json_object_new_int(CONNECTIONS_MAX));
	e = call(conf, a, "setWebhook", params, &answer);
	if (!e)
		fprintf(out, "set: %s\n", url_of(conf, a));
	return e;
}

/* The member as text, cleaned for a terminal; fallback if it is absent. */
static const char *shown(struct arena *a, struct json_object *o, const char *name,
			 const char *fallback)
{
	struct json_object *v;
	const char *text;

	if (!json_object_object_get_ex(o, name, &v))
		return fallback;
	text = json_object_get_string(v);
	return text && *text ? utf8_clean(a, text, WORDS_BYTES_MAX) : fallback;
}

/* When it was, if Telegram says so: it may be long over. */
static const char *error_moment(struct arena *a, struct json_object *o)
{
	struct json_object *v;
	int64_t s = 0;

	if (json_object_object_get_ex(o, "last_error_date", &v))
		s = json_object_get_int64(v);
	return s > 0 && s <= WHEN_MAX_US / 1000000
		       ? arena_printf(a, " (%s)", when_text(a, s * 1000000))
		       : "";
}

enum err telegram_hook_show(const struct conf *conf, struct arena *a, FILE *out)
{
	struct telegram_answer answer;
	const char *url;
	enum err e = call(conf, a, "getWebhookInfo", NULL, &answer);

	if (e)
		return e;
	url = shown(a, answer.result, "url", "");
	if (!*url)
		fputs("url: none is set\n", out);
	else
		fprintf(out, "url: %s%s\n", url,
			strcmp(url, url_of(conf, a)) != 0 ? " (not this server's)" : "");
	fprintf(out, "pending updates: %s\n", shown(a, answer.result, "pending_update_count", "0"));
	fprintf(out, "last error: %s%s\n", shown(a, answer.result, "last_error_message", "none"),
		error_moment(a, answer.result));
	return OK;
}

enum err telegram_hook_delete(const struct conf *conf, struct arena *a, FILE *out)
{
	struct telegram_answer answer;
	enum err e = call(conf, a, "deleteWebhook", NULL, &answer);

	if (!e)
		fputs("deleted\n", out);
	return e;
}
