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

#include "base64url.h"
#include "journal.h"
#include "log.h"

#define SUM_BYTES	16
#define ID_BYTES	16
#define AGENT_BYTES_MAX 300
#define FIELDS		10 /* after the version */
#define OFFSET_EVERY_US INT64_C(60000000)

static const char *const kinds[] = { [JOURNAL_CLICK] = "click", [JOURNAL_LEFT] = "left" };

static _Atomic int64_t offset_us, offset_saved_us;
static _Atomic bool offset_known;

int64_t journal_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ------------------------------------------------------------- lines */

static const char *checksum(struct arena *a, const char *text)
{
	unsigned char sum[SUM_BYTES];

	crypto_generichash(sum, sizeof sum, (const unsigned char *)text, strlen(text), NULL, 0);
	return base64url_encode(a, sum, sizeof sum);
}

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

const char *journal_line(struct arena *a, const struct journal_entry *e)
{
	const char *agent =
		e->agent ? base64url_encode(a, e->agent, strnlen(e->agent, AGENT_BYTES_MAX)) : NULL;
	const char *text = arena_printf(
		a, "1 %s %s %" PRId64 " %" PRId64 " %" PRId64 " %s %" PRId64 " %" PRId64 " %s %s",
		kinds[e->kind], e->id, e->happened_us, e->offset_us, e->session_id,
		or_dash(e->link_id), e->sent_us, e->expires_us, or_dash(e->address),
		or_dash(agent));

	return arena_printf(a, "%s %s", text, checksum(a, text));
}

/* The next word of a line, cut off in place; NULL at the end. */
static char *word(char **rest)
{
	char *w = *rest;
	size_t len = strcspn(w, " ");

	if (!len)
		return NULL;
	*rest = w + len + (w[len] == ' ');
	w[len] = '\0';
	return w;
}

static bool number(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return !errno && end != text && !*end;
}

static const char *decoded(struct arena *a, const char *text)
{
	char bytes[AGENT_BYTES_MAX + 1];
	size_t len;

	if (!strcmp(text, "-") || base64url_decode(text, bytes, AGENT_BYTES_MAX, &len))
		return NULL;
	return arena_copy(a, bytes, len);
}

enum err journal_parse(struct arena *a, const char *line, struct journal_entry *out)
{
	const char *sum = strrchr(line, ' ');
	char *rest, *w[FIELDS + 1];
	size_t n = 0;

	if (!sum || strcmp(sum + 1, checksum(a, arena_copy(a, line, (size_t)(sum - line)))) != 0)
		return ERR_INVALID;
	rest = arena_copy(a, line, (size_t)(sum - line));
	while (n <= FIELDS && (w[n] = word(&rest)))
		n++;
	*out = (struct journal_entry){ 0 };
	if (n != FIELDS + 1 || *rest || strcmp(w[0], "1") != 0)
		return ERR_INVALID;
	out->kind = strcmp(w[1], "left") ? JOURNAL_CLICK : JOURNAL_LEFT;
	out->id = w[2];
	out->link_id = w[6];
	out->address = strcmp(w[9], "-") ? w[9] : NULL;
	out->agent = decoded(a, w[10]);
	if (!number(w[3], &out->happened_us) || !number(w[4], &out->offset_us) ||
	    !number(w[5], &out->session_id) || !number(w[7], &out->sent_us) ||
	    !number(w[8], &out->expires_us))
		return ERR_INVALID;
	return OK;
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

void journal_note_clock(const char *dir, int64_t before_us, int64_t theirs_us, int64_t after_us)
{
	int64_t now = journal_now_us(), offset = distance(before_us, theirs_us, after_us);
	struct arena *a;
	FILE *f;

	atomic_store(&offset_us, offset);
	atomic_store(&offset_known, true);
	if (now - atomic_load(&offset_saved_us) < OFFSET_EVERY_US)
		return;
	atomic_store(&offset_saved_us, now);
	a = arena_new();
	f = fopen(path_of(a, dir, "offset"), "we");
	if (f) {
		fprintf(f, "%" PRId64 "\n", offset);
		fclose(f);
	}
	arena_free(a);
}

/* As measured by this process, else as another left it, else none. */
static int64_t known_offset(const char *dir, struct arena *a)
{
	char line[32] = "";
	int64_t offset = 0;
	FILE *f;

	if (atomic_load(&offset_known))
		return atomic_load(&offset_us);
	f = fopen(path_of(a, dir, "offset"), "re");
	if (!f)
		return 0;
	if (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!number(line, &offset))
			offset = 0;
	}
	fclose(f);
	return offset;
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

/* The open journal, locked so that it is not set aside while we write; -1 on failure. */
static int open_locked(const char *path)
{
	for (int tries = 0; tries < 10; tries++) {
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return -1;
		if (!flock(fd, LOCK_SH) && is_at(fd, path))
			return fd;
		close(fd);
	}
	errno = EBUSY;
	return -1;
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static const char *make_id(struct arena *a)
{
	unsigned char raw[ID_BYTES];

	randombytes_buf(raw, sizeof raw);
	return base64url_encode(a, raw, sizeof raw);
}

enum err journal_append(const char *dir, struct arena *a, const struct journal_entry *entry)
{
	struct journal_entry e = *entry;
	const char *path = path_of(a, dir, "journal"), *text;
	struct stat st;
	bool ok;
	int fd;

	e.id = make_id(a);
	e.happened_us = journal_now_us();
	e.offset_us = known_offset(dir, a);
	/* A line end first: what a crash tore off before stays a line of its own. */
	text = arena_printf(a, "\n%s\n", journal_line(a, &e));
	fd = open_locked(path);
	ok = fd >= 0 && !fstat(fd, &st) && write_all(fd, text, strlen(text)) && !fdatasync(fd) &&
	     (st.st_size > 0 || sync_folder(dir));
	if (!ok)
		log_error("JOURNAL: a %s of session %" PRId64 " could not be written: %s",
			  kinds[e.kind], e.session_id, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok ? OK : ERR_UNAVAILABLE;
}

enum err journal_rotate(const char *dir)
{
	struct arena *a = arena_new();
	const char *path = path_of(a, dir, "journal");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err e = OK;

	if (fd < 0) {
		if (errno != ENOENT) {
			log_error("journal: cannot open %s: %s", path, strerror(errno));
			e = ERR_UNAVAILABLE;
		}
	} else {
		const char *aside = arena_printf(a, "%s/%" PRId64 "-%d.replay", dir,
						 journal_now_us(), (int)getpid());

		/* Waits for those who write now; whoever comes later opens a new file. */
		if (flock(fd, LOCK_EX) || (is_at(fd, path) && rename(path, aside))) {
			log_error("journal: cannot set %s aside: %s", path, strerror(errno));
			e = ERR_UNAVAILABLE;
		}
		close(fd);
	}
	arena_free(a);
	return e;
}
