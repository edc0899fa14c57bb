#include <sodium.h>

#include "log.h"
#include "zoom_intake.h"
#include "zoom_meeting.h"

/* A repeat is told from the first delivery by the key. */
static const char SQL_STORE[] =
	"INSERT INTO zoom_raw (key, event, state, body, event_ts, kind, happened_at, uuid, host_id,"
	"  connection, person_id) VALUES ($1, $2, $3, $4::bytea, at_us($5::bigint), $6,"
	"  at_us($7::bigint), $8, $9, $10, $11) ON CONFLICT (key) DO NOTHING";

static const char *bytes(struct arena *a, const char *body, size_t len)
{
	char *hex = arena_alloc(a, 2 + 2 * len + 1);

	hex[0] = '\\';
	hex[1] = 'x';
	sodium_bin2hex(hex + 2, 2 * len + 1, (const unsigned char *)body, len);
	return hex;
}

static enum err store(struct db *db, struct arena *a, const struct zoom_event *event,
		      const char *body, size_t len, bool *is_new)
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
	enum err e = db_write(db, a, SQL_STORE, 11, args, &r);

	if (!e)
		*is_new = db_affected(&r) == 1;
	return e;
}

static enum err take(struct db *db, struct arena *a, const struct zoom_event *event,
		     const char *body, size_t len)
{
	bool is_new = false;
	enum err e = store(db, a, event, body, len, &is_new);

	if (e || !is_new || !zoom_kind_name(event->kind))
		return e;
	return zoom_meeting_learn(db, a, event);
}

enum err zoom_intake(struct db *db, struct arena *a, const struct zoom_event *event,
		     const char *body, size_t len)
{
	bool is_new;
	enum err e = db_begin(db);

	if (e)
		return e;
	e = db_finish(db, take(db, a, event, body, len));
	if (!e || e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
		return e;
	log_error("an event could not be applied (%s); it is kept", err_title(e));
	return store(db, a, event, body, len, &is_new);
}
