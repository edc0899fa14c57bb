#ifndef TELEGRAM_WORDS_H
#define TELEGRAM_WORDS_H

#include <stdbool.h>

#include "arena.h"
#include "telegram.h"

/*
 * What the bot says, in the person's language (English, Arabic, Amharic), and
 * what a teacher is told about a message's fate. Plain text: links stand in
 * the button alone, so that no preview opens them.
 */

/* What a message speaks of; any may be NULL. Names come as they are stored. */
struct telegram_parts {
	const char *student, *teacher;
	const char *time; /* "10:02" */
};

/*
 * The text of a message of kind (as in messages.kind), and its button's, NULL
 * if it has none. language is a tag such as "ar-EG"; English where we do not
 * speak it. Both belong to the arena or are static.
 */
const char *telegram_text(struct arena *a, const char *kind, const char *language,
			  const struct telegram_parts *parts, const char **button);

/* The language we speak that tag stands for: "en", "ar", "am"; NULL if none or tag is NULL. */
const char *telegram_language(const char *tag);

/*
 * name as it may stand in a text: without control and direction characters,
 * and without becoming a link or a mention. "?" when nothing is left.
 */
const char *telegram_name(struct arena *a, const char *name);

/* The outcome as a word for the database: "sent", "blocked", ... */
const char *telegram_word(enum telegram_outcome outcome);

/* What outcome means for the teacher and what to do about it; NULL for TELEGRAM_SENT. */
const char *telegram_advice(enum telegram_outcome outcome);

/* Whether nothing will arrive in that chat until its person opens the bot anew. */
bool telegram_is_dead_chat(enum telegram_outcome outcome);

#endif
