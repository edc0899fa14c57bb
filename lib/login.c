#include <sodium.h>
#include <string.h>

#include "db_input.h"
#include "login.h"

#define TOKEN_BYTES	32
#define TOKEN_TEXT_MAX	64	   /* longer ones are nobody's */
#define ACTED_GRAIN_MIN "1 minute" /* acted_at is written at most so often */

static const char SQL_FIND[] = "SELECT a.id, a.role = 'admin', a.name, a.email,"
			       " l.acted_at < clock_now() - interval '" ACTED_GRAIN_MIN "'"
			       " FROM logins l JOIN accounts a ON a.id = l.account_id"
			       " WHERE l.token_hash = $1::bytea AND " LOGIN_IS_GOOD;

static const char SQL_ACT[] =
	"UPDATE logins SET acted_at = clock_now() WHERE token_hash = $1::bytea";

/* Those of the account that have become too old go: the table does not grow for ever. */
static const char SQL_START[] =
	"WITH old AS (DELETE FROM logins WHERE account_id = $2::bigint"
	" AND created_at <= clock_now() - interval '" LOGIN_AGE_MAX "')"
	" INSERT INTO logins (token_hash, account_id) VALUES ($1::bytea, $2::bigint)";

static const char SQL_END[] = "DELETE FROM logins WHERE token_hash = $1::bytea";

static const char SQL_END_ALL[] = "DELETE FROM logins WHERE account_id = $1::bigint AND token_hash "
				  "IS DISTINCT FROM $2::bytea";

const char *token_make(struct arena *a)
{
	unsigned char raw[TOKEN_BYTES];
	size_t size =
		sodium_base64_ENCODED_LEN(sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = arena_alloc(a, size);

	randombytes_buf(raw, sizeof raw);
	sodium_bin2base64(text, size, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(raw, sizeof raw);
	return text;
}

const char *token_hash(struct arena *a, const char *token)
{
	return db_digest(a, token);
}

enum err login_find(struct db *db, struct arena *a, const char *token, bool acts,
		    struct account *out)
{
	struct db_rows rows;
	bool stale;
	enum err e;

	*out = (struct account){ 0 };
	if (!token || !*token || strlen(token) > TOKEN_TEXT_MAX)
		return OK;

	const char *args[] = { token_hash(a, token) };

	e = db_read(db, a, SQL_FIND, 1, args, &rows);
	if (e || !db_next(&rows))
		return e;
	out->id = db_i64(&rows);
	out->role = db_bool(&rows) ? ROLE_ADMIN : ROLE_TEACHER_ACCOUNT;
	out->name = db_str(&rows);
	out->email = db_str(&rows);
	stale = db_bool(&rows);
	e = db_end(&rows);
	if (e || !acts || !stale)
		return e;
	return db_write(db, a, SQL_ACT, 1, args, NULL);
}

enum err login_start(struct db *db, struct arena *a, int64_t account_id, const char **token)
{
	const char *args[] = { NULL, arena_int(a, account_id) };

	*token = token_make(a);
	args[0] = token_hash(a, *token);
	return db_write(db, a, SQL_START, 2, args, NULL);
}

enum err login_end(struct db *db, struct arena *a, const char *token)
{
	const char *args[] = { token_hash(a, token) };

	return db_write(db, a, SQL_END, 1, args, NULL);
}

enum err login_end_all(struct db *db, struct arena *a, int64_t account_id, const char *keep_token)
{
	const char *args[] = { arena_int(a, account_id),
			       keep_token ? token_hash(a, keep_token) : NULL };

	return db_write(db, a, SQL_END_ALL, 2, args, NULL);
}
