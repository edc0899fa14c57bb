#ifndef TELEGRAM_H
#define TELEGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "conf.h"
#include "err.h"
#include "http.h"
#include "secret.h"

struct json_object;

/*
 * One call of Telegram's Bot API, and what its answer means. Says what
 * happened; what follows from it is lib/outbox.h's.
 *
 * The token stands in the URL, and descriptions can repeat a button's link:
 * the log gets the method and the status, nothing else.
 */
struct telegram {
	const char *base;
	struct secret token; /* the first of the setting's list; text NULL: no bot is configured */
	int total_ms;
};

/* Source: Bot API, "Making requests", and the official server's error texts. */
enum telegram_outcome {
	TELEGRAM_SENT,		/* done; result holds what Telegram answered */
	TELEGRAM_WAIT,		/* not done: asks for retry_after_s of silence */
	TELEGRAM_BLOCKED,	/* the person blocked the bot */
	TELEGRAM_DEACTIVATED,	/* the account is gone */
	TELEGRAM_NEVER_STARTED, /* the person never opened the bot */
	TELEGRAM_NO_CHAT,	/* no such chat, or its person never opened the bot */
	TELEGRAM_LEFT_GROUP,	/* the bot is out of the group, or the group is gone */
	TELEGRAM_FORBIDDEN,	/* any other refusal to write there */
	TELEGRAM_MIGRATED,	/* not done: the group lives on as chat_id */
	TELEGRAM_BAD_TOKEN,	/* not done: nobody's token; nothing else will work either */
	TELEGRAM_BAD_URL,	/* refused: Telegram does not take the button's address */
	TELEGRAM_REFUSED,	/* refused: our fault, or a method we should not call now */
	TELEGRAM_UNREACHABLE,	/* not done: the request never left */
	TELEGRAM_UNKNOWN,	/* it left; whether it was done cannot be known */
	TELEGRAM__MAX
};

struct telegram_answer {
	enum telegram_outcome outcome;
	int status;		 /* error_code, else HTTP's status; 0: no answer */
	const char *description; /* Telegram's words for an error, "" if none; may repeat a link */
	int64_t retry_after_s;	 /* WAIT: > 0 */
	int64_t chat_id;	 /* MIGRATED: the new one */
	struct json_object *result; /* SENT: may be NULL; belongs to the arena */
};

/* Calls end within total_ms. *out keeps pointers into conf. */
void telegram_open(struct telegram *out, const struct conf *conf, int total_ms);

/* Calls method with params, which are taken over (NULL: none). Not for programs that have many
 * requests at once. */
void telegram_call(const struct telegram *t, struct arena *a, const char *method,
		   struct json_object *params, struct telegram_answer *out);

/* A message as it is shown: plain text, and below it one button that opens a URL. */
struct telegram_message {
	int64_t chat_id;
	const char *text;
	const char *button, *url; /* NULL: none */
};

/* *message_id is Telegram's, 0 unless SENT. */
void telegram_send(const struct telegram *t, struct arena *a,
		   const struct telegram_message *message, struct telegram_answer *out,
		   int64_t *message_id);

/* What an answer means, as telegram_call() sees it. */
void telegram_read(struct arena *a, enum http_outcome outcome, const struct http_answer *answer,
		   struct telegram_answer *out);

#endif
