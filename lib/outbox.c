#include "outbox.h"
#include "telegram_words.h"

/* Whether the link of session s still has to reach its student. */
#define WAITS                                                                                      \
	"(s.session_status = 'sent' AND s.superseded_by IS NULL"                                   \
	" AND clock_now() < s.sent_at + s.link_hours * interval '1 hour')"

static const char SQL_ADD_JOIN_LINK[] =
	"WITH made AS ("
	" INSERT INTO messages (kind, session_id, chat_id, state, outcome, detail, next_at)"
	" SELECT 'join_link', s.id, st.telegram_chat_id,"
	"  CASE WHEN c.dead IS NULL THEN 'queued' ELSE 'failed' END, c.dead, c.dead_detail,"
	"  CASE WHEN c.dead IS NULL THEN clock_now() END"
	" FROM sessions s JOIN students st ON st.id = s.student_id"
	" LEFT JOIN telegram_chats c ON c.chat_id = st.telegram_chat_id"
	" WHERE s.id = $1::bigint AND st.telegram_chat_id IS NOT NULL"
	" ON CONFLICT (session_id, kind) DO NOTHING"
	" RETURNING id, chat_id, state, outcome, detail)"
	" INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome, detail)"
	" SELECT id, chat_id, 0, state, outcome, detail FROM made WHERE state = 'failed'";

static const char SQL_ADD_CLASS_OPENED[] =
	"INSERT INTO messages (kind, session_id, chat_id)"
	" SELECT 'class_opened', s.id, t.telegram_chat_id"
	" FROM sessions s JOIN accounts t ON t.id = s.teacher_id"
	" LEFT JOIN telegram_chats c ON c.chat_id = t.telegram_chat_id"
	" WHERE s.id = $1::bigint AND t.telegram_chat_id IS NOT NULL AND c.dead IS NULL"
	" ON CONFLICT (session_id, kind) DO NOTHING";

static const char SQL_ADD_REPLY[] =
	"INSERT INTO messages (kind, update_id, chat_id, student_id)"
	" VALUES ($1, $2::bigint, $3::bigint, $4::bigint) ON CONFLICT (update_id) DO NOTHING";

/* A link that did arrive in the old chat is sent to the new one as well: that is where the student
 * is. */
static const char SQL_FOLLOW[] =
	"INSERT INTO messages AS m (kind, session_id, chat_id)"
	" SELECT 'join_link', s.id, $2::bigint FROM sessions s"
	" WHERE s.student_id = $1::bigint AND " WAITS
	" ON CONFLICT (session_id, kind) DO UPDATE SET chat_id = excluded.chat_id,"
	"  state = 'queued', outcome = NULL, detail = NULL, next_at = clock_now(),"
	"  changed_at = clock_now()"
	" WHERE (m.next_at IS NULL AND m.state <> 'sent') OR (m.chat_id <> excluded.chat_id"
	"  AND m.state <> 'sending')";

/* Why a message belongs nowhere. */
#define HOMELESS "('unlinked', 'disabled')"

/*
 * Of those that are not to be sent any more only what failed or was given up
 * for want of a home, or in another one, is taken up again. In doubt is only
 * what may have arrived in the chat where it belongs.
 */
static const char SQL_SETTLE[] =
	"WITH stray AS ("
	" SELECT m.id, m.chat_id AS was_in, m.state AS was, h.home, h.home = m.chat_id AS stays,"
	"  CASE WHEN h.home IS NOT NULL THEN c.dead"
	"   WHEN CASE m.kind WHEN 'join_link' THEN st.disabled_at ELSE t.disabled_at END IS NULL"
	"   THEN 'unlinked' ELSE 'disabled' END AS why, c.dead_detail"
	" FROM messages m" OUTBOX_HOME_TABLES " CROSS JOIN LATERAL (SELECT " OUTBOX_HOME
	"  AS home) h LEFT JOIN telegram_chats c ON c.chat_id = h.home"
	" WHERE ($1::bigint IS NULL OR s.student_id = $1::bigint)"
	"  AND (m.chat_id IS DISTINCT FROM h.home OR m.outcome IN " HOMELESS ")"
	"  AND (m.next_at IS NOT NULL OR ($1::bigint IS NOT NULL AND m.kind = 'join_link'"
	"   AND m.state IN ('failed', 'unknown') AND h.home IS NOT NULL AND " WAITS "))"
	"  AND (m.state <> 'sending' OR m.next_at <= clock_now())"
	" FOR UPDATE OF m SKIP LOCKED"
	"), settled AS ("
	" UPDATE messages m SET chat_id = coalesce(home, was_in), outcome = why,"
	"  state = CASE WHEN why IS NULL AND NOT (stays AND was = 'unknown') THEN 'queued'"
	"   WHEN was IN ('unknown', 'sending') AND stays IS NOT FALSE THEN 'unknown' ELSE 'failed' "
	"END,"
	"  detail = CASE why WHEN 'unlinked' THEN 'The chat was removed before Telegram had "
	"confirmed"
	" the message. Send the link yourself, or link a chat anew.'"
	"   WHEN 'disabled' THEN 'Whom it was for was disabled before Telegram had confirmed the"
	" message.' ELSE dead_detail END,"
	"  next_at = CASE WHEN why IS NULL THEN clock_now() END, changed_at = clock_now()"
	" FROM stray WHERE m.id = stray.id"
	" RETURNING m.id, was_in, was, m.attempts, m.state, m.outcome, m.detail)"
	" INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome, detail)"
	" SELECT id, was_in, attempts, CASE WHEN outcome IS NULL THEN 'unknown' ELSE state END,"
	"  coalesce(outcome, 'interrupted'), coalesce(detail, 'Its sender was interrupted.')"
	" FROM settled WHERE outcome IS NOT NULL OR was = 'sending'";

static const char SQL_WAKE[] =
	"INSERT INTO telegram_chats AS c (chat_id) VALUES ($1::bigint)"
	" ON CONFLICT (chat_id) DO UPDATE SET dead = NULL, dead_detail = NULL, hold_until = NULL"
	" WHERE c.dead IS NOT NULL";

static const char SQL_REVIVE[] =
	"UPDATE messages m SET state = 'queued', outcome = NULL, detail = NULL,"
	" next_at = clock_now(), changed_at = clock_now()"
	" FROM sessions s JOIN students st ON st.id = s.student_id"
	" WHERE m.chat_id = $1::bigint AND m.kind = 'join_link' AND m.state = 'failed'"
	" AND s.id = m.session_id AND st.telegram_chat_id = $1::bigint"
	" AND st.disabled_at IS NULL AND " WAITS;

static const char SQL_KILL[] =
	"INSERT INTO telegram_chats (chat_id, dead, dead_detail) VALUES ($1::bigint, $2, $3)"
	" ON CONFLICT (chat_id) DO UPDATE SET dead = excluded.dead,"
	"  dead_detail = excluded.dead_detail";

/* One that is being sent learns its fate from its sender. */
static const char SQL_FAIL_ALL[] =
	"WITH failed AS ("
	" UPDATE messages SET state = 'failed', outcome = $2, detail = $3, next_at = NULL,"
	"  changed_at = clock_now()"
	" WHERE chat_id = $1::bigint AND next_at IS NOT NULL AND state <> 'sending'"
	" RETURNING id, attempts)"
	" INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome, detail)"
	" SELECT id, $1::bigint, attempts, 'failed', $2, $3 FROM failed";

static const char *const SQL_MIGRATE[] = {
	"UPDATE students SET telegram_chat_id = $2::bigint WHERE telegram_chat_id = $1::bigint",
	"UPDATE accounts SET telegram_chat_id = $2::bigint WHERE telegram_chat_id = $1::bigint",
	("UPDATE messages SET chat_id = $2::bigint"
	 " WHERE chat_id = $1::bigint AND next_at IS NOT NULL"),
	/* The codes that linked it, and whose language is spoken there: lib/chat.h. */
	"UPDATE chat_codes SET chat_id = $2::bigint WHERE chat_id = $1::bigint",
	("INSERT INTO telegram_chats AS c (chat_id, language)"
	 " SELECT $2::bigint, language FROM telegram_chats WHERE chat_id = $1::bigint"
	 "  AND language IS NOT NULL"
	 " ON CONFLICT (chat_id) DO UPDATE SET language = excluded.language"
	 " WHERE c.language IS NULL"),
};

/*
 * Of a message that may have arrived nobody can say that it was not sent. Rows
 * that somebody holds are left alone: they are looked at again.
 */
static const char SQL_DROP[] =
	"WITH over AS ("
	" SELECT m.id FROM messages m LEFT JOIN sessions s ON s.id = m.session_id"
	" WHERE m.next_at IS NOT NULL AND (m.state <> 'sending' OR m.next_at <= clock_now())"
	" AND ($1::bigint IS NULL OR s.student_id = $1::bigint)"
	" AND CASE m.kind WHEN 'join_link' THEN NOT " WAITS
	"  WHEN 'class_opened' THEN s.session_status <> 'active'"
	"  ELSE m.created_at < clock_now() - interval '10 minutes' END"
	" FOR UPDATE OF m SKIP LOCKED"
	"), dropped AS ("
	" UPDATE messages m SET next_at = NULL, changed_at = clock_now(),"
	"  state = CASE WHEN state IN ('unknown', 'sending') THEN 'unknown' ELSE 'dropped' END,"
	"  outcome = 'obsolete', detail = 'It was no longer needed: the class had been opened, had "
	"a newer link, or was over.'"
	" FROM over WHERE m.id = over.id RETURNING m.id, m.chat_id, m.attempts, m.state, m.detail)"
	" INSERT INTO deliveries (message_id, chat_id, attempt, state, outcome, detail)"
	" SELECT id, chat_id, attempts, state, 'obsolete', detail FROM dropped";

static const char SQL_DUE[] =
	"SELECT count(*) FILTER (WHERE next_at <= clock_now()), count(*) FROM messages"
	" WHERE next_at IS NOT NULL";

enum err outbox_add_join_link(struct db *db, struct arena *a, int64_t session_id)
{
	const char *args[] = { arena_int(a, session_id) };

	return db_write(db, a, SQL_ADD_JOIN_LINK, 1, args, NULL);
}

enum err outbox_add_class_opened(struct db *db, struct arena *a, int64_t session_id)
{
	const char *args[] = { arena_int(a, session_id) };

	return db_write(db, a, SQL_ADD_CLASS_OPENED, 1, args, NULL);
}

enum err outbox_add_reply(struct db *db, struct arena *a, const char *kind, int64_t update_id,
			  int64_t chat_id, int64_t student_id)
{
	const char *args[] = { kind, arena_int(a, update_id), arena_int(a, chat_id),
			       student_id ? arena_int(a, student_id) : NULL };

	return db_write(db, a, SQL_ADD_REPLY, 4, args, NULL);
}

enum err outbox_follow_student(struct db *db, struct arena *a, int64_t student_id, int64_t chat_id)
{
	const char *args[] = { arena_int(a, student_id), arena_int(a, chat_id) };

	return db_write(db, a, SQL_FOLLOW, 2, args, NULL);
}

enum err outbox_settle(struct db *db, struct arena *a, int64_t student_id)
{
	const char *args[] = { student_id ? arena_int(a, student_id) : NULL };

	return db_write(db, a, SQL_SETTLE, 1, args, NULL);
}

enum err outbox_revive_chat(struct db *db, struct arena *a, int64_t chat_id)
{
	const char *args[] = { arena_int(a, chat_id) };
	enum err e = db_write(db, a, SQL_WAKE, 1, args, NULL);

	return e ? e : db_write(db, a, SQL_REVIVE, 1, args, NULL);
}

enum err outbox_kill_chat(struct db *db, struct arena *a, int64_t chat_id,
			  enum telegram_outcome why)
{
	const char *args[] = { arena_int(a, chat_id), telegram_word(why), telegram_advice(why) };
	enum err e = db_write(db, a, SQL_KILL, 3, args, NULL);

	return e ? e : db_write(db, a, SQL_FAIL_ALL, 3, args, NULL);
}

enum err outbox_migrate_chat(struct db *db, struct arena *a, int64_t from, int64_t to)
{
	const char *args[] = { arena_int(a, from), arena_int(a, to) };
	enum err e = OK;

	for (size_t i = 0; i < sizeof SQL_MIGRATE / sizeof *SQL_MIGRATE && !e; i++)
		e = db_write(db, a, SQL_MIGRATE[i], 2, args, NULL);
	return e;
}

enum err outbox_drop(struct db *db, struct arena *a, int64_t student_id, int64_t *n)
{
	const char *args[] = { student_id ? arena_int(a, student_id) : NULL };
	struct db_rows r;
	enum err e = db_write(db, a, SQL_DROP, 1, args, &r);

	if (!e && n)
		*n += db_affected(&r);
	return e;
}

enum err outbox_due(struct db *db, struct arena *a, int64_t *due, int64_t *pending)
{
	struct db_rows r;
	enum err e = db_read(db, a, SQL_DUE, 0, NULL, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*due = db_i64(&r);
	*pending = db_i64(&r);
	return db_end(&r);
}
