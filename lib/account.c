#include <json-c/json.h>
#include <string.h>

#include "account.h"
#include "password.h"
#include "throttle.h"

static const char SQL_BY_EMAIL[] =
	"SELECT id, role = 'admin', name, email, password_hash FROM accounts"
	" WHERE lower(email) = lower($1) AND disabled_at IS NULL";

static const char SQL_HASH[] =
	"SELECT password_hash FROM accounts WHERE id = $1::bigint AND disabled_at IS NULL";

/* Before what was verified has an effect: whoever changes the password waits, and then sees it. */
static const char SQL_HOLD[] =
	"SELECT id FROM accounts WHERE id = $1::bigint AND password_hash = $2"
	" AND disabled_at IS NULL FOR NO KEY UPDATE";

static const char SQL_SET_HASH[] = "UPDATE accounts SET password_hash = $2 WHERE id = $1::bigint";

static const char SQL_ENSURE[] =
	"WITH made AS (INSERT INTO accounts (role, name, email) VALUES ($1, $2, $3)"
	" ON CONFLICT (lower(email)) DO NOTHING RETURNING id, role, disabled_at)"
	" SELECT id, role = $1, disabled_at IS NOT NULL FROM made UNION ALL"
	" SELECT id, role = $1, disabled_at IS NOT NULL FROM accounts"
	" WHERE lower(email) = lower($3)";

static const char SQL_INVITE[] =
	"WITH earlier AS (DELETE FROM invites WHERE account_id = $2::bigint AND used_at IS NULL)"
	" INSERT INTO invites (token_hash, account_id, expires_at)"
	" VALUES ($1::bytea, $2::bigint, clock_now() + $3::bigint * interval '1 day')";

#define INVITE_IS_OPEN                                                                             \
	"i.token_hash = $1::bytea AND i.used_at IS NULL AND i.expires_at > clock_now()"            \
	" AND a.id = i.account_id AND a.disabled_at IS NULL"

static const char SQL_INVITED[] = "SELECT a.email FROM invites i, accounts a WHERE " INVITE_IS_OPEN;

static const char SQL_ACCEPT[] =
	"UPDATE invites i SET used_at = clock_now() FROM accounts a"
	" WHERE " INVITE_IS_OPEN " RETURNING a.id, a.role = 'admin', a.name, a.email";

static void scan(struct db_rows *rows, struct account *out)
{
	out->id = db_i64(rows);
	out->role = db_bool(rows) ? ROLE_ADMIN : ROLE_TEACHER_ACCOUNT;
	out->name = db_str(rows);
	out->email = db_str(rows);
}

enum err account_check_email(const char *email, struct why *why)
{
	const char *at = strchr(email, '@');
	size_t len = strlen(email);
	bool ok = at && at > email && at[1] && !strchr(at + 1, '@') && at[1] != '.' &&
		  email[len - 1] != '.' && len <= ACCOUNT_EMAIL_MAX;

	for (const char *p = email; *p; p++)
		ok = ok && (unsigned char)*p > ' ' && *p != 0x7f && !strchr("\"(),:;<>[\\]", *p);
	return ok ? OK
		  : why_not(why, ERR_INVALID, "email",
			    "It must be an address like name@example.org.");
}

static enum err store_hash(struct db *db, struct arena *a, int64_t id, const char *hash)
{
	const char *args[] = { arena_int(a, id), hash };

	return db_write(db, a, SQL_SET_HASH, 2, args, NULL);
}

/* In a transaction: whether this is still the account's hash, which it stays until the end. */
static enum err hold(struct db *db, struct arena *a, int64_t id, const char *hash, bool *held)
{
	const char *args[] = { arena_int(a, id), hash };
	struct db_rows rows;
	enum err e = db_write(db, a, SQL_HOLD, 2, args, &rows);

	*held = !e && db_count(&rows) == 1;
	return e;
}

/* The account with this e-mail and its hash; id 0 and NULL if there is none. */
static enum err by_email(struct db *db, struct arena *a, const char *email, struct account *out,
			 const char **hash)
{
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_BY_EMAIL, 1, &email, &rows);

	*out = (struct account){ 0 };
	*hash = NULL;
	if (e || !db_next(&rows))
		return e;
	scan(&rows, out);
	*hash = db_str(&rows);
	return db_end(&rows);
}

/* Where held: today's hash of the password, and a fresh login. */
static enum err enter(struct db *db, struct arena *a, struct account_entry *entry, const char *hash,
		      const char *todays, bool *held)
{
	int64_t id = entry->account.id;
	enum err e = hold(db, a, id, hash, held);

	if (!e && *held && todays != hash)
		e = store_hash(db, a, id, todays);
	return e || !*held ? e : login_start(db, a, id, &entry->token);
}

/* After the right password. *held false: it is no more, and nobody was let in. */
static enum err let_in(struct db *db, struct arena *a, struct account_entry *entry,
		       const char *hash, bool *held)
{
	const char *todays = hash;
	enum err e = OK;

	if (password_is_outdated(hash))
		e = password_hash(a, entry->password, &todays);
	if (!e)
		e = db_begin(db);
	return e ? e : db_finish(db, enter(db, a, entry, hash, todays, held));
}

static enum err throttled(struct arena *a, enum err e, int64_t wait_s, struct why *why)
{
	if (e != ERR_THROTTLED)
		return e;
	return why_not(why, e, NULL,
		       arena_printf(a, "Too many wrong passwords. Try again in %s seconds.",
				    arena_int(a, wait_s)));
}

enum err account_sign_in(struct db *db, struct arena *a, struct account_entry *entry,
			 struct why *why)
{
	const char *hash;
	bool matches, held = false;
	enum err e = throttle_enter(db, a, entry->email, entry->address, &entry->wait_s);

	if (e)
		return throttled(a, e, entry->wait_s, why);
	while (!e && !held) { /* once, but where the hash changes meanwhile */
		e = by_email(db, a, entry->email, &entry->account, &hash);
		if (!e)
			e = password_verify(hash, entry->password, &matches);
		if (!e && !matches)
			return why_not(why, ERR_UNAUTHENTICATED, NULL,
				       "The e-mail address or the password is wrong.");
		if (!e)
			e = throttle_success(db, a, entry->email, entry->address);
		if (!e)
			e = let_in(db, a, entry, hash, &held);
	}
	return e;
}

/* The hash of an account that is signed in. */
static enum err hash_of(struct db *db, struct arena *a, int64_t id, const char **hash)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_HASH, 1, args, &rows);

	if (e)
		return e;
	if (!db_next(&rows))
		return ERR_UNAUTHENTICATED;
	*hash = db_str(&rows);
	return db_end(&rows);
}

/*
 * Whether the person at the keyboard knows the current password, whose hash is
 * *hash. Whoever did not hear that it was changed says the one before, and it is
 * the wanted one: *done.
 */
static enum err prove(struct db *db, struct arena *a, const struct account *who,
		      struct account_change *change, const char **hash, bool *done, struct why *why)
{
	bool matches;
	enum err e = throttle_enter(db, a, who->email, change->address, &change->wait_s);

	if (e)
		return throttled(a, e, change->wait_s, why);
	e = hash_of(db, a, who->id, hash);
	if (!e)
		e = password_verify(*hash, change->current, &matches);
	if (!e && !matches)
		e = password_verify(*hash, change->wanted, done);
	if (e)
		return e;
	if (!matches && !*done)
		return why_not(why, ERR_INVALID, "current_password", "This is not your password.");
	return throttle_success(db, a, who->email, change->address);
}

/* Where held: the new hash in place of the old one, and an end to the other logins. */
static enum err replace(struct db *db, struct arena *a, int64_t id,
			const struct account_change *change, const char *old, const char *hash,
			bool *held)
{
	enum err e = hold(db, a, id, old, held);

	if (!e && *held)
		e = store_hash(db, a, id, hash);
	return e || !*held ? e : login_end_all(db, a, id, change->keep_token);
}

enum err account_change_password(struct db *db, struct arena *a, const struct account *who,
				 struct account_change *change, struct why *why)
{
	const char *old = NULL, *hash = NULL;
	bool done = false;
	enum err e = password_check(change->wanted, who->email, "new_password", why);

	while (!e && !done) { /* once, but where the hash changes meanwhile */
		e = prove(db, a, who, change, &old, &done, why);
		if (e || done)
			return e;
		e = password_hash(a, change->wanted, &hash);
		if (!e)
			e = db_begin(db);
		if (!e)
			e = db_finish(db, replace(db, a, who->id, change, old, hash, &done));
	}
	return e;
}

enum err account_ensure(struct db *db, struct arena *a, const char *role, const char *name,
			const char *email, int64_t *id, struct why *why)
{
	const char *args[] = { role, name, email };
	struct db_rows rows;
	bool same_role, disabled;
	enum err e = db_write(db, a, SQL_ENSURE, 3, args, &rows);

	if (e)
		return e;
	if (!db_next(&rows))
		return ERR_UNAVAILABLE; /* made by someone else at this very moment */
	*id = db_i64(&rows);
	same_role = db_bool(&rows);
	disabled = db_bool(&rows);
	if (!same_role)
		return why_not(why, ERR_CONFLICT, "email", "This account has another role.");
	if (disabled)
		return why_not(why, ERR_CONFLICT, "email", "This account is disabled.");
	return db_end(&rows);
}

enum err account_invite(struct db *db, struct arena *a, int64_t id, const char *base_url,
			const char **url)
{
	const char *token = token_make(a);
	const char *args[] = { token_hash(a, token), arena_int(a, id),
			       arena_int(a, ACCOUNT_INVITE_DAYS) };

	*url = arena_printf(a, "%s/invite#%s", base_url, token);
	return db_write(db, a, SQL_INVITE, 3, args, NULL);
}

static enum err no_invite(struct why *why)
{
	return why_not(why, ERR_NOT_FOUND, "token",
		       "This invitation is unknown, used or expired. Ask for a new one.");
}

/* Uses the invitation up; inside a transaction. */
static enum err accept(struct db *db, struct arena *a, const char *invite, const char *hash,
		       struct account_entry *entry, struct why *why)
{
	struct db_rows rows;
	enum err e = db_write(db, a, SQL_ACCEPT, 1, &invite, &rows);

	if (e)
		return e;
	if (!db_next(&rows))
		return no_invite(why);
	scan(&rows, &entry->account);
	e = db_end(&rows);
	if (!e)
		e = store_hash(db, a, entry->account.id, hash);
	if (!e)
		e = login_end_all(db, a, entry->account.id, NULL);
	return e ? e : login_start(db, a, entry->account.id, &entry->token);
}

enum err account_accept(struct db *db, struct arena *a, struct account_entry *entry,
			struct why *why)
{
	const char *invite = token_hash(a, entry->invite);
	const char *hash;
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_INVITED, 1, &invite, &rows);

	if (e)
		return e;
	if (!db_next(&rows))
		return no_invite(why);
	e = password_check(entry->password, db_str(&rows), "password", why);
	if (!e)
		e = password_hash(a, entry->password, &hash);
	if (!e)
		e = db_begin(db);
	if (e)
		return e;
	e = db_finish(db, accept(db, a, invite, hash, entry, why));
	return e ? e : throttle_success(db, a, entry->account.email, entry->address);
}

struct json_object *account_json(const struct account *account)
{
	struct json_object *o = json_object_new_object();
	const char *role = account->role == ROLE_ADMIN ? "admin" : "teacher";

	json_object_object_add(o, "id", json_object_new_int64(account->id));
	json_object_object_add(o, "name", json_object_new_string(account->name));
	json_object_object_add(o, "email", json_object_new_string(account->email));
	json_object_object_add(o, "role", json_object_new_string(role));
	return o;
}
