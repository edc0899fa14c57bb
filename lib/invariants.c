#include <limits.h>

#include "db_script.h"
#include "invariants.h"
#include "replay.h"

/* What came of the checks so far. */
struct tally {
	FILE *out;
	int64_t checked, broken;
};

static void note(struct tally *tally, const char *name, int64_t offenders)
{
	tally->checked++;
	if (!offenders)
		return;
	tally->broken++;
	fprintf(tally->out, "broken: %s: %lld\n", name, (long long)offenders);
}

static enum err read_rows(struct db *db, struct arena *a, struct tally *tally)
{
	struct db_rows rows;
	/* Longer than a request may take: it reads everything. */
	enum err e = db_write(db, a, "SET LOCAL statement_timeout = 0", 0, NULL, NULL);

	if (!e)
		e = db_read(db, a, script_check, 0, NULL, &rows);
	while (!e && db_next(&rows)) {
		const char *name = db_str(&rows);

		note(tally, name, db_i64(&rows));
		e = db_end(&rows);
	}
	return e;
}

/* The invariants that SQL can tell: rows of (name, offenders), all of one snapshot. */
static enum err check_sql(struct db *db, struct arena *a, struct tally *tally)
{
	enum err e;

	db_deadline(db, INT_MAX); /* it takes as long as it takes: who waits for it can end it */
	e = db_begin_snapshot(db);
	return e ? e : db_finish(db, read_rows(db, a, tally));
}

/* Deciding each session anew from its evidence gives its row. */
static enum err check_replay(struct db *db, struct arena *a, struct tally *tally)
{
	struct replay replay;
	enum err e = replay_all(db, &replay);

	(void)a;
	if (!e)
		note(tally, "the evidence of each session gives its row", replay.wrong);
	return e;
}

static enum err (*const checks[])(struct db *db, struct arena *a, struct tally *tally) = {
	check_sql,
	check_replay,
};

enum err invariants_check(struct db *db, struct arena *a, FILE *out, int64_t *broken)
{
	struct tally tally = { .out = out };
	enum err e = OK;

	for (size_t i = 0; !e && i < sizeof checks / sizeof *checks; i++)
		e = checks[i](db, a, &tally);
	*broken = tally.broken;
	if (!e)
		fprintf(out, "check: %lld invariants, %lld broken\n", (long long)tally.checked,
			(long long)tally.broken);
	return e;
}
