#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "journal.h"
#include "journal_state.h"
#include "log.h"

static _Atomic int64_t *lost; /* shared with every program of this node */

void journal_state_open(const char *dir)
{
	struct arena *a = arena_new();
	const char *path = arena_printf(a, "%s/lost", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *shared = MAP_FAILED;

	if (fd >= 0 && !posix_fallocate(fd, 0, sizeof *lost))
		shared = mmap(NULL, sizeof *lost, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared != MAP_FAILED)
		lost = shared;
	else
		log_error("JOURNAL: %s cannot be used: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	arena_free(a);
}

void journal_count_lost(void)
{
	if (lost)
		atomic_fetch_add(lost, 1);
}

/* Where it is not there, what writes to the folder could not make it, and counts nothing. */
static bool read_lost(struct arena *a, const char *dir, int64_t *n)
{
	const char *path = arena_printf(a, "%s/lost", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool whole = fd >= 0 && read(fd, n, sizeof *n) == sizeof *n;

	if (fd >= 0)
		close(fd);
	if (!whole)
		log_error("journal: cannot read %s", path);
	return whole;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && !strcmp(name + len - n, end);
}

/* A file of the folder; it may have gone meanwhile. */
static void look_at(const char *path, const char *name, int64_t now_s, struct journal_state *out)
{
	struct stat st;

	if (ends_with(name, ".bad"))
		out->bad++;
	if ((strcmp(name, "journal") != 0 && !ends_with(name, ".replay")) || stat(path, &st) ||
	    !st.st_size)
		return;
	out->files++;
	out->bytes += st.st_size;
	if (now_s - st.st_mtime > out->oldest_s)
		out->oldest_s = now_s - st.st_mtime;
}

enum err journal_state_read(const char *dir, struct journal_state *out)
{
	struct arena *a = arena_new();
	int64_t now_s = journal_now_us() / 1000000;
	DIR *folder = opendir(dir);
	struct dirent *entry;
	bool known;

	*out = (struct journal_state){ 0 };
	known = read_lost(a, dir, &out->lost) && folder;
	while (folder && (entry = readdir(folder)))
		look_at(arena_printf(a, "%s/%s", dir, entry->d_name), entry->d_name, now_s, out);
	if (folder)
		closedir(folder);
	else
		log_error("journal: cannot read %s: %s", dir, strerror(errno));
	arena_free(a);
	return known ? OK : ERR_UNAVAILABLE;
}

static bool is_left_over(const char *name)
{
	return ends_with(name, ".bad") || ends_with(name, ".new") ||
	       !strncmp(name, "offset.", strlen("offset."));
}

int64_t journal_forget(const char *dir, int64_t days)
{
	int64_t before_s = journal_now_us() / 1000000 - days * 86400, gone = 0;
	struct arena *a = arena_new();
	DIR *folder = opendir(dir);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		const char *path = arena_printf(a, "%s/%s", dir, entry->d_name);
		struct stat st;

		if (!is_left_over(entry->d_name))
			continue;
		if (!stat(path, &st) && st.st_mtime < before_s && !unlink(path))
			gone++;
	}
	if (folder)
		closedir(folder);
	arena_free(a);
	return gone;
}
