#include <string.h>

#include "click.h"
#include "evidence.h"
#include "journal_apply.h"
#include "login.h"
#include "outbox.h"
#include "session_action.h"

#define APPLY_MS 10000 /* the deadline of a call */
#define LINE_MS	 2000  /* the same for a line alone */

static const char SQL_ONCE[] = "INSERT INTO journal_lines (id) VALUES ($1)"
			       " ON CONFLICT (id) DO NOTHING RETURNING us(clock_now())";

/* In the order in which all lock who lock several, so that none waits for the other. */
static const char SQL_LOCK[] =
	"SELECT FROM sessions WHERE id = ANY ($1::bigint[]) ORDER BY id FOR NO KEY UPDATE";

static const char SQL_FIND[] =
	"SELECT s.id, s.superseded_by, us((SELECT min(e.happened_at) FROM session_events e"
	"  WHERE e.session_id = s.id AND e.kind = 'superseded'))"
	" FROM sessions s WHERE s.id = $1::bigint AND ($2::uuid IS NULL OR s.link_id = $2::uuid)";

/* Whether the login that came along was good then; of one that has ended since nothing is known. */
static const char SQL_SIGNED_IN[] =
	"SELECT count(*) FROM logins l JOIN accounts a ON a.id = l.account_id"
	" WHERE l.token_hash = $1::bytea AND l.created_at <= at_us($2::bigint)"
	" AND " LOGIN_IS_GOOD_AT("at_us($2::bigint)");

/*
 * The session that a click at that moment belongs to: the link's own, or the
 * newer one, if the link was superseded by then. 0: none is here.
 */
static enum err find_session(struct db *db, struct arena *a, const struct journal_entry *line,
			     int64_t happened_us, int64_t *id)
{
	const char *args[] = { arena_int(a, line->session_id), line->link_id };

	for (int hops = 0; hops < 50; hops++) {
		struct db_rows r;
		int64_t newer, since;
		enum err e = db_read(db, a, SQL_FIND, 2, args, &r);

		if (e)
			return e;
		if (!db_next(&r)) {
			*id = 0;
			return OK;
		}
		*id = db_i64(&r);
		newer = db_i64_or(&r, 0);
		since = db_i64_or(&r, INT64_MAX);
		e = db_end(&r);
		if (e || !newer || happened_us < since)
			return e;
		args[0] = arena_int(a, newer);
		args[1] = NULL;
	}
	return OK;
}

/* The moment by the database's clock, not before the link was sent and not after now. */
static int64_t moment_of(const struct journal_entry *line, int64_t sent_us, int64_t now_us,
			 const char **detail)
{
	int64_t at = line->happened_us + line->offset_us;
	int64_t clamped = at > now_us ? now_us : at;

	if (clamped < sent_us)
		clamped = sent_us;
	*detail = clamped == at ? "{\"journal\": true}" : "{\"journal\": true, \"clamped\": true}";
	return clamped;
}

static enum err is_signed_in(struct db *db, struct arena *a, const struct journal_entry *line,
			     int64_t happened_us, bool *yes)
{
	const char *args[] = { line->login, arena_int(a, happened_us) };
	struct db_rows r;
	int64_t n = 0;
	enum err e = OK;

	if (line->login)
		e = db_read(db, a, SQL_SIGNED_IN, 2, args, &r);
	if (!e && line->login)
		e = db_one_i64(&r, &n);
	*yes = n > 0;
	return e;
}

/*
 * A person's click: evidence, unless an earlier one started the class already.
 * The teacher is told of a class that began with it and still runs.
 */
static enum err start_class(struct db *db, struct arena *a, const struct observation *seen,
			    struct session_row *row, const char **verdict)
{
	const struct decision *d = &row->decided;
	bool had_begun = d->has_click;
	enum err e = OK;

	if (!d->has_click || d->corrected || d->clicked_us > seen->happened_us) {
		e = evidence_add(db, a, row->id, seen, NULL);
		if (!e)
			e = evidence_settle(db, a, row);
	}
	if (!e && !had_begun && d->status == STATUS_ACTIVE)
		e = outbox_add_class_opened(db, a, row->id);
	if (seen->happened_us > evidence_over_us(d))
		*verdict = "late";
	else if (d->status == STATUS_CANCELLED)
		*verdict = "cancelled";
	else if (d->status == STATUS_MISSED)
		*verdict = "expired";
	return e;
}

/* One a kind and end, as for clicks that reach the database: lib/click.c. */
static enum err note_ignored(struct db *db, struct arena *a, const struct observation *click,
			     const struct session_row *row, const char *why)
{
	int64_t over_us = evidence_over_us(&row->decided);
	struct observation seen = *click;

	seen.kind = "click_ignored";
	seen.detail = arena_printf(a, "{\"why\": \"%s\", \"journal\": true}", why);
	seen.dedupe = click->happened_us > over_us
			      ? arena_printf(a, "ignored:%s%lld", why, (long long)over_us)
			      : arena_printf(a, "ignored:%s", why);
	return evidence_add(db, a, row->id, &seen, NULL);
}

static enum err judge_click(struct db *db, struct arena *a, const struct journal_entry *line,
			    const struct observation *seen, int64_t id, const char **verdict)
{
	struct session_row row;
	bool signed_in = false;
	enum err e = session_lock(db, a, id, &row);

	*verdict = "human";
	if (!e)
		e = is_signed_in(db, a, line, seen->happened_us, &signed_in);
	if (!e && signed_in)
		*verdict = "signed_in";
	else if (!e)
		e = start_class(db, a, seen, &row, verdict);
	if (!e && (signed_in || !strcmp(*verdict, "late")))
		e = note_ignored(db, a, seen, &row, *verdict);
	return e;
}

/* What the click was known by from the start; lines of version 1 had no such id. */
static const char *click_key(const struct journal_entry *line)
{
	size_t len = strlen(line->id);

	return len == 2 * JOURNAL_ID_BYTES && strspn(line->id, "0123456789abcdef") == len ? line->id
											  : NULL;
}

static enum err apply_click(struct db *db, struct arena *a, const struct journal_entry *line,
			    int64_t now_us)
{
	struct observation seen = { .kind = "clicked", .source = SOURCE_STUDENT };
	const struct click click = { .key = click_key(line),
				     .address = line->address,
				     .agent = line->agent };
	const char *verdict = "orphan";
	int64_t id = 0;
	enum err e;

	seen.happened_us = moment_of(line, line->sent_us, now_us, &seen.detail);
	seen.dedupe = arena_printf(a, "journal:%s", line->id);
	e = find_session(db, a, line, seen.happened_us, &id);
	if (!e && id)
		e = judge_click(db, a, line, &seen, id, &verdict);
	return e ? e : click_keep(db, a, &click, id, seen.happened_us, verdict);
}

static enum err apply_left(struct db *db, struct arena *a, const struct journal_entry *line,
			   int64_t now_us)
{
	struct session_row row;
	const char *detail;
	enum err e = session_lock(db, a, line->session_id, &row);
	int64_t at;

	if (e)
		return e == ERR_NOT_FOUND ? OK : e; /* a restored backup: nothing to end */
	at = moment_of(line, row.sent_us, now_us, &detail);
	return session_teacher_left_in(db, a, line->session_id, at, detail);
}

static enum err apply_in(struct db *db, struct arena *a, const struct journal_entry *line,
			 bool *is_new)
{
	const char *args[] = { line->id };
	int64_t now_us;
	struct db_rows r;
	enum err e = db_write(db, a, SQL_ONCE, 1, args, &r);

	if (e)
		return e;
	*is_new = db_count(&r) == 1;
	if (!*is_new)
		return OK;
	e = db_one_i64(&r, &now_us);
	if (e)
		return e;
	return line->kind == JOURNAL_LEFT ? apply_left(db, a, line, now_us)
					  : apply_click(db, a, line, now_us);
}

static enum err lock_sessions(struct db *db, struct arena *a, const struct journal_entry *lines,
			      size_t n)
{
	int64_t *ids = arena_alloc(a, n * sizeof *ids);
	const char *args[1];

	for (size_t i = 0; i < n; i++)
		ids[i] = lines[i].session_id;
	args[0] = db_i64_array(a, ids, n);
	return db_write(db, a, SQL_LOCK, 1, args, NULL);
}

enum err journal_apply(struct db *db, struct arena *a, const struct journal_entry *lines, size_t n,
		       int64_t *applied)
{
	int64_t fresh = 0;
	enum err e;

	*applied = 0;
	db_deadline(db, n > 1 ? APPLY_MS : LINE_MS);
	e = db_begin(db);
	if (e)
		return e;
	if (n > 1)
		e = lock_sessions(db, a, lines, n);
	for (size_t i = 0; i < n && !e; i++) {
		bool is_new = false;

		e = apply_in(db, a, &lines[i], &is_new);
		fresh += is_new;
	}
	e = db_finish(db, e);
	if (!e)
		*applied = fresh;
	return e;
}
