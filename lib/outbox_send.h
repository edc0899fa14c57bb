#ifndef OUTBOX_SEND_H
#define OUTBOX_SEND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "keys.h"
#include "telegram.h"

/*
 * Sends the messages of lib/outbox.h: the request that wrote one tries it at
 * once, the job telegram-outbox takes care of whatever is left.
 *
 * A message is tried by one sender at a time, in order within its chat and at
 * most once a second there. Nothing is lost: a sender that dies leaves a row
 * whose time runs out. A message is sent twice only where it cannot be known
 * whether it was sent, and then with the same link.
 */
struct outbox {
	struct db *db;
	const struct conf *conf;
	const struct keys *keys;
	struct telegram telegram;
};

/* A call of Telegram may take total_ms. */
void outbox_open(struct outbox *out, struct db *db, const struct conf *conf,
		 const struct keys *keys, int total_ms);

/*
 * Tries the message with the link of session_id, or the reply to update_id
 * after what waits in its chat before it, once, for about as long as a call may
 * take; does nothing without a bot. What could not be sent is left to the job.
 * Not within a transaction. Reports nothing: the rows tell what became of the
 * messages.
 */
void outbox_try_link(const struct outbox *o, struct arena *a, int64_t session_id);
void outbox_try_reply(const struct outbox *o, struct arena *a, int64_t update_id);

/* What a run did: messages by what became of them. */
struct outbox_run {
	int64_t sent, unknown, failed, queued, dropped;
	int64_t duration_ms;
};

/*
 * Sends what is due, and what comes due shortly, until nothing is left for the
 * moment, Telegram stops answering, or *stop is set. Safe beside itself.
 * Records the run.
 *
 * ERR_CONFLICT  Telegram does not accept the bot's token; the run ended there
 */
MUST_CHECK enum err outbox_run(const struct outbox *o, const volatile sig_atomic_t *stop,
			       struct outbox_run *out);

#endif
