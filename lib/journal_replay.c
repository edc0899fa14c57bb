#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_parent.h"
#include "click.h"
#include "evidence.h"
#include "journal.h"
#include "journal_replay.h"
#include "log.h"
#include "session_action.h"

#define LINE_BYTES_MAX 2048
#define DEADLINE_MS    10000 /* of one line's transaction */

static const char SQL_ONCE[] = "INSERT INTO journal_lines (id) VALUES ($1)"
			       " ON CONFLICT (id) DO NOTHING RETURNING us(clock_now())";

static const char SQL_FORGET[] =
	"DELETE FROM journal_lines WHERE applied_at < clock_now() - interval '30 days'";

static const char SQL_FIND[] =
	"SELECT s.id, s.superseded_by, us((SELECT min(e.happened_at) FROM session_events e"
	"  WHERE e.session_id = s.id AND e.kind = 'superseded'))"
	" FROM sessions s WHERE s.id = $1::bigint AND ($2::uuid IS NULL OR s.link_id = $2::uuid)";

/* Whether the login that came along had begun by then; one that has ended since cannot be known. */
static const char SQL_SIGNED_IN[] =
	"SELECT count(*) FROM logins l JOIN accounts a ON a.id = l.account_id"
	" WHERE l.token_hash = $1::bytea AND a.disabled_at IS NULL"
	" AND l.created_at <= at_us($2::bigint)";

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

/* A person's click: evidence, unless an earlier one started the class already. */
static enum err start_class(struct db *db, struct arena *a, const struct observation *seen,
			    struct session_row *row, const char **verdict)
{
	const struct decision *d = &row->decided;
	enum err e = OK;

	if (!d->has_click || d->corrected || d->clicked_us > seen->happened_us) {
		e = evidence_add(db, a, row->id, seen, NULL);
		if (!e)
			e = evidence_settle(db, a, row);
	}
	if (d->has_end && seen->happened_us > d->ended_us)
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
	struct observation seen = *click;

	seen.kind = "click_ignored";
	seen.detail = arena_printf(a, "{\"why\": \"%s\", \"journal\": true}", why);
	seen.dedupe = row->decided.has_end ? arena_printf(a, "ignored:%s%lld", why,
							  (long long)row->decided.ended_us)
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

static enum err apply(struct db *db, struct arena *a, const struct journal_entry *line,
		      struct journal_replay *out)
{
	bool is_new = false;
	enum err e;

	db_deadline(db, DEADLINE_MS);
	e = db_begin(db);
	if (!e)
		e = db_finish(db, apply_in(db, a, line, &is_new));
	if (!e && is_new)
		out->applied++;
	if (!e && !is_new)
		out->repeated++;
	return e;
}

/* A line that nobody can read is not thrown away. False: it could not be kept either. */
static bool keep_bad(const char *path, const char *text)
{
	struct arena *a = arena_new();
	FILE *f = fopen(arena_printf(a, "%s.bad", path), "ae");
	bool ok = f && fprintf(f, "%s\n", text) > 0 && !fflush(f) && !fdatasync(fileno(f));

	if (f && fclose(f))
		ok = false;
	log_error("JOURNAL: a line that cannot be read, of %zu bytes in %s, %s", strlen(text), path,
		  ok ? "was kept" : "stays there");
	arena_free(a);
	return ok;
}

/*
 * Replays one line. ERR_INVALID: it was bad and is kept. ERR_INTERNAL: the
 * database cannot take it as things are; it has to stay where it is.
 */
static enum err replay_line(const char *path, const char *text, struct db *db,
			    struct journal_replay *out)
{
	struct arena *a = arena_new();
	struct journal_entry line;
	enum err e = journal_parse(a, text, &line);

	if (!e) {
		e = apply(db, a, &line, out);
		if (e && e != ERR_UNAVAILABLE && e != ERR_IN_DOUBT && e != ERR_INVALID) {
			log_error("JOURNAL: a line of session %lld in %s waits: %s",
				  (long long)line.session_id, path, err_title(e));
			e = ERR_INTERNAL;
		}
	}
	if (e == ERR_INVALID && !keep_bad(path, text))
		e = ERR_INTERNAL;
	arena_free(a);
	return e;
}

static enum err replay_lines(const char *path, FILE *f, struct db *db, struct journal_replay *out)
{
	char text[LINE_BYTES_MAX];
	enum err e = OK, kept = OK;

	while (fgets(text, sizeof text, f)) {
		if (out->until_ms && monotonic_ms() >= out->until_ms) {
			out->is_cut = true;
			return ERR_UNAVAILABLE;
		}
		text[strcspn(text, "\n")] = '\0';
		e = *text ? replay_line(path, text, db, out) : OK;
		if (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
			return e;
		if (e == ERR_INVALID)
			out->bad++;
		else if (e)
			kept = ERR_UNAVAILABLE; /* the lines behind it wait for nobody */
	}
	if (ferror(f)) {
		log_error("journal: cannot read %s: %s", path, strerror(errno));
		return ERR_UNAVAILABLE;
	}
	return kept;
}

static enum err replay_file(const char *path, struct db *db, struct journal_replay *out)
{
	FILE *f = fopen(path, "re");
	enum err e;

	if (!f && errno == ENOENT)
		return OK; /* another run was quicker */
	if (!f) {
		log_error("journal: cannot open %s: %s", path, strerror(errno));
		return ERR_UNAVAILABLE;
	}
	e = replay_lines(path, f, db, out);
	fclose(f);
	if (!e && unlink(path) && errno != ENOENT)
		log_error("journal: cannot remove %s: %s", path, strerror(errno));
	return e;
}

static bool is_replay(const char *name)
{
	size_t len = strlen(name), end = strlen(".replay");

	return len > end && !strcmp(name + len - end, ".replay");
}

/* One file that cannot be replayed keeps no other back. */
static enum err replay_folder(const char *dir, struct db *db, struct journal_replay *out)
{
	DIR *folder = opendir(dir);
	struct dirent *entry;
	enum err e = OK;

	if (!folder) {
		log_error("journal: cannot read %s: %s", dir, strerror(errno));
		return ERR_UNAVAILABLE;
	}
	while (!out->is_cut && (entry = readdir(folder))) {
		struct arena *a = arena_new();
		enum err one = OK;

		if (is_replay(entry->d_name))
			one = replay_file(arena_printf(a, "%s/%s", dir, entry->d_name), db, out);
		e = e ? e : one;
		arena_free(a);
	}
	closedir(folder);
	return e;
}

enum err journal_replay(const char *dir, struct db *db, int limit_ms, struct journal_replay *out)
{
	struct arena *a = arena_new();
	enum err e, rotated;

	*out = (struct journal_replay){ .until_ms = limit_ms ? monotonic_ms() + limit_ms : 0 };
	rotated = journal_rotate(dir);
	e = replay_folder(dir, db, out);
	if (!e || out->is_cut)
		e = rotated;
	if (!e && out->applied)
		e = db_write(db, a, SQL_FORGET, 0, NULL, NULL);
	arena_free(a);
	return e;
}
