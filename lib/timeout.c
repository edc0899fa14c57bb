#include "app_parent.h"
#include "db_there.h"
#include "evidence.h"
#include "log.h"
#include "timeout.h"
#include "zoom_intake.h"
#include "zoom_review.h"

#define BATCH	     "1000"
#define DEADLINE_MS  10000 /* of one statement or class, connection included; nginx waits longer */
#define LAST_WORD_MS 2000  /* after a failure: for the record */

/*
 * The set-based form of decide() for classes whose evidence leaves only one
 * outcome (decision.unsettled), and no presence to count.
 */
static const char SQL_TIME_OUT[] =
	"WITH due AS ("
	" SELECT id FROM sessions WHERE session_status = 'active' AND NOT unsettled"
	"  AND NOT zoom_seen AND times_out_at >= at_us($1::bigint)"
	"  AND times_out_at <= clock_now() ORDER BY times_out_at LIMIT " BATCH
	" FOR NO KEY UPDATE SKIP LOCKED"
	"), done AS ("
	" UPDATE sessions s SET session_status = 'timeout', session_ended_at = s.times_out_at,"
	"  estimated = true FROM due WHERE s.id = due.id RETURNING s.id, s.times_out_at"
	"), evidence AS ("
	" INSERT INTO session_events (session_id, kind, happened_at, source)"
	" SELECT id, 'timed_out', times_out_at, 'system' FROM done)"
	" SELECT id, us(times_out_at) FROM done";

static const char SQL_MISS[] =
	"WITH due AS ("
	" SELECT id FROM sessions WHERE session_status = 'sent' AND NOT unsettled"
	"  AND sent_at >= at_us($1::bigint)"
	"  AND sent_at + link_hours * interval '1 hour' <= clock_now()"
	" ORDER BY sent_at LIMIT " BATCH " FOR NO KEY UPDATE SKIP LOCKED"
	"), done AS ("
	" UPDATE sessions s SET session_status = 'missed' FROM due WHERE s.id = due.id"
	" RETURNING s.id, s.sent_at, s.sent_at + s.link_hours * interval '1 hour' AS life_over"
	"), evidence AS ("
	" INSERT INTO session_events (session_id, kind, happened_at, source)"
	" SELECT id, 'missed', life_over, 'system' FROM done)"
	" SELECT id, us(sent_at) FROM done";

static const char SQL_UNSETTLED[] =
	"SELECT id FROM (SELECT id FROM sessions WHERE unsettled AND"
	"  coalesce(times_out_at, sent_at + link_hours * interval '1 hour') <= clock_now()"
	" UNION SELECT id FROM sessions WHERE session_status = 'active' AND zoom_seen"
	"  AND times_out_at <= clock_now()) due"
	" WHERE id > $1::bigint ORDER BY id LIMIT " BATCH;

/* No row: another transaction holds it, and the next run finds it. */
static const char SQL_FREE[] =
	"SELECT FROM sessions WHERE id = $1::bigint FOR NO KEY UPDATE SKIP LOCKED";

static const char SQL_DUE[] =
	"SELECT (SELECT count(*) FROM sessions WHERE session_status = 'active'"
	"  AND times_out_at <= clock_now()),"
	" (SELECT count(*) FROM sessions WHERE session_status = 'sent'"
	"  AND sent_at + link_hours * interval '1 hour' <= clock_now())";

/* A run's row is worth keeping for a month, and no wait for the disk. */
static const char SQL_RECORD[] =
	"WITH forgotten AS ("
	" DELETE FROM job_runs WHERE started_at < clock_now() - interval '30 days')"
	" INSERT INTO job_runs (job, started_at, finished_at, ok, detail)"
	" SELECT 'session-timeout', clock_now() - $1::bigint * interval '1 millisecond',"
	"  clock_now(), $5::boolean, jsonb_build_object('timed_out', $2::bigint,"
	"  'missed', $3::bigint, 'settled', $4::bigint)"
	" FROM set_config('synchronous_commit', 'off', true)";

/* What has changed since the last run joins the totals: schema/0007_totals.sql. */
static const char SQL_FOLD[] =
	"WITH changed AS ("
	" DELETE FROM session_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM session_changes"
	"  LIMIT 50000)) RETURNING *"
	"), by_people AS ("
	" INSERT INTO session_totals AS t SELECT teacher_id, student_id, package_id,"
	"  session_status, sum(n), sum(minutes) FROM changed GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, "
	"4"
	" ON CONFLICT (student_id, teacher_id, package_id, session_status) DO UPDATE"
	" SET n = t.n + excluded.n, minutes = t.minutes + excluded.minutes"
	"), by_hours AS ("
	" INSERT INTO session_hours AS t SELECT hour, package_id, session_status, sum(n),"
	"  sum(minutes) FROM changed GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
	" ON CONFLICT (hour, package_id, session_status) DO UPDATE"
	" SET n = t.n + excluded.n, minutes = t.minutes + excluded.minutes)"
	" SELECT 0, $1::bigint FROM changed LIMIT 1";

static void remember(struct timeout_run *run, int64_t id)
{
	run->timed_out++;
	if (run->n_ids < TIMEOUT_IDS_MAX)
		run->ids[run->n_ids++] = id;
}

/*
 * Repeats sql until a batch touches nothing; counts into run's ids if there
 * are any, else into *n. Each batch begins at the last moment of the one before, so
 * that it need not pass by what those have left of their rows in the index.
 */
static enum err batches(struct db *db, const char *sql, int64_t *n, struct timeout_run *ids)
{
	int64_t last_us = 0;
	bool more = true;
	enum err e = OK;

	while (more && !e) {
		struct arena *a = arena_new();
		const char *args[] = { arena_int(a, last_us) };
		struct db_rows r;

		db_deadline(db, DEADLINE_MS);
		e = db_write(db, a, sql, 1, args, &r);
		more = !e && db_count(&r) > 0;
		while (!e && db_next(&r)) {
			int64_t id = db_i64(&r), at_us = db_i64(&r);

			if (at_us > last_us)
				last_us = at_us;
			if (ids)
				remember(ids, id);
			else if (n)
				++*n;
		}
		arena_free(a);
	}
	return e;
}

static enum err settle_locked(struct db *db, struct arena *a, int64_t id, struct timeout_run *run)
{
	const char *args[] = { arena_int(a, id) };
	struct session_row row;
	struct decision before;
	struct db_rows r;
	enum err e = db_write(db, a, SQL_FREE, 1, args, &r);

	if (e || db_count(&r) == 0)
		return e;
	e = session_lock(db, a, id, &row);
	if (e)
		return e;
	before = row.decided;
	e = evidence_settle(db, a, &row);
	if (e || decision_same(&before, &row.decided))
		return e;
	if (row.decided.status == STATUS_TIMEOUT && before.status != STATUS_TIMEOUT)
		remember(run, id);
	else
		run->settled++;
	return OK;
}

/* Those that need all of their evidence looked at, one transaction each. */
static enum err settle_unsettled(struct db *db, struct timeout_run *run)
{
	struct db_run classes = { 0 };
	int64_t last = 0;
	bool more = true;
	enum err e = OK;

	while (more && !e) {
		struct arena *a = arena_new();
		const char *args[] = { arena_int(a, last) };
		struct db_rows r;

		db_deadline(db, DEADLINE_MS);
		e = db_read(db, a, SQL_UNSETTLED, 1, args, &r);
		more = !e && db_count(&r) > 0;
		while (!e && db_next(&r)) {
			last = db_i64(&r);
			db_run_next(db, &classes, DEADLINE_MS);
			e = db_begin(db);
			if (!e)
				e = db_finish(db, settle_locked(db, a, last, run));
			if (e)
				log_error("class %lld cannot be settled", (long long)last);
			e = db_run_after(db, &classes, e);
		}
		arena_free(a);
	}
	return e ? e : classes.broken;
}

static enum err record(struct db *db, struct arena *a, const struct timeout_run *run, bool ok)
{
	const char *args[] = { arena_int(a, run->duration_ms), arena_int(a, run->timed_out),
			       arena_int(a, run->missed), arena_int(a, run->settled),
			       ok ? "true" : "false" };

	return db_write(db, a, SQL_RECORD, 5, args, NULL);
}

static enum err catch_up(struct db *db, struct timeout_run *run)
{
	(void)run;
	return zoom_intake_catch_up(db);
}

static enum err review(struct db *db, struct timeout_run *run)
{
	return zoom_review(db, &run->rematched);
}

static enum err time_out(struct db *db, struct timeout_run *run)
{
	return batches(db, SQL_TIME_OUT, NULL, run);
}

static enum err miss(struct db *db, struct timeout_run *run)
{
	return batches(db, SQL_MISS, &run->missed, NULL);
}

static enum err fold(struct db *db, struct timeout_run *run)
{
	int64_t folded = 0;

	(void)run;
	return batches(db, SQL_FOLD, &folded, NULL);
}

/*
 * Every part is tried, whatever became of those before it; the first error. Where the database is
 * away they would only wait for it one after the other.
 */
static enum err run_parts(struct db *db, struct timeout_run *run)
{
	static enum err (*const parts[])(struct db *, struct timeout_run *) = {
		catch_up, review, settle_unsettled, time_out, miss, fold
	};
	struct db_run all = { 0 };
	enum err e = OK;

	for (size_t i = 0; !e && i < sizeof parts / sizeof *parts; i++)
		e = db_run_after(db, &all, parts[i](db, run));
	return all.broken;
}

enum err timeout_run(struct db *db, struct arena *a, struct timeout_run *out)
{
	int64_t began = monotonic_ms();
	enum err e, recorded;

	*out = (struct timeout_run){ 0 };
	e = run_parts(db, out);
	out->duration_ms = monotonic_ms() - began;
	if (e)
		db_deadline(db, LAST_WORD_MS);
	recorded = record(db, a, out, !e);
	return e ? e : recorded;
}

enum err timeout_due(struct db *db, struct arena *a, int64_t *active, int64_t *unopened)
{
	struct db_rows r;
	enum err e = db_read(db, a, SQL_DUE, 0, NULL, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_INTERNAL;
	*active = db_i64(&r);
	*unopened = db_i64(&r);
	return db_end(&r);
}
