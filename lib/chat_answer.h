#ifndef CHAT_ANSWER_H
#define CHAT_ANSWER_H

#include "app.h"
#include "chat.h"

/*
 * Answers 201 {"url","expires_at"}: a one-time deep link to the bot, which
 * makes the chat of whoever opens it that person's. field names the input that
 * said whose it is, NULL if it was nobody's choice.
 *
 * ERR_CONFLICT     no bot is configured, or Telegram does not accept it
 * ERR_NOT_FOUND    no such person
 * ERR_UNAVAILABLE  the bot's name is not known yet and Telegram cannot be asked
 */
MUST_CHECK enum err chat_answer_link(struct req *req, const struct chat_wish *want,
				     const char *field);

#endif
