#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdint.h>

#include "db.h"
#include "telegram.h"

/*
 * Messages that wait for Telegram. A message is a row, written in the
 * transaction that makes it necessary; lib/outbox_send.h sends it. Shares the
 * SQL for "messages" and "deliveries" with it, and with lib/click.c, which
 * writes the teacher's message in its one statement.
 *
 * Everything here runs within the caller's open transaction.
 */

/*
 * SQL: the chat where message m belongs now, NULL when there is none: that of
 * its session's student (st) or teacher (t), who may have another by now, or
 * be disabled. An answer to an update belongs where it was asked.
 */
#define OUTBOX_HOME                                                                                \
	"CASE m.kind"                                                                              \
	" WHEN 'join_link' THEN CASE WHEN st.disabled_at IS NULL THEN st.telegram_chat_id END"     \
	" WHEN 'class_opened' THEN CASE WHEN t.disabled_at IS NULL THEN t.telegram_chat_id END"    \
	" ELSE m.chat_id END"
#define OUTBOX_HOME_TABLES                                                                         \
	" LEFT JOIN sessions s ON s.id = m.session_id"                                             \
	" LEFT JOIN students st ON st.id = s.student_id"                                           \
	" LEFT JOIN accounts t ON t.id = s.teacher_id"

/*
 * The message with the link of session_id, if its student has a chat. In a
 * chat where nothing arrives it has failed at once. Repeated, it changes
 * nothing.
 */
MUST_CHECK enum err outbox_add_join_link(struct db *db, struct arena *a, int64_t session_id);

/*
 * Tells the teacher of session_id, if they have a chat that lives, that the
 * class was opened. Repeated, it changes nothing. A click that reaches the
 * database does the same in its one statement: lib/click.c.
 */
MUST_CHECK enum err outbox_add_class_opened(struct db *db, struct arena *a, int64_t session_id);

/* The answer to an update; student_id 0: it names none. */
MUST_CHECK enum err outbox_add_reply(struct db *db, struct arena *a, const char *kind,
				     int64_t update_id, int64_t chat_id, int64_t student_id);

/*
 * The student says that their chat is now chat_id: links to classes that wait
 * to be opened go there, those that never went anywhere and those that arrived
 * in another chat too.
 */
MUST_CHECK enum err outbox_follow_student(struct db *db, struct arena *a, int64_t student_id,
					  int64_t chat_id);

/*
 * Messages that are still to be sent go where they belong (OUTBOX_HOME); where
 * that is nowhere they have failed, or stay unknown. Of one student's classes,
 * whose links that failed come back if there is a new way, or of all with 0.
 * What is being sent is left alone, and so is what was sent.
 */
MUST_CHECK enum err outbox_settle(struct db *db, struct arena *a, int64_t student_id);

/* Messages arrive in the chat again: links that failed there and still matter are due. */
MUST_CHECK enum err outbox_revive_chat(struct db *db, struct arena *a, int64_t chat_id);

/* Nothing arrives in the chat: what waits for it has failed, and nothing more is tried there. */
MUST_CHECK enum err outbox_kill_chat(struct db *db, struct arena *a, int64_t chat_id,
				     enum telegram_outcome why);

/* The chat lives on as to: its people and its messages follow. */
MUST_CHECK enum err outbox_migrate_chat(struct db *db, struct arena *a, int64_t from, int64_t to);

/*
 * Gives up what nobody needs any more: links to classes that were opened, are
 * over or have a newer link, answers that come too late. Of one student's
 * classes, or of all with 0. Adds their number to *n (may be NULL).
 */
MUST_CHECK enum err outbox_drop(struct db *db, struct arena *a, int64_t student_id, int64_t *n);

/* Messages that could be tried now, and all that are still to be sent. */
MUST_CHECK enum err outbox_due(struct db *db, struct arena *a, int64_t *due, int64_t *pending);

#endif
