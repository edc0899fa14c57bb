#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "app_parent.h"
#include "journal.h"
#include "journal_state.h"
#include "log.h"

#define OFFSET_EVERY_US INT64_C(60000000)
#define OFFSET_LASTS_MS INT64_C(120000) /* then another program's is newer, if there is one */
#define LOCK_TRIES_MS	100

static _Atomic int64_t offset_us, offset_saved_us;
static _Atomic int64_t offset_since_ms; /* CLOCK_MONOTONIC; 0: it was never measured here */

int64_t journal_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void pause_ms(long ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

/* ------------------------------------------------------------- the clock's offset */

static const char *path_of(struct arena *a, const char *dir, const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

/* Theirs lies between before and after if the clocks agree; else it is off by at least so much. */
static int64_t distance(int64_t before, int64_t theirs, int64_t after)
{
	if (theirs < before)
		return theirs - before;
	return theirs > after ? theirs - after : 0;
}

/* A crash or a full disk leaves the offset that was there before. */
static void save_offset(const char *dir, int64_t offset)
{
	struct arena *a = arena_new();
	const char *new = arena_printf(a, "%s/offset.%d", dir, (int)getpid());
	FILE *f = fopen(new, "we");
	bool ok = f && fprintf(f, "%" PRId64 "\n", offset) > 0;

	if (f && fclose(f))
		ok = false;
	if (!ok || rename(new, path_of(a, dir, "offset")))
		unlink(new);
	arena_free(a);
}

void journal_note_clock(const char *dir, int64_t before_us, int64_t theirs_us, int64_t after_us)
{
	int64_t now = journal_now_us(), saved = atomic_load(&offset_saved_us);
	int64_t offset = distance(before_us, theirs_us, after_us);

	atomic_store(&offset_us, offset);
	atomic_store(&offset_since_ms, monotonic_ms());
	if (now >= saved && now - saved < OFFSET_EVERY_US)
		return;
	atomic_store(&offset_saved_us, now);
	save_offset(dir, offset);
}

/* What a program of this node has measured last, or instead. */
static int64_t saved_offset(const char *dir, int64_t instead)
{
	struct arena *a = arena_new();
	FILE *f = fopen(path_of(a, dir, "offset"), "re");
	char line[32];

	if (f && fgets(line, sizeof line, f))
		instead = strtoll(line, NULL, 10);
	if (f)
		fclose(f);
	arena_free(a);
	return instead;
}

int64_t journal_clock_offset_us(const char *dir)
{
	int64_t since_ms = atomic_load(&offset_since_ms);

	if (since_ms && monotonic_ms() - since_ms < OFFSET_LASTS_MS)
		return atomic_load(&offset_us);
	return saved_offset(dir, atomic_load(&offset_us));
}

/* ------------------------------------------------------------- files */

/* A new file is only there after a crash when its folder was synced too. */
static bool sync_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && !fsync(fd);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Whether fd is still the file at path: a replay may have set it aside between open and lock. */
static bool is_at(int fd, const char *path)
{
	struct stat mine, there;

	return !fstat(fd, &mine) && !stat(path, &there) && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

/*
 * Whoever holds a lock against us holds it for a moment, but may have been
 * stopped in it, and nobody waits for that.
 */
static bool lock_soon(int fd, int how)
{
	for (int ms = 0; ms < LOCK_TRIES_MS; ms++) {
		if (!flock(fd, how | LOCK_NB))
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		pause_ms(1);
	}
	return false;
}

/* The open journal, locked so that it is not set aside while we write; -1 on failure. */
static int open_locked(const char *path)
{
	for (int tries = 0; tries < 10; tries++) {
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		bool locked = fd >= 0 && lock_soon(fd, LOCK_SH);

		if (locked && is_at(fd, path))
			return fd;
		if (fd >= 0)
			close(fd);
		if (!locked)
			return -1;
	}
	errno = EBUSY;
	return -1;
}

/* In one piece or not at all: a rest would come behind somebody else's line. */
static bool write_once(int fd, const char *text, size_t len)
{
	ssize_t n;

	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n < len)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == len;
}

/* Behind the lines of others. */
static bool append_shared(const char *dir, struct arena *a, const char *text, size_t len)
{
	int fd = open_locked(path_of(a, dir, "journal"));
	bool ok = fd >= 0 && write_once(fd, text, len) && !fdatasync(fd) && sync_folder(dir);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* In a file of its own, for the replay to find: where the common one cannot be used. */
static bool append_apart(const char *dir, struct arena *a, const char *id, const char *text,
			 size_t len)
{
	const char *new = arena_printf(a, "%s/%s.new", dir, id);
	int fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write_once(fd, text, len) && !fdatasync(fd) &&
		  !rename(new, arena_printf(a, "%s/%s.replay", dir, id)) && sync_folder(dir);
	int why = errno;

	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !ok)
		unlink(new);
	errno = why;
	return ok;
}

const char *journal_id(struct arena *a)
{
	unsigned char raw[JOURNAL_ID_BYTES];
	char *text = arena_alloc(a, 2 * sizeof raw + 1);

	randombytes_buf(raw, sizeof raw);
	return sodium_bin2hex(text, 2 * sizeof raw + 1, raw, sizeof raw);
}

/* An entry whose line is ready to be written. */
struct line {
	struct journal_entry entry;
	const char *text;
	size_t len;
};

static struct line line_of(const char *dir, struct arena *a, const struct journal_entry *entry)
{
	struct line l = { .entry = *entry };

	if (!l.entry.id)
		l.entry.id = journal_id(a);
	if (!l.entry.happened_us)
		l.entry.happened_us = journal_now_us();
	l.entry.offset_us = journal_clock_offset_us(dir);
	l.entry.address = address_network(a, l.entry.address);
	/* A line end first: what a crash tore off before stays a line of its own. */
	l.text = arena_printf(a, "\n%s\n", journal_line(a, &l.entry));
	l.len = strlen(l.text);
	return l;
}

static const char *joined(struct arena *a, const struct line *lines, size_t n, size_t *len)
{
	char *text, *end;

	*len = 0;
	for (size_t i = 0; i < n; i++)
		*len += lines[i].len;
	text = end = arena_alloc(a, *len);
	for (size_t i = 0; i < n; i++) {
		memcpy(end, lines[i].text, lines[i].len);
		end += lines[i].len;
	}
	return text;
}

static void lose(const struct journal_entry *e)
{
	log_error("JOURNAL: a %s of session %" PRId64 " at %" PRId64 " us could not be written: %s",
		  journal_kind_name(e->kind), e->session_id, e->happened_us + e->offset_us,
		  strerror(errno));
	journal_count_lost();
}

enum err journal_append(const char *dir, struct arena *a, const struct journal_entry *entries,
			size_t n)
{
	struct line *lines = arena_alloc(a, n * sizeof *lines);
	enum err e = OK;
	const char *text;
	size_t len;

	for (size_t i = 0; i < n; i++)
		lines[i] = line_of(dir, a, &entries[i]);
	text = joined(a, lines, n, &len);
	if (append_shared(dir, a, text, len) || append_apart(dir, a, lines[0].entry.id, text, len))
		return OK;
	/* A disk without room for all may have some for a few. */
	for (size_t i = 0; i < n; i++) {
		const struct line *l = &lines[i];

		if (n > 1 && append_apart(dir, a, l->entry.id, l->text, l->len))
			continue;
		lose(&l->entry);
		e = ERR_UNAVAILABLE;
	}
	return e;
}

enum err journal_rotate(const char *dir)
{
	struct arena *a = arena_new();
	const char *path = path_of(a, dir, "journal");
	const char *aside =
		arena_printf(a, "%s/%" PRId64 "-%d.replay", dir, journal_now_us(), (int)getpid());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd < 0) {
		ok = errno == ENOENT;
	} else {
		/* Waits for those who write now; whoever comes later opens a new file. */
		ok = !fstat(fd, &st) && S_ISREG(st.st_mode) && lock_soon(fd, LOCK_EX) &&
		     (!is_at(fd, path) || !rename(path, aside));
	}
	if (!ok)
		log_error("journal: cannot set %s aside: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	arena_free(a);
	return ok ? OK : ERR_UNAVAILABLE;
}
