#ifndef TELEGRAM_UPDATE_H
#define TELEGRAM_UPDATE_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

/*
 * An update as Telegram posts it, down to what we act upon. Pure: text in,
 * values out. Whatever else an update holds is ignored.
 */
enum update_kind {
	UPDATE_OTHER,	 /* nothing for us */
	UPDATE_START,	 /* someone opened the bot, perhaps by a deep link */
	UPDATE_BLOCKED,	 /* the bot cannot write to the chat any more */
	UPDATE_BACK,	 /* it can again */
	UPDATE_MIGRATED, /* the group lives on under another id */
};

struct update {
	int64_t id;
	enum update_kind kind;
	int64_t chat_id;     /* 0 with OTHER */
	int64_t new_chat_id; /* MIGRATED */
	const char *code;    /* START: the deep link's, NULL if none; base64url's alphabet, 1..64 */
	const char *language; /* the person's, one we speak; NULL: unknown. Static */
};

/*
 * Fills *out from the len bytes of text. ERR_INVALID: not a JSON object with an
 * update_id: nothing can be done with it, now or later.
 */
MUST_CHECK enum err update_parse(struct arena *a, const char *text, size_t len, struct update *out);

/* The kind as a word. */
const char *update_word(enum update_kind kind);

#endif
