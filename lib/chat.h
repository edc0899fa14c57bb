#ifndef CHAT_H
#define CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "telegram_update.h"

/*
 * Which Telegram chat is whose. A person links a chat by a one-time code that
 * travels in a deep link. Owns the SQL for "chat_codes" and "telegram_updates".
 */

/* How long a code can be used, days, while its maker may link the person. */
#define CHAT_CODE_DAYS 7

/* Whose chat it will be: a student's or a teacher's. */
struct chat_wish {
	int64_t student_id, account_id; /* one of them; the other is 0 */
	int64_t teacher_id;		/* of the student; 0: any */
	int64_t made_by;
};

struct chat_code {
	const char *code;	/* 43 characters of base64url */
	const char *expires_at; /* RFC 3339 */
};

/* ERR_NOT_FOUND: no such student of that teacher, no such teacher, or disabled. */
MUST_CHECK enum err chat_make_code(struct db *db, struct arena *a, const struct chat_wish *want,
				   struct chat_code *out);

/*
 * Takes in an update: once, however often it comes. *replied: a reply to it
 * waits in the outbox.
 */
MUST_CHECK enum err chat_take(struct db *db, struct arena *a, const struct update *update,
			      bool *replied);

/* Notes that an update came that nothing can be made of, so that it is not taken in again. */
MUST_CHECK enum err chat_skip(struct db *db, struct arena *a, int64_t update_id);

#endif
