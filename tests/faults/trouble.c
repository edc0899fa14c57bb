/*
 * trouble.so, preloaded into an instance: trouble on demand, by files that a test makes.
 *
 * pg/full          beside the cluster's files: none of its tables grows ("no space left on device")
 * journal.full     beside the folder: what is written to the journal breaks off in the middle
 * PG_SOCKETS/stuck beside the database's socket: whoever connects to it is stuck until the file
 * goes
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Whether fd is a file in a folder of that name beside which, or in whose parent, lies flag. */
static int in_trouble(int fd, const char *folder, const char *flag)
{
	char link[64], path[4096], *at;
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 64);
	if (len < 0)
		return 0;
	path[len] = '\0';
	at = strstr(path, folder);
	if (!at)
		return 0;
	snprintf(at, 64, "/%s", flag);
	return !access(path, F_OK);
}

static ssize_t positioned(const char *name, int fd, const void *data, size_t len, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t);
	struct stat st;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	if (in_trouble(fd, "/base/", "full") && !fstat(fd, &st) && at + (off_t)len > st.st_size) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t len, off_t at);

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return positioned("pwrite", fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at)
{
	return positioned("pwrite64", fd, data, len, at);
}

ssize_t write(int fd, const void *data, size_t len)
{
	static ssize_t (*real)(int, const void *, size_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "write");
	if (len > 1 && in_trouble(fd, "/journal/", "journal.full"))
		len /= 2;
	return real(fd, data, len);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int (*real)(int, const struct sockaddr *, socklen_t);
	char path[sizeof(struct sockaddr_un) + 8], *end;

	*(void **)&real = dlsym(RTLD_NEXT, "connect");
	if (to->sa_family == AF_UNIX) {
		snprintf(path, sizeof path, "%s", ((const struct sockaddr_un *)to)->sun_path);
		end = strstr(path, "/.s.PGSQL.");
		if (end)
			memcpy(end, "/stuck", 7);
		while (end && !access(path, F_OK))
			nanosleep(&pause, NULL);
	}
	return real(fd, to, len);
}
