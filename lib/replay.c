#include <stdio.h>

#include "evidence.h"
#include "replay.h"

#define BATCH	    "500"
#define DEADLINE_MS 30000 /* of one batch */

static const char SQL_NEXT[] =
	"SELECT id FROM sessions WHERE id > $1::bigint ORDER BY id LIMIT " BATCH;

/* Now, or just before the moment that a job has yet to act on. */
static int64_t judged_at(const struct session_row *row)
{
	const struct decision *d = &row->decided;
	int64_t due = row->now_us;

	if (d->status == STATUS_SENT)
		due = row->sent_us + row->terms.link_s * 1000000;
	else if (d->status == STATUS_ACTIVE || d->unsettled)
		due = d->times_out_us;
	return due < row->now_us ? due - 1 : row->now_us;
}

static enum err check(struct db *db, struct arena *a, int64_t id, struct replay *out)
{
	struct session_row row;
	struct evidence *events;
	struct decision again;
	struct presence there;
	size_t n;
	enum err e = session_look(db, a, id, &row);

	if (!e)
		e = evidence_read(db, a, id, &events, &n);
	if (e)
		return e;
	evidence_fold(a, &row, events, n, judged_at(&row), &again, &there);
	out->checked++;
	if (decision_same(&row.decided, &again) && presence_same(&row.presence, &there))
		return OK;
	out->wrong++;
	printf("session %lld: its row says %s, its evidence says %s", (long long)id,
	       status_name(row.decided.status), status_name(again.status));
	printf(" (start %lld / %lld, end %lld / %lld microseconds, together %lld / %lld seconds)\n",
	       (long long)row.decided.clicked_us, (long long)again.clicked_us,
	       (long long)row.decided.ended_us, (long long)again.ended_us,
	       (long long)row.presence.both_s, (long long)there.both_s);
	return OK;
}

enum err replay_all(struct db *db, struct replay *out)
{
	int64_t last = 0;
	bool more = true;
	enum err e = OK;

	*out = (struct replay){ 0 };
	while (more && !e) {
		struct arena *a = arena_new();
		const char *args[] = { arena_int(a, last) };
		struct db_rows r;

		db_deadline(db, DEADLINE_MS);
		e = db_begin_snapshot(db);
		if (!e)
			e = db_read(db, a, SQL_NEXT, 1, args, &r);
		more = !e && db_count(&r) > 0;
		while (!e && db_next(&r)) {
			last = db_i64(&r);
			e = check(db, a, last, out);
		}
		db_rollback(db);
		arena_free(a);
	}
	return e;
}
