#include <json-c/json.h>
#include <sodium.h>
#include <string.h>

#include "telegram_bot.h"

#define KEY_BYTES_USED	 16
#define USERNAME_LEN_MAX 64

static const char SQL_HOLD[] =
	"INSERT INTO telegram_bots AS b (key, hold_until)"
	" VALUES ($1, clock_now() + $2::bigint * interval '1 second')"
	" ON CONFLICT (key) DO UPDATE SET hold_until = greatest(b.hold_until, excluded.hold_until)";

static const char SQL_USERNAME[] =
	"SELECT username FROM telegram_bots WHERE key = $1 AND username IS NOT NULL";

static const char SQL_LEARN[] = "INSERT INTO telegram_bots (key, username) VALUES ($1, $2)"
				" ON CONFLICT (key) DO UPDATE SET username = excluded.username";

const char *telegram_bot_key(const struct telegram *t, struct arena *a)
{
	unsigned char hash[KEY_BYTES_USED];
	char *hex = arena_alloc(a, 2 * sizeof hash + 1);

	crypto_generichash(hash, sizeof hash, (const unsigned char *)t->token.text, t->token.len,
			   NULL, 0);
	return sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash);
}

enum err telegram_bot_hold(const struct telegram *t, struct db *db, struct arena *a,
			   int64_t seconds)
{
	const char *args[] = { telegram_bot_key(t, a), arena_int(a, seconds) };

	return db_write(db, a, SQL_HOLD, 2, args, NULL);
}

/* A name that can stand in a URL as it is; NULL if the answer holds none. */
static const char *username_of(const struct telegram_answer *answer)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	struct json_object *v;
	const char *name;

	if (!json_object_object_get_ex(answer->result, "username", &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	name = json_object_get_string(v);
	if (!*name || strlen(name) > USERNAME_LEN_MAX || name[strspn(name, allowed)])
		return NULL;
	return name;
}

static enum err ask(const struct telegram *t, struct arena *a, const char **out, struct why *why)
{
	struct telegram_answer answer;

	telegram_call(t, a, "getMe", NULL, &answer);
	if (answer.outcome == TELEGRAM_BAD_TOKEN)
		return why_not(why, ERR_CONFLICT, NULL,
			       "Telegram does not accept the bot's token. Correct the setting "
			       "TELEGRAM_BOT_TOKEN.");
	*out = answer.outcome == TELEGRAM_SENT ? username_of(&answer) : NULL;
	return *out ? OK
		    : why_not(why, ERR_UNAVAILABLE, NULL,
			      "Telegram cannot be asked now. Try again in a moment.");
}

enum err telegram_bot_username(const struct telegram *t, struct db *db, struct arena *a,
			       const char **out, struct why *why)
{
	const char *args[2];
	struct db_rows r;
	enum err e;

	if (!t->token.text)
		return why_not(why, ERR_CONFLICT, NULL,
			       "No Telegram bot is configured. Copy the class link to the student "
			       "instead, or set TELEGRAM_BOT_TOKEN.");
	args[0] = telegram_bot_key(t, a);
	e = db_read(db, a, SQL_USERNAME, 1, args, &r);
	if (e)
		return e;
	if (db_next(&r)) {
		*out = db_str(&r);
		return db_end(&r);
	}
	e = ask(t, a, out, why);
	args[1] = e ? NULL : *out;
	return e ? e : db_write(db, a, SQL_LEARN, 2, args, NULL);
}
