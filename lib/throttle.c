#include "address.h"
#include "throttle.h"

const struct throttle_rule throttle_account = { .free = 5, .max_s = 900, .forget_s = 900 };
const struct throttle_rule throttle_address = { .free = 100, .max_s = 60, .forget_s = 30 };

/* How long an address stays known after its owner's last sign-in, and a stranger's failures stay.
 */
#define KNOWN_DAYS "90 days"
#define STALE	   "1 day"

/*
 * $1 e-mail, $2 prefix. E-mails are kept as hashes: people type passwords into
 * the wrong field.
 */
#define OWNER	"encode(sha256(convert_to(lower($1), 'UTF8')), 'hex')"
#define ACCOUNT "'account ' || " OWNER
#define KNOWN	"'known ' || " OWNER " || ' ' || $2"
#define ADDRESS "'address ' || $2"

/* Locks the counters of an attempt, in the order of their keys, and reads them. */
static const char SQL_LOCK[] =
	"WITH known AS (SELECT key FROM login_attempts WHERE key = " KNOWN ")"
	" INSERT INTO login_attempts AS l (key, failures, last_at)"
	" SELECT key, 0, clock_now() FROM (SELECT key FROM known"
	" UNION ALL SELECT " ACCOUNT " WHERE NOT EXISTS (SELECT FROM known)"
	" UNION ALL SELECT " ADDRESS " WHERE NOT EXISTS (SELECT FROM known)) k"
	" ORDER BY key"
	" ON CONFLICT (key) DO UPDATE SET failures = l.failures"
	" RETURNING key, key LIKE 'address %', failures,"
	" floor(extract(epoch FROM clock_now() - last_at))::bigint,"
	" coalesce(ceil(extract(epoch FROM locked_until - clock_now())), 0)::bigint";

static const char SQL_COUNT[] =
	"UPDATE login_attempts SET failures = $2::bigint, last_at = clock_now(),"
	" locked_until = clock_now() + nullif($3::bigint, 0) * interval '1 second' WHERE key = $1";

/* A few stale counters for each new one: the table holds no more than a day's. */
static const char SQL_FORGET[] =
	"DELETE FROM login_attempts WHERE key IN (SELECT key FROM login_attempts"
	" WHERE last_at < clock_now() - interval '" STALE "' AND (key NOT LIKE 'known %'"
	" OR last_at < clock_now() - interval '" KNOWN_DAYS "') LIMIT 10 FOR UPDATE SKIP LOCKED)";

static const char SQL_UNLOCK[] = "DELETE FROM login_attempts WHERE key = " ACCOUNT;

static const char SQL_GIVE_BACK[] =
	"UPDATE login_attempts SET failures = greatest(failures - 1, 0), locked_until = NULL"
	" WHERE key = " ADDRESS " AND NOT EXISTS (SELECT FROM login_attempts WHERE key = " KNOWN
	")";

static const char SQL_KNOW[] =
	"INSERT INTO login_attempts (key, failures, last_at) VALUES (" KNOWN ", 0, clock_now())"
	" ON CONFLICT (key) DO UPDATE SET failures = 0, last_at = clock_now(), locked_until = NULL";

int64_t throttle_count(const struct throttle_rule *rule, int64_t failures, int64_t idle_s)
{
	int64_t forgotten = idle_s > 0 ? idle_s / rule->forget_s : 0;

	return (failures > forgotten ? failures - forgotten : 0) + 1;
}

int64_t throttle_wait_s(const struct throttle_rule *rule, int64_t failures)
{
	int64_t wait = 1;

	if (failures < rule->free)
		return 0;
	for (int64_t n = rule->free; n < failures && wait < rule->max_s; n++)
		wait *= 2;
	return wait < rule->max_s ? wait : rule->max_s;
}

const char *throttle_prefix(struct arena *a, const char *address)
{
	const char *network = address_network(a, address);

	return network ? network : "";
}

/* Counts one row of SQL_LOCK; adds to *wait_s when it is locked. */
static enum err count(struct db *db, struct arena *a, struct db_rows *rows, int64_t *wait_s)
{
	const char *key = db_str(rows);
	const struct throttle_rule *rule = db_bool(rows) ? &throttle_address : &throttle_account;
	int64_t failures = db_i64(rows);
	int64_t idle_s = db_i64(rows);
	int64_t locked_s = db_i64(rows);
	int64_t now = throttle_count(rule, failures, idle_s);
	const char *args[] = { key, arena_int(a, now), arena_int(a, throttle_wait_s(rule, now)) };

	if (locked_s > *wait_s)
		*wait_s = locked_s;
	return locked_s > 0 ? OK : db_write(db, a, SQL_COUNT, 3, args, NULL);
}

static enum err enter(struct db *db, struct arena *a, const char *const *args, int64_t *wait_s)
{
	struct db_rows rows;
	enum err e = db_write(db, a, SQL_LOCK, 2, args, &rows);

	*wait_s = 0;
	while (!e && db_next(&rows)) {
		e = count(db, a, &rows, wait_s);
		if (!e)
			e = db_end(&rows);
	}
	if (!e && *wait_s > 0)
		return ERR_THROTTLED;
	return e ? e : db_write(db, a, SQL_FORGET, 0, NULL, NULL);
}

enum err throttle_enter(struct db *db, struct arena *a, const char *email, const char *address,
			int64_t *wait_s)
{
	const char *args[] = { email, throttle_prefix(a, address) };
	enum err e = db_begin(db);

	return e ? e : db_finish(db, enter(db, a, args, wait_s));
}

/* In the order of their keys, as SQL_LOCK has it: two attempts never wait for each other. */
static enum err success(struct db *db, struct arena *a, const char *email, const char *prefix)
{
	const char *args[] = { email, prefix };
	enum err e = db_write(db, a, SQL_UNLOCK, 1, args, NULL);

	if (!e)
		e = db_write(db, a, SQL_GIVE_BACK, 2, args, NULL);
	return e ? e : db_write(db, a, SQL_KNOW, 2, args, NULL);
}

enum err throttle_success(struct db *db, struct arena *a, const char *email, const char *address)
{
	enum err e = db_begin(db);

	return e ? e : db_finish(db, success(db, a, email, throttle_prefix(a, address)));
}
