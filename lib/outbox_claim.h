#ifndef OUTBOX_CLAIM_H
#define OUTBOX_CLAIM_H

#include "outbox_send.h"
#include "telegram_words.h"

/*
 * One message from being taken to being done with. What lib/outbox_send.h
 * promises about order, pace and silence holds here, in one statement.
 */

/* A message that this process has taken to send. */
struct claim {
	int64_t id, attempt;
	bool doubtful; /* an earlier attempt may have arrived */
	bool migrated;
	int64_t chat_id;
	const char *kind;
	int64_t session_id; /* 0: none */
	const char *language;
	struct telegram_parts parts;
};

/*
 * Takes a due message, or message (0: any) if it can be tried now, for as long
 * as a call may last and some time more. With slots, only while fewer than
 * that are being sent. ERR_NOT_FOUND: nothing can be tried now.
 */
MUST_CHECK enum err claim_take(const struct outbox *o, struct arena *a, int64_t message, int slots,
			       struct claim *out);

/*
 * How long, in ms (below 1: it is due), until message (0: the first of all)
 * can be taken, and whether it is being sent. ERR_NOT_FOUND: it is done, waits
 * behind another in its chat, or its chat is dead.
 */
MUST_CHECK enum err claim_wait(const struct outbox *o, struct arena *a, int64_t message,
			       int64_t *ms, bool *is_sending);

/*
 * Sends what was taken and writes down what became of it; while the database
 * is away it is tried for record_ms, for what Telegram has done is known here
 * alone. *state is the message's from then on.
 */
MUST_CHECK enum err claim_deliver(const struct outbox *o, struct arena *a, const struct claim *c,
				  int record_ms, struct telegram_answer *answer,
				  const char **state);

/* Sleeps; a signal ends it early. */
void pause_ms(int64_t ms);

#endif
