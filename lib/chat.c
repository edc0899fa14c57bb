#include <stdlib.h>

#include "chat.h"
#include "login.h"
#include "outbox.h"

static const char SQL_MAKE_CODE[] =
	"INSERT INTO chat_codes (code_hash, student_id, account_id, made_by, expires_at)"
	" SELECT $1::bytea, st.id, t.id, $5::bigint, clock_now() + $6::bigint * interval '1 day'"
	" FROM (VALUES (1)) one"
	" LEFT JOIN students st ON st.id = $2::bigint AND st.disabled_at IS NULL"
	"  AND ($4::bigint IS NULL OR st.teacher_id = $4::bigint)"
	" LEFT JOIN accounts t ON t.id = $3::bigint AND t.role = 'teacher' AND t.disabled_at IS "
	"NULL"
	" WHERE st.id IS NOT NULL OR t.id IS NOT NULL"
	" RETURNING rfc3339(expires_at)";

static const char SQL_TAKE[] =
	"INSERT INTO telegram_updates (update_id, outcome) VALUES ($1::bigint, $2)"
	" ON CONFLICT (update_id) DO NOTHING";

static const char SQL_LEARN_LANGUAGE[] =
	"INSERT INTO telegram_chats (chat_id, language) VALUES ($1::bigint, $2)"
	" ON CONFLICT (chat_id) DO UPDATE SET language = excluded.language";

/* Whose code it is. Held until the end, so that nobody disables them or changes their chat
 * meanwhile. */
static const char SQL_LOCK_PERSON[] =
	"WITH code AS (SELECT student_id, account_id FROM chat_codes WHERE code_hash = $1::bytea"
	"), student AS ("
	" SELECT id FROM students WHERE id = (SELECT student_id FROM code)"
	" AND disabled_at IS NULL FOR NO KEY UPDATE"
	"), teacher AS ("
	" SELECT id FROM accounts WHERE id = (SELECT account_id FROM code)"
	" AND disabled_at IS NULL FOR NO KEY UPDATE)"
	" SELECT coalesce((SELECT id FROM student), 0), coalesce((SELECT id FROM teacher), 0)";

/* A code is worth what its maker may still do: who lost the student or the account links nobody. */
static const char SQL_USE_CODE[] =
	"UPDATE chat_codes c SET used_at = clock_now(), chat_id = $2::bigint FROM accounts maker"
	" WHERE c.code_hash = $1::bytea AND c.used_at IS NULL AND c.expires_at > clock_now()"
	" AND maker.id = c.made_by AND maker.disabled_at IS NULL"
	" AND (maker.role = 'admin' OR maker.id = c.account_id OR maker.id ="
	" (SELECT teacher_id FROM students WHERE id = c.student_id))";

/* Whether the code made this chat theirs, and it still is. */
static const char SQL_STILL_THEIRS[] =
	"SELECT EXISTS (SELECT FROM chat_codes c"
	" LEFT JOIN students s ON s.id = c.student_id LEFT JOIN accounts t ON t.id = c.account_id"
	" WHERE c.code_hash = $1::bytea AND c.chat_id = $2::bigint"
	" AND coalesce(s.telegram_chat_id, t.telegram_chat_id) = $2::bigint)::integer";

/* Their other codes are worth nothing from now on: a link that was forgotten takes no chat over. */
static const char SQL_VOID_CODES[] =
	"UPDATE chat_codes SET used_at = clock_now() WHERE used_at IS NULL"
	" AND (student_id = $1::bigint OR account_id = $2::bigint)";

static const char SQL_BIND_STUDENT[] =
	"UPDATE students SET telegram_chat_id = $2::bigint WHERE id = $1::bigint";

static const char SQL_BIND_TEACHER[] =
	"UPDATE accounts SET telegram_chat_id = $2::bigint WHERE id = $1::bigint";

static const char SQL_WHOSE[] =
	"SELECT coalesce((SELECT min(id) FROM students WHERE telegram_chat_id = $1::bigint), 0),"
	" EXISTS (SELECT FROM accounts WHERE telegram_chat_id = $1::bigint)";

enum err chat_make_code(struct db *db, struct arena *a, const struct chat_wish *want,
			struct chat_code *out)
{
	const char *args[] = { NULL,
			       want->student_id ? arena_int(a, want->student_id) : NULL,
			       want->account_id ? arena_int(a, want->account_id) : NULL,
			       want->teacher_id ? arena_int(a, want->teacher_id) : NULL,
			       arena_int(a, want->made_by),
			       arena_int(a, CHAT_CODE_DAYS) };
	struct db_rows r;
	enum err e;

	out->code = token_make(a);
	args[0] = token_hash(a, out->code);
	e = db_write(db, a, SQL_MAKE_CODE, 6, args, &r);
	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	out->expires_at = db_str(&r);
	return db_end(&r);
}

static enum err bind(struct db *db, struct arena *a, const struct update *u, int64_t student_id,
		     int64_t account_id)
{
	const char *person[] = { arena_int(a, student_id), arena_int(a, account_id) };
	const char *chat[] = { student_id ? person[0] : person[1], arena_int(a, u->chat_id) };
	enum err e = db_write(db, a, SQL_VOID_CODES, 2, person, NULL);

	if (!e)
		e = db_write(db, a, student_id ? SQL_BIND_STUDENT : SQL_BIND_TEACHER, 2, chat,
			     NULL);
	if (!e && student_id)
		e = outbox_follow_student(db, a, student_id, u->chat_id);
	return e;
}

static enum err lock_person(struct db *db, struct arena *a, const char *const *code,
			    int64_t *student_id, int64_t *account_id)
{
	struct db_rows r;
	enum err e = db_write(db, a, SQL_LOCK_PERSON, 1, code, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*student_id = db_i64(&r);
	*account_id = db_i64(&r);
	return db_end(&r);
}

/*
 * Who the code makes of the chat; both 0: it is no good. It links once; a later
 * tap is answered as the first was while the chat is theirs, and links nobody.
 */
static enum err use_code(struct db *db, struct arena *a, const struct update *u,
			 int64_t *student_id, int64_t *account_id)
{
	const char *args[] = { token_hash(a, u->code), arena_int(a, u->chat_id) };
	int64_t theirs = 0;
	struct db_rows r;
	enum err e = lock_person(db, a, args, student_id, account_id);

	if (e || !(*student_id | *account_id))
		return e;
	e = db_write(db, a, SQL_USE_CODE, 2, args, &r);
	if (e)
		return e;
	if (db_affected(&r))
		return bind(db, a, u, *student_id, *account_id);
	e = db_read(db, a, SQL_STILL_THEIRS, 2, args, &r);
	if (!e)
		e = db_one_i64(&r, &theirs);
	if (!theirs)
		*student_id = *account_id = 0;
	return e;
}

/* Who the chat belongs to already. */
static enum err look_up(struct db *db, struct arena *a, int64_t chat_id, int64_t *student_id,
			int64_t *account_id)
{
	const char *args[] = { arena_int(a, chat_id) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL_WHOSE, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*student_id = db_i64(&r);
	*account_id = db_bool(&r);
	return db_end(&r);
}

static enum err start(struct db *db, struct arena *a, const struct update *u)
{
	const char *language[] = { arena_int(a, u->chat_id), u->language };
	int64_t student_id, account_id;
	const char *kind = u->code ? "bad_code" : "welcome";
	enum err e;

	/* The person first: their row is locked before any message, here as elsewhere. */
	if (u->code)
		e = use_code(db, a, u, &student_id, &account_id);
	else
		e = look_up(db, a, u->chat_id, &student_id, &account_id);
	if (!e)
		e = outbox_revive_chat(db, a, u->chat_id);
	if (!e && u->language)
		e = db_write(db, a, SQL_LEARN_LANGUAGE, 2, language, NULL);
	if (e)
		return e;
	if (student_id)
		kind = "student_linked";
	else if (account_id)
		kind = "teacher_linked";
	return outbox_add_reply(db, a, kind, u->id, u->chat_id, student_id);
}

static enum err act(struct db *db, struct arena *a, const struct update *u)
{
	switch (u->kind) {
	case UPDATE_START:
		return start(db, a, u);
	case UPDATE_BLOCKED:
		return outbox_kill_chat(db, a, u->chat_id,
					u->chat_id > 0 ? TELEGRAM_BLOCKED : TELEGRAM_LEFT_GROUP);
	case UPDATE_BACK:
		return outbox_revive_chat(db, a, u->chat_id);
	case UPDATE_MIGRATED:
		return outbox_migrate_chat(db, a, u->chat_id, u->new_chat_id);
	case UPDATE_OTHER:
		break;
	}
	return OK;
}

/* *is_new: it has not been here before. */
static enum err note(struct db *db, struct arena *a, int64_t update_id, const char *outcome,
		     bool *is_new)
{
	const char *args[] = { arena_int(a, update_id), outcome };
	struct db_rows r;
	enum err e = db_write(db, a, SQL_TAKE, 2, args, &r);

	*is_new = !e && db_affected(&r) == 1;
	return e;
}

enum err chat_take(struct db *db, struct arena *a, const struct update *update, bool *replied)
{
	bool is_new;
	enum err e = db_begin(db);

	if (e)
		return e;
	e = note(db, a, update->id, update_word(update->kind), &is_new);
	if (!e && is_new)
		e = act(db, a, update);
	*replied = is_new && update->kind == UPDATE_START;
	return db_finish(db, e);
}

enum err chat_skip(struct db *db, struct arena *a, int64_t update_id)
{
	bool is_new;

	return note(db, a, update_id, "skipped", &is_new);
}
