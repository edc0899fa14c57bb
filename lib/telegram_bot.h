#ifndef TELEGRAM_BOT_H
#define TELEGRAM_BOT_H

#include "db.h"
#include "telegram.h"

/* What is known of the bot behind the token. Owns the SQL for "telegram_bots". */

/* The bot's key in the database: a hash of its token, which is stored nowhere. */
const char *telegram_bot_key(const struct telegram *t, struct arena *a);

/* Telegram asks for seconds of silence in all chats. */
MUST_CHECK enum err telegram_bot_hold(const struct telegram *t, struct db *db, struct arena *a,
				      int64_t seconds);

/*
 * The name behind t.me/: asked for once, then kept. Not within a transaction.
 *
 * ERR_CONFLICT     no bot is configured, or Telegram does not accept it; *why says which
 * ERR_UNAVAILABLE  Telegram cannot be asked now
 */
MUST_CHECK enum err telegram_bot_username(const struct telegram *t, struct db *db, struct arena *a,
					  const char **out, struct why *why);

#endif
