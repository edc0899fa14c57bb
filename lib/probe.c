#include <stdio.h>
#include <unistd.h>

#include "journal.h"
#include "probe.h"

#define NAME_MAX_BYTES 256

static const char SQL_PROBE[] = "INSERT INTO nodes (name, seen_at) VALUES ($1, clock_now())"
				" ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at"
				" RETURNING us(clock_timestamp())";

static enum err ask(struct db *db, struct arena *a, int64_t *theirs_us)
{
	char name[NAME_MAX_BYTES] = "";
	const char *args[] = { name };
	struct db_rows r;
	enum err e;

	if (gethostname(name, sizeof name - 1) || !*name)
		snprintf(name, sizeof name, "unknown");
	e = db_write(db, a, SQL_PROBE, 1, args, &r);
	return e ? e : db_one_i64(&r, theirs_us);
}

enum err probe_database(struct db *db, const struct conf *conf)
{
	struct arena *a = arena_new();
	int64_t before, theirs = 0;
	enum err e;

	db_deadline(db, CLICK_DEADLINE_MS);
	before = journal_now_us();
	e = ask(db, a, &theirs);
	if (!e && conf->journal_dir)
		journal_note_clock(conf->journal_dir, before, theirs, journal_now_us());
	arena_free(a);
	return e;
}
