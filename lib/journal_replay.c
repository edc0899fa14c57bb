#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_parent.h"
#include "db_there.h"
#include "journal_apply.h"
#include "journal_replay.h"
#include "log.h"

#define LINE_BYTES_MAX 2048
#define GROUP_MAX      50 /* lines in one transaction: one sync for all, and no lock held for long */
#define FAILURES_MAX   10 /* classes one after the other: then it is not their own fault */

static const char SQL_FORGET[] =
	"DELETE FROM journal_lines WHERE applied_at < clock_now() - interval '30 days'";

/* Applies some lines, and counts them. */
static enum err apply(struct db *db, struct arena *a, const struct journal_entry *lines, size_t n,
		      struct journal_replay *out)
{
	int64_t applied;
	enum err e = journal_apply(db, a, lines, n, &applied);

	if (e)
		return e;
	out->applied += applied;
	out->repeated += (int64_t)n - applied;
	return OK;
}

/* Whether an earlier run has put the line aside: its file was left for another line's sake. */
static bool is_kept(const char *bad, const char *text)
{
	FILE *f = fopen(bad, "re");
	char line[LINE_BYTES_MAX];
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strcmp(line, text);
	}
	if (f)
		fclose(f);
	return found;
}

/* A line that nobody can read is not thrown away. False: it could not be kept either. */
static bool keep_bad(const char *path, const char *bad, const char *text)
{
	FILE *f = fopen(bad, "ae");
	bool ok = f && fprintf(f, "%s\n", text) > 0 && !fflush(f) && !fdatasync(fileno(f));

	if (f && fclose(f))
		ok = false;
	log_error("JOURNAL: a line that cannot be read, of %zu bytes in %s, %s", strlen(text), path,
		  ok ? "was kept" : "stays there");
	return ok;
}

/* Some lines of a file; those that can be read. */
struct group {
	const char *path;
	struct arena *arena;
	const char *texts[GROUP_MAX];
	struct journal_entry lines[GROUP_MAX];
	size_t n;
};

/* Bad lines are counted when they are kept. ERR_INTERNAL: it has to stay where it is. */
static enum err put_aside(const struct group *g, const char *text, struct journal_replay *out)
{
	const char *bad = arena_printf(g->arena, "%s.bad", g->path);

	if (is_kept(bad, text))
		return OK;
	if (!keep_bad(g->path, bad, text))
		return ERR_INTERNAL;
	out->bad++;
	return OK;
}

/* Fills the group. ERR_INTERNAL: a bad line could not be kept. */
static enum err take_lines(struct group *g, FILE *f, struct journal_replay *out)
{
	char text[LINE_BYTES_MAX];
	enum err kept = OK;

	while (g->n < GROUP_MAX && fgets(text, sizeof text, f)) {
		text[strcspn(text, "\n")] = '\0';
		if (!*text)
			continue;
		g->texts[g->n] = arena_copy(g->arena, text, strlen(text));
		if (!journal_parse(g->arena, g->texts[g->n], &g->lines[g->n]))
			g->n++;
		else if (put_aside(g, text, out))
			kept = ERR_INTERNAL;
	}
	return kept;
}

/* ERR_INTERNAL: the database cannot take it as things are; it has to stay where it is. */
static enum err replay_one(const struct group *g, size_t i, struct db *db,
			   struct journal_replay *out)
{
	enum err e = apply(db, g->arena, &g->lines[i], 1, out);

	if (!e || e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
		return e;
	if (e == ERR_INVALID)
		return put_aside(g, g->texts[i], out);
	log_error("JOURNAL: a line of session %lld in %s waits: %s",
		  (long long)g->lines[i].session_id, g->path, err_title(e));
	return ERR_INTERNAL;
}

/* Whether the run has had its time; the next one goes on. */
static bool is_time_over(struct journal_replay *out)
{
	out->is_cut |= out->until_ms && monotonic_ms() >= out->until_ms;
	return out->is_cut;
}

/* Whether line i's class had no time for a line before it: it is held, or too much for a moment. */
static bool is_stuck(const struct group *g, const bool *too_slow, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (too_slow[j] && g->lines[j].session_id == g->lines[i].session_id)
			return true;
	return false;
}

/* One by one. The lines behind one that has to wait wait for nobody. */
static enum err replay_each(const struct group *g, struct db *db, struct journal_replay *out)
{
	bool too_slow[GROUP_MAX] = { false };
	enum err e, kept = OK;
	int failures = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (is_time_over(out))
			return ERR_UNAVAILABLE;
		if (is_stuck(g, too_slow, i))
			continue;
		e = replay_one(g, i, db, out);
		too_slow[i] = e == ERR_UNAVAILABLE;
		failures = too_slow[i] ? failures + 1 : 0;
		if (e == ERR_IN_DOUBT ||
		    (too_slow[i] && (failures == FAILURES_MAX || !db_is_there(db))))
			return e;
		if (too_slow[i])
			e = ERR_INTERNAL;
		kept = kept ? kept : e;
	}
	return kept;
}

/* All at once; where that fails one by one, so that a line fails for itself alone. */
static enum err replay_group(const struct group *g, struct db *db, struct journal_replay *out)
{
	enum err e;

	if (!g->n)
		return OK;
	e = apply(db, g->arena, g->lines, g->n, out);
	if (!e || e == ERR_IN_DOUBT || (e == ERR_UNAVAILABLE && !db_is_there(db)))
		return e;
	return replay_each(g, db, out);
}

/* One group of a file's lines; *more: it was a full one. */
static enum err replay_some(const char *path, FILE *f, struct db *db, struct journal_replay *out,
			    bool *more)
{
	struct arena *a = arena_new();
	struct group *g = arena_alloc(a, sizeof *g);
	enum err e, kept;

	g->path = path;
	g->arena = a;
	g->n = 0;
	kept = take_lines(g, f, out);
	*more = g->n == GROUP_MAX;
	e = replay_group(g, db, out);
	arena_free(a);
	return e ? e : kept;
}

static enum err replay_lines(const char *path, FILE *f, struct db *db, struct journal_replay *out)
{
	enum err kept = OK;
	bool more = true;

	while (more) {
		enum err e;

		if (is_time_over(out))
			return ERR_UNAVAILABLE;
		e = replay_some(path, f, db, out, &more);
		if (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
			return e;
		if (e)
			kept = ERR_UNAVAILABLE;
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
