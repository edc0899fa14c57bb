#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "click.h"
#include "evidence.h"
#include "journal.h"
#include "journal_replay.h"
#include "log.h"
#include "session_action.h"

#define LINE_BYTES_MAX 2048
#define DEADLINE_MS    10000 /* of one line's transaction */

static const char SQL_ONCE[] =
	"INSERT INTO journal_lines (id) VALUES ($1) ON CONFLICT (id) DO NOTHING";

static const char SQL_FORGET[] =
	"DELETE FROM journal_lines WHERE applied_at < clock_now() - interval '30 days'";

static const char SQL_FIND[] =
	"SELECT s.id, s.superseded_by, us((SELECT min(e.happened_at) FROM session_events e"
	"  WHERE e.session_id = s.id AND e.kind = 'superseded'))"
	" FROM sessions s WHERE s.id = $1::bigint AND ($2::uuid IS NULL OR s.link_id = $2::uuid)";

static const char SQL_EARLIER[] =
	"SELECT count(*) FROM session_events WHERE session_id = $1::bigint AND kind = 'clicked'"
	" AND happened_at <= at_us($2::bigint)";

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

static enum err has_earlier_click(struct db *db, struct arena *a, int64_t id, int64_t happened_us,
				  bool *yes)
{
	const char *args[] = { arena_int(a, id), arena_int(a, happened_us) };
	struct db_rows r;
	int64_t n = 0;
	enum err e = db_read(db, a, SQL_EARLIER, 2, args, &r);

	if (!e)
		e = db_one_i64(&r, &n);
	*yes = n > 0;
	return e;
}

/* The moment by the database's clock, not before the link was sent and not after now. */
static int64_t moment_of(const struct journal_entry *line, int64_t now_us, const char **detail)
{
	int64_t at = line->happened_us + line->offset_us;
	int64_t clamped = at > now_us ? now_us : at;

	if (clamped < line->sent_us)
		clamped = line->sent_us;
	*detail = clamped == at ? "{\"journal\": true}" : "{\"journal\": true, \"clamped\": true}";
	return clamped;
}

static enum err apply_click(struct db *db, struct arena *a, const struct journal_entry *line,
			    int64_t now_us)
{
	struct observation seen = { .kind = "clicked", .source = SOURCE_STUDENT };
	struct click click = { .address = line->address, .agent = line->agent };
	const char *verdict = "orphan";
	struct session_row row;
	bool earlier = false;
	int64_t id = 0;
	enum err e;

	seen.happened_us = moment_of(line, now_us, &seen.detail);
	seen.dedupe = arena_printf(a, "journal:%s", line->id);
	e = find_session(db, a, line, seen.happened_us, &id);
	if (!e && id) {
		verdict = "human";
		e = session_lock(db, a, id, &row);
		if (!e)
			e = has_earlier_click(db, a, id, seen.happened_us, &earlier);
		if (!e && !earlier)
			e = evidence_add(db, a, id, &seen, NULL);
		if (!e)
			e = evidence_settle(db, a, &row);
		if (!e && row.decided.has_end && seen.happened_us > row.decided.ended_us)
			verdict = "late";
	}
	return e ? e : click_keep(db, a, &click, id, seen.happened_us, verdict);
}

static enum err apply_left(struct db *db, struct arena *a, const struct journal_entry *line,
			   int64_t now_us)
{
	const char *detail;
	enum err e =
		session_teacher_left_in(db, a, line->session_id, moment_of(line, now_us, &detail));

	return e == ERR_NOT_FOUND ? OK : e; /* a restored backup: there is nothing to end */
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
	*is_new = db_affected(&r) == 1;
	if (!*is_new)
		return OK;
	e = db_read(db, a, "SELECT us(clock_now())", 0, NULL, &r);
	if (!e)
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

/* A line that nobody can read is not thrown away. */
static void keep_bad(const char *path, const char *text)
{
	struct arena *a = arena_new();
	FILE *f = fopen(arena_printf(a, "%s.bad", path), "ae");

	log_error("JOURNAL: kept a line that cannot be replayed, of %zu bytes in %s", strlen(text),
		  path);
	if (f) {
		fprintf(f, "%s\n", text);
		fclose(f);
	}
	arena_free(a);
}

static enum err replay_file(const char *path, struct db *db, struct journal_replay *out)
{
	char text[LINE_BYTES_MAX];
	FILE *f = fopen(path, "re");
	enum err e = OK;

	if (!f)
		return errno == ENOENT ? OK : ERR_UNAVAILABLE; /* another run was quicker */
	while (!e && fgets(text, sizeof text, f)) {
		struct arena *a = arena_new();
		struct journal_entry line;

		text[strcspn(text, "\n")] = '\0';
		if (*text) {
			bool damaged = journal_parse(a, text, &line) != OK;

			e = damaged ? ERR_INVALID : apply(db, a, &line, out);
		}
		if (e && e != ERR_UNAVAILABLE && e != ERR_IN_DOUBT) {
			out->bad++;
			keep_bad(path, text);
			e = OK; /* the lines behind it wait for nobody */
		}
		arena_free(a);
	}
	fclose(f);
	if (!e)
		unlink(path);
	return e;
}

static bool is_replay(const char *name)
{
	size_t len = strlen(name), end = strlen(".replay");

	return len > end && !strcmp(name + len - end, ".replay");
}

enum err journal_replay(const char *dir, struct db *db, struct journal_replay *out)
{
	struct arena *a = arena_new();
	struct dirent *entry;
	DIR *folder;
	enum err e;

	*out = (struct journal_replay){ 0 };
	e = journal_rotate(dir);
	folder = e ? NULL : opendir(dir);
	while (folder && !e && (entry = readdir(folder)))
		if (is_replay(entry->d_name))
			e = replay_file(arena_printf(a, "%s/%s", dir, entry->d_name), db, out);
	if (folder)
		closedir(folder);
	if (!e && out->applied)
		e = db_write(db, a, SQL_FORGET, 0, NULL, NULL);
	arena_free(a);
	return e;
}
