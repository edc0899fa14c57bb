#include <json-c/json.h>
#include <string.h>

#include "account.h"
#include "db_input.h"
#include "db_json.h"
#include "teacher.h"

/* The shape of a teacher. */
#define SELECT                                                                                     \
	"SELECT a.id, a.name, a.email, a.disabled_at IS NOT NULL AS disabled,"                     \
	" a.password_hash IS NOT NULL AS joined, i.expires_at AS \"invited.expires_at\","          \
	" (SELECT count(*) FROM students s WHERE s.teacher_id = a.id AND s.disabled_at IS NULL)"   \
	" AS active_students,"                                                                     \
	" a.telegram_chat_id IS NOT NULL AS telegram_linked, a.created_at"                         \
	" FROM accounts a LEFT JOIN LATERAL (SELECT max(expires_at) AS expires_at FROM invites"    \
	" WHERE account_id = a.id AND used_at IS NULL AND expires_at > clock_now()) i ON true"     \
	" WHERE a.role = 'teacher'"

static const char SQL_LIST[] = SELECT
	" AND ($1::text IS NULL OR strpos(lower(a.name), lower($1)) > 0"
	" OR strpos(lower(a.email), lower($1)) > 0) ORDER BY lower(a.name), a.id LIMIT $2::bigint";

static const char SQL_ONE[] = SELECT " AND a.id = $1::bigint";

static const char SQL_CREATE[] =
	"INSERT INTO accounts (role, name, email) VALUES ('teacher', $1, $2) RETURNING id";

static const char SQL_CHANGE[] =
	"WITH was AS (SELECT id, email FROM accounts"
	"  WHERE id = $1::bigint AND role = 'teacher' FOR NO KEY UPDATE)"
	" UPDATE accounts a SET name = coalesce($2, a.name), email = coalesce($3, a.email),"
	" disabled_at = CASE $4::boolean WHEN true THEN coalesce(a.disabled_at, clock_now())"
	" WHEN false THEN NULL ELSE a.disabled_at END"
	" FROM was WHERE a.id = was.id"
	" RETURNING a.disabled_at IS NOT NULL, lower(a.email) <> lower(was.email)";

#define SQL_UNINVITE "DELETE FROM invites WHERE account_id = $1::bigint AND used_at IS NULL"

/* Whoever joined with the invitation that went to a wrong address stays out. */
static const char SQL_UNJOIN[] = "UPDATE accounts SET password_hash = NULL WHERE id = $1::bigint";

/*
 * Whom Zoom knows by the address of before may be somebody else, to whose room
 * a start link is the key. Rooms where the teacher did teach stay theirs, as
 * anybody's do; meetings that were made there for no class yet are asked anew.
 */
static const char *const SQL_MOVED[] = {
	SQL_UNINVITE,
	("DELETE FROM zoom_hosts h WHERE h.account_id = $1::bigint AND h.confirmed"
	 " AND NOT EXISTS (SELECT FROM sessions s JOIN zoom_occurrences o ON o.session_id = s.id"
	 "  WHERE s.teacher_id = h.account_id AND o.host_id = h.host_id"
	 "  AND (s.meeting_id IS NOT NULL OR o.admin_id IS NOT NULL))"),
	("UPDATE zoom_hosts SET confirmed = false WHERE account_id = $1::bigint AND confirmed"),
	("DELETE FROM zoom_creates c WHERE c.account_id = $1::bigint"
	 " AND NOT EXISTS (SELECT FROM sessions s WHERE s.request_id = c.request_id)"),
};

static const struct db_field fields[] = {
	{ "accounts_email", "email", "There is an account with this e-mail address." },
	{ 0 },
};

enum err teacher_list(struct db *db, struct arena *a, const struct listing *listing,
		      struct json_object **out)
{
	const char *args[] = { listing->q, listing_limit(a, listing) };
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_LIST, 2, args, &rows);

	if (e)
		return e;
	*out = listing_json(listing, "teachers", &rows);
	return OK;
}

/* The teacher as the answer shows it, with invite_url if there is one. */
static enum err show(struct db *db, struct arena *a, int64_t id, const char *invite_url,
		     struct json_object **out)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_ONE, 1, args, &rows);

	if (!e)
		e = db_one_json(&rows, out);
	if (!e && invite_url)
		json_object_object_add(*out, "invite_url", json_object_new_string(invite_url));
	return e;
}

static enum err create(struct db *db, struct arena *a, const char *base_url,
		       const struct teacher_fields *want, struct json_object **out, struct why *why)
{
	const char *args[] = { want->name, want->email };
	const char *url;
	struct db_rows rows;
	int64_t id;
	enum err e = db_write(db, a, SQL_CREATE, 2, args, &rows);

	if (e)
		return db_why(db, e, fields, why);
	e = db_one_i64(&rows, &id);
	if (!e)
		e = account_invite(db, a, id, base_url, &url);
	return e ? e : show(db, a, id, url, out);
}

enum err teacher_create(struct db *db, struct arena *a, const char *base_url,
			const struct teacher_fields *want, struct json_object **out,
			struct why *why)
{
	enum err e = account_check_email(want->email, why);

	if (!e)
		e = db_begin(db);
	*out = NULL;
	return e ? e : db_finish_json(db, create(db, a, base_url, want, out, why), out);
}

/* args[0] is the account. */
static enum err forget_address(struct db *db, struct arena *a, const char *const *args)
{
	enum err e = OK;

	for (size_t i = 0; i < sizeof SQL_MOVED / sizeof *SQL_MOVED && !e; i++)
		e = db_write(db, a, SQL_MOVED[i], 1, args, NULL);
	return e;
}

static enum err change(struct db *db, struct arena *a, const char *base_url,
		       const struct teacher_fields *want, struct json_object **out, struct why *why)
{
	const char *args[] = { arena_int(a, want->id), want->name, want->email, want->disabled };
	const char *url = NULL;
	struct db_rows rows;
	bool disabled, moved;
	enum err e = db_write(db, a, SQL_CHANGE, 4, args, &rows);

	if (e)
		return db_why(db, e, fields, why);
	if (!db_next(&rows))
		return why_not(why, ERR_NOT_FOUND, "id", "There is no such teacher.");
	disabled = db_bool(&rows);
	moved = db_bool(&rows);
	if (disabled && want->invite)
		return why_not(why, ERR_CONFLICT, "invite", "This account is disabled.");
	/* Nobody works with a disabled account from now on, and no old invitation brings it back;
	 * nor does the one of a wrong address open what has another by now. */
	if (disabled || (moved && want->invite))
		e = login_end_all(db, a, want->id, NULL);
	if (!e && moved && want->invite)
		e = db_write(db, a, SQL_UNJOIN, 1, args, NULL);
	if (!e && moved)
		e = forget_address(db, a, args);
	else if (!e && disabled)
		e = db_write(db, a, SQL_UNINVITE, 1, args, NULL);
	if (!e && want->invite)
		e = account_invite(db, a, want->id, base_url, &url);
	return e ? e : show(db, a, want->id, url, out);
}

enum err teacher_change(struct db *db, struct arena *a, const char *base_url,
			const struct teacher_fields *want, struct json_object **out,
			struct why *why)
{
	enum err e = want->email ? account_check_email(want->email, why) : OK;

	if (!e)
		e = db_begin(db);
	*out = NULL;
	return e ? e : db_finish_json(db, change(db, a, base_url, want, out, why), out);
}
