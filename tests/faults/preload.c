/*
 * Preloaded into an instance's programs: makes the n-th of some calls fail, or
 * ends the process right before or after it, as the plan in PLAN_FILE says.
 * Built and driven by tests/faults/plan.py, which lays out the same plan.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef PLAN_FILE
#define PLAN_FILE "/nonexistent" /* plan.py says where it is */
#endif

enum call { MALLOC, READ, WRITE, SEND, RECV, POLL, OPEN, FSYNC, GETRANDOM, FILES, ACCEPT };

/* What the failing call was about. */
enum about { NOTHING, A_FILE, NGINX, DATABASE, A_SOCKET };

enum { KILL_BEFORE = -1, KILL_AFTER = -2, SHORT = -3 }; /* in place of an errno */

#define PROGRAMS 64
#define SLOTS	 65536

/* What a program is to suffer. */
struct plan {
	char program[32];
	_Atomic int32_t is_armed;
	_Atomic int32_t served; /* the process of it that used memory last */
	uint32_t calls;		/* bits by enum call */
	int32_t error;		/* errno, or one of the above */
	int32_t for_ever;	/* also each one after the n-th */
	_Atomic int32_t about;	/* the last that failed */
	int64_t n;		/* from 1 */
	_Atomic int64_t count;	/* calls so far */
	_Atomic int64_t fired;	/* of them failed */
};

static struct shared {
	struct plan plans[PROGRAMS];
	_Atomic int64_t live[SLOTS]; /* allocations that a process has not freed, by its pid */
} * shared;

static struct plan *plan; /* this program's, NULL if it has none */
static _Atomic int64_t live;

/* The C library's function. Looked up when first called: other libraries start before this one. */
#define REAL(name)                                                                                 \
	({                                                                                         \
		static __typeof__(&(name)) real;                                                   \
                                                                                                   \
		if (!real)                                                                         \
			real = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name);                       \
		real;                                                                              \
	})

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

__attribute__((constructor)) static void start(void)
{
	int fd = REAL(open)(PLAN_FILE, O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0) {
		p = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (p == MAP_FAILED)
		return;
	shared = p;
	for (int i = 0; i < PROGRAMS && !plan; i++)
		if (!strcmp(shared->plans[i].program, program_invocation_short_name))
			plan = &shared->plans[i];
}

static enum about about_of(int fd)
{
	struct sockaddr_un mine = { 0 }, theirs = { 0 };
	socklen_t n = sizeof mine, m = sizeof theirs;

	if (fd < 0)
		return NOTHING;
	if (getsockname(fd, (struct sockaddr *)&mine, &n))
		return A_FILE;
	if (getpeername(fd, (struct sockaddr *)&theirs, &m))
		m = 0;
	if (m && theirs.sun_family == AF_UNIX && strstr(theirs.sun_path, ".s.PGSQL."))
		return DATABASE;
	return mine.sun_family == AF_UNIX && strstr(mine.sun_path, ".sock") ? NGINX : A_SOCKET;
}

static bool is_meant(enum call call)
{
	return plan && plan->is_armed && plan->calls & 1U << call;
}

/* Whether this call is the one. Then errno is set, or the process is no more. */
static bool fails(enum call call, int fd, bool *kill_after)
{
	int64_t n;
	int error;

	*kill_after = false;
	if (!is_meant(call))
		return false;
	n = atomic_fetch_add(&plan->count, 1) + 1;
	if (n < plan->n || (n > plan->n && !plan->for_ever))
		return false;
	error = plan->error;
	plan->about = (int)about_of(fd);
	atomic_fetch_add(&plan->fired, 1);
	if (error == KILL_BEFORE)
		kill(getpid(), SIGKILL);
	*kill_after = error == KILL_AFTER;
	errno = error;
	return error > 0;
}

/* Whether a call of n bytes shall do half of them. */
static size_t shortened(enum call call, size_t n)
{
	return is_meant(call) && plan->error == SHORT && plan->count >= plan->n && n > 1 &&
			       (plan->for_ever || plan->count == plan->n)
		       ? n / 2
		       : n;
}

#define FAULTY(call, fd, type, failure, real)                                                      \
	do {                                                                                       \
		bool ends;                                                                         \
		type result;                                                                       \
                                                                                                   \
		if (fails(call, fd, &ends))                                                        \
			return failure;                                                            \
		result = real;                                                                     \
		if (ends)                                                                          \
			kill(getpid(), SIGKILL);                                                   \
		return result;                                                                     \
	} while (0)

ssize_t read(int fd, void *p, size_t n)
{
	FAULTY(READ, fd, ssize_t, -1, REAL(read)(fd, p, shortened(READ, n)));
}

ssize_t write(int fd, const void *p, size_t n)
{
	FAULTY(WRITE, fd, ssize_t, -1, REAL(write)(fd, p, shortened(WRITE, n)));
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	FAULTY(SEND, fd, ssize_t, -1, REAL(send)(fd, p, shortened(SEND, n), flags));
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	FAULTY(RECV, fd, ssize_t, -1, REAL(recv)(fd, p, shortened(RECV, n), flags));
}

int accept4(int fd, struct sockaddr *from, socklen_t *n, int flags)
{
	FAULTY(ACCEPT, fd, int, -1, REAL(accept4)(fd, from, n, flags));
}

int poll(struct pollfd *p, nfds_t n, int ms)
{
	FAULTY(POLL, -1, int, -1, REAL(poll)(p, n, ms));
}

int open(const char *path, int flags, ...)
{
	unsigned mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, unsigned);
	va_end(ap);
	FAULTY(OPEN, -1, int, -1, REAL(open)(path, flags, mode));
}

FILE *fopen(const char *path, const char *mode)
{
	FAULTY(OPEN, -1, FILE *, NULL, REAL(fopen)(path, mode));
}

DIR *opendir(const char *path)
{
	FAULTY(OPEN, -1, DIR *, NULL, REAL(opendir)(path));
}

/* A failing read that stdio notices. */
char *fgets(char *text, int size, FILE *f)
{
	bool ends;
	char *result;

	if (fails(READ, fileno(f), &ends)) {
		f->_flags |= 0x20; /* glibc: _IO_ERR_SEEN */
		return NULL;
	}
	result = REAL(fgets)(text, size, f);
	if (ends)
		kill(getpid(), SIGKILL);
	return result;
}

int fsync(int fd)
{
	FAULTY(FSYNC, fd, int, -1, REAL(fsync)(fd));
}

int fdatasync(int fd)
{
	FAULTY(FSYNC, fd, int, -1, REAL(fdatasync)(fd));
}

ssize_t getrandom(void *p, size_t n, unsigned flags)
{
	FAULTY(GETRANDOM, -1, ssize_t, -1, REAL(getrandom)(p, n, flags));
}

int rename(const char *from, const char *to)
{
	FAULTY(FILES, -1, int, -1, REAL(rename)(from, to));
}

int unlink(const char *path)
{
	FAULTY(FILES, -1, int, -1, REAL(unlink)(path));
}

int flock(int fd, int operation)
{
	FAULTY(FILES, fd, int, -1, REAL(flock)(fd, operation));
}

/* ------------------------------------------------------------- memory */

static void *counted(void *p, int64_t more)
{
	int64_t now = atomic_fetch_add(&live, more) + more;

	if (plan && plan->is_armed) {
		plan->served = getpid();
		shared->live[getpid() % SLOTS] = now;
	}
	return p;
}

static bool has_no_memory(void)
{
	bool ends;

	if (!fails(MALLOC, -1, &ends))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	void *p = has_no_memory() ? NULL : __libc_malloc(size);

	return counted(p, p != NULL);
}

void *calloc(size_t n, size_t size)
{
	void *p = has_no_memory() ? NULL : __libc_calloc(n, size);

	return counted(p, p != NULL);
}

void *realloc(void *old, size_t size)
{
	void *p = has_no_memory() ? NULL : __libc_realloc(old, size);

	return counted(p, p && !old);
}

void free(void *p)
{
	__libc_free(p);
	counted(NULL, -(p != NULL));
}
