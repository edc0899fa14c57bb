#ifndef TELEGRAM_HOOK_H
#define TELEGRAM_HOOK_H

#include <stdio.h>

#include "arena.h"
#include "conf.h"
#include "err.h"

/*
 * The webhook as Telegram has it registered: what classclock-admin
 * telegram-webhook does. Each says on out what came of it, on standard error
 * why it failed.
 *
 * ERR_INVALID      a setting is missing or Telegram does not take it
 * ERR_CONFLICT     Telegram does not accept the bot's token
 * ERR_UNAVAILABLE  Telegram cannot be asked now
 */

/* Registers BASE_URL/api/telegram/webhook with TELEGRAM_WEBHOOK_SECRET's first. */
MUST_CHECK enum err telegram_hook_set(const struct conf *conf, struct arena *a, FILE *out);

/* Shows what is registered, what waits there, and the last error that Telegram met. */
MUST_CHECK enum err telegram_hook_show(const struct conf *conf, struct arena *a, FILE *out);

MUST_CHECK enum err telegram_hook_delete(const struct conf *conf, struct arena *a, FILE *out);

#endif
