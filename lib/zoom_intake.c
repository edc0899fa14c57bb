#include <sodium.h>
#include <string.h>

#include "app_parent.h"
#include "db_there.h"
#include "log.h"
#include "zoom_intake.h"
#include "zoom_meeting.h"

#define APPLY_MS 1200 /* of the 2 s that the webhook has; */
#define KEEP_MS	 600  /* then to keep what took longer */

#define TRY_DEADLINE_MS 5000   /* for one event */
#define TRY_MAX_MS	120000 /* for all: classes have to be timed out, and the next run goes on */

/* A repeat is told from the first delivery by the key. */
#define STORE(column, value)                                                                       \
	"INSERT INTO zoom_raw (key, event, state, body, event_ts, kind, happened_at, uuid,"        \
	"  host_id, connection, person_id" column ") VALUES ($1, $2, $3, $4::bytea,"               \
	"  at_us($5::bigint), $6, at_us($7::bigint), $8, $9, $10, $11" value                       \
	") ON CONFLICT (key) DO NOTHING"

static const char SQL_STORE[] = STORE("", "");
static const char SQL_STORE_UNAPPLIED[] = STORE(", apply_at", ", clock_now()");

static const char SQL_IS_UNAPPLIED[] =
	"SELECT FROM zoom_raw WHERE key = $1 AND apply_at IS NOT NULL";

static const char SQL_APPLIED[] = "UPDATE zoom_raw SET apply_at = NULL WHERE key = $1";

static const char SQL_DUE[] = "SELECT key FROM zoom_raw WHERE apply_at <= clock_now()"
			      " ORDER BY apply_at";

/*
 * Puts the next attempt off before this one is made, so that whatever becomes of it there are some
 * twenty in all: each waits half as long again as the last, and that after eight days is the last.
 */
static const char SQL_TRY[] =
	"UPDATE zoom_raw SET apply_at = CASE WHEN received_at > clock_now() - interval '8 days'"
	"  THEN clock_now() + (clock_now() - received_at) / 2 ELSE 'infinity' END"
	" WHERE key = $1 AND apply_at <= clock_now() RETURNING encode(body, 'hex')";

static const char *bytes(struct arena *a, const char *body, size_t len)
{
	char *hex = arena_alloc(a, 2 + 2 * len + 1);

	hex[0] = '\\';
	hex[1] = 'x';
	sodium_bin2hex(hex + 2, 2 * len + 1, (const unsigned char *)body, len);
	return hex;
}

static enum err store(struct db *db, struct arena *a, const char *sql,
		      const struct zoom_event *event, const char *body, size_t len, bool *is_new)
{
	const char *kind = zoom_kind_name(event->kind);
	const char *args[] = {
		event->key,
		event->name,
		kind ? "inbox" : "ignored",
		bytes(a, body, len),
		event->sent_us ? arena_int(a, event->sent_us) : NULL,
		kind,
		kind ? arena_int(a, event->happened_us) : NULL,
		event->uuid,
		event->host_id,
		event->connection,
		event->person_id,
	};
	struct db_rows r;
	enum err e = db_write(db, a, sql, 11, args, &r);

	if (!e)
		*is_new = db_affected(&r) == 1;
	return e;
}

static enum err is_unapplied(struct db *db, struct arena *a, const char *key, bool *out)
{
	struct db_rows r;
	enum err e = db_read(db, a, SQL_IS_UNAPPLIED, 1, &key, &r);

	if (!e)
		*out = db_count(&r) > 0;
	return e;
}

/* What was kept: under the meeting's lock it may meet itself, and then changes nothing. */
static enum err apply(struct db *db, struct arena *a, const struct zoom_event *event,
		      const char *key)
{
	enum err e = zoom_kind_name(event->kind) ? zoom_meeting_learn(db, a, event) : OK;

	return e ? e : db_write(db, a, SQL_APPLIED, 1, &key, NULL);
}

static enum err take(struct db *db, struct arena *a, const struct zoom_event *event,
		     const char *body, size_t len)
{
	bool is_new = false, waits = false;
	enum err e = store(db, a, SQL_STORE, event, body, len, &is_new);

	if (e || !zoom_kind_name(event->kind))
		return e;
	if (is_new)
		return zoom_meeting_learn(db, a, event);
	e = is_unapplied(db, a, event->key, &waits);
	return e || !waits ? e : apply(db, a, event, event->key);
}

enum err zoom_intake(struct db *db, struct arena *a, const struct zoom_event *event,
		     const char *body, size_t len)
{
	bool has_effect = zoom_kind_name(event->kind), is_new;
	enum err e, kept;

	if (has_effect)
		db_deadline(db, APPLY_MS);
	e = db_begin(db);
	if (e)
		return e;
	e = db_finish(db, take(db, a, event, body, len));
	if (!e || e == ERR_IN_DOUBT || !has_effect)
		return e;
	db_deadline(db, KEEP_MS);
	kept = store(db, a, SQL_STORE_UNAPPLIED, event, body, len, &is_new);
	if (!kept)
		log_error("an event could not be applied (%s); it is kept", err_title(e));
	return kept;
}

/* --- What was kept --- */

static enum err begin_try(struct db *db, struct arena *a, const char *key, const char **hex)
{
	struct db_rows r;
	enum err e = db_write(db, a, SQL_TRY, 1, &key, &r);

	*hex = !e && db_next(&r) ? db_str(&r) : NULL;
	return e;
}

/* Its body says it all, and is read as this version reads it. */
static enum err try_one(struct db *db, struct arena *a, const char *key)
{
	struct zoom_event event;
	const char *hex;
	size_t len;
	char *body;
	enum err e = begin_try(db, a, key, &hex);

	if (e || !hex)
		return e;
	len = strlen(hex) / 2;
	body = arena_alloc(a, len + 1);
	if (sodium_hex2bin((unsigned char *)body, len, hex, 2 * len, NULL, NULL, NULL))
		return ERR_INTERNAL;
	zoom_event_read(a, body, len, &event);
	e = db_begin(db);
	return e ? e : db_finish(db, apply(db, a, &event, key));
}

enum err zoom_intake_catch_up(struct db *db)
{
	struct arena *a = arena_new();
	int64_t until_ms = monotonic_ms() + TRY_MAX_MS;
	struct db_run run = { 0 };
	enum err e;
	struct db_rows r;

	db_deadline(db, TRY_DEADLINE_MS);
	e = db_read(db, a, SQL_DUE, 0, NULL, &r);
	while (!e && monotonic_ms() < until_ms && db_next(&r)) {
		struct arena *each = arena_new();

		db_run_next(db, &run, TRY_DEADLINE_MS);
		e = try_one(db, each, db_str(&r));
		if (e)
			log_error("zoom: an event still cannot be applied (%s)", err_title(e));
		e = db_run_after(db, &run, e);
		arena_free(each);
	}
	arena_free(a);
	return e ? e : run.broken;
}
