#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "app_many.h"
#include "app_serve.h"
#include "log.h"

/* nginx writes a request as soon as it has connected, and reads at once; what does not is not
 * nginx. */
#define FIRST_BYTE_MS                                                                              \
	50 /* an accepted connection is waited for alone so long, then beside others */
#define CANNOT_TAKE_MS 100   /* between two tries to accept where that has to fail */
#define SILENT_MAX     16    /* connections beside each other that have said nothing yet */
#define SILENT_S       5     /* before such a one is closed */
#define READ_TIMEOUT_S 3     /* between two pieces of a request */
#define CLOSE_MS       "100" /* libfcgi waits so long, not two seconds, for a peer to close too */
#define SEND_TIMEOUT_S 20    /* for nginx to take a piece of an answer */

static volatile sig_atomic_t stopping;

static void on_term(int sig)
{
	(void)sig;
	stopping = 1;
}

/* Where a worker takes connections from: descriptor 0, and those that are silent still. */
struct door {
	const sigset_t *open; /* the signals that may come while it waits */
	int n_silent;
	int silent[SILENT_MAX]; /* the oldest first */
	int64_t since_ms[SILENT_MAX];
};

/* Whether fd can be read within so many milliseconds, whatever signal comes. */
static bool speaks(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

static int take_silent(struct door *door, int i)
{
	int fd = door->silent[i];

	for (door->n_silent--; i < door->n_silent; i++) {
		door->silent[i] = door->silent[i + 1];
		door->since_ms[i] = door->since_ms[i + 1];
	}
	return fd;
}

/* Closes the silent ones that nobody will hear from, and the oldest where there is no room for
 * another. */
static void close_silent(struct door *door)
{
	while (door->n_silent == SILENT_MAX ||
	       (door->n_silent && monotonic_ms() - door->since_ms[0] > SILENT_S * 1000))
		close(take_silent(door, 0));
}

/* Accepts. A connection that says nothing yet is put aside, -1: another process may have been
 * quicker. */
static int accept_speaking(struct door *door)
{
	bool cannot_take;
	int fd = app_accept(&cannot_take);

	if (cannot_take)
		poll(NULL, 0, CANNOT_TAKE_MS);
	if (fd < 0 || speaks(fd, FIRST_BYTE_MS))
		return fd;
	close_silent(door);
	door->silent[door->n_silent] = fd;
	door->since_ms[door->n_silent++] = monotonic_ms();
	return -1;
}

/* Whoever has connected may have sent a request meanwhile: it is served before the end. */
static int last_speaking(struct door *door)
{
	while (door->n_silent) {
		int fd = take_silent(door, 0);

		if (speaks(fd, FIRST_BYTE_MS))
			return fd;
		close(fd);
	}
	return -1;
}

/* A connection from which something can be read, or -1: look again. */
static int next_speaking(struct door *door)
{
	const struct timespec second = { .tv_sec = 1 };
	struct pollfd p[1 + SILENT_MAX] = { { .fd = 0, .events = POLLIN } };
	int n = door->n_silent;

	if (stopping)
		return last_speaking(door);
	for (int i = 0; i < n; i++)
		p[1 + i] = (struct pollfd){ .fd = door->silent[i], .events = POLLIN };
	if (ppoll(p, (nfds_t)n + 1, n ? &second : NULL, door->open) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (p[1 + i].revents)
			return take_silent(door, i);
	close_silent(door);
	return p[0].revents ? accept_speaking(door) : -1;
}

/*
 * A connection with a request on its way, or -1. It may break off in
 * mid-record, so reading and writing have an end.
 */
static int take_connection(struct door *door)
{
	const struct timeval reading = { .tv_sec = READ_TIMEOUT_S };
	const struct timeval sending = { .tv_sec = SEND_TIMEOUT_S };
	int fd = next_speaking(door);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &reading, sizeof reading);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &sending, sizeof sending);
	return fd;
}

/* Serves one request after another, each on a connection of its own. */
static void run_one(const struct program *program, struct heartbeat *beat, const sigset_t *open)
{
	struct door door = { .open = open };
	struct arena *arena = arena_new();
	struct db *db = db_new(program->conf.database_url);
	FCGX_Request fcgi;
	struct transport transport = { .fcgi = &fcgi, .beat = beat };
	struct req req;

	/* No socket of its own: after a broken request libfcgi would accept the next without
	 * limits. */
	FCGX_InitRequest(&fcgi, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	while (!stopping || door.n_silent) {
		fcgi.ipcFd = take_connection(&door);
		if (fcgi.ipcFd < 0)
			continue;
		fcgi.keepConnection = 1; /* else libfcgi closes it before the first request */
		if (FCGX_Accept_r(&fcgi) == 0) {
			app_begin(&req, program, &transport, db, arena);
			if (!app_go_on(&req))
				log_error("BUG: this endpoint cannot wait");
			FCGX_Finish_r(&fcgi);
			beat->served_ms = monotonic_ms();
			beat->busy_since_ms = 0;
		}
		FCGX_Free(&fcgi, 1);
		arena_reset(arena);
	}
	db_free(db);
	arena_free(arena);
}

/* SIGTERM is blocked but in ppoll(): it cuts no request and falls into no gap between test and
 * wait. */
static bool prepare(sigset_t *open)
{
	const struct sigaction term = { .sa_handler = on_term };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", CLOSE_MS, 1);
	return !sigaction(SIGTERM, &term, NULL) && !sigprocmask(SIG_BLOCK, &blocked, open) &&
	       !FCGX_Init() && !fcntl(0, F_SETFL, O_NONBLOCK);
}

static int work(struct heartbeat *beat, void *arg)
{
	struct program *program = arg;
	sigset_t open;

	if (!prepare(&open) ||
	    (program->endpoint->start && program->endpoint->start(&program->conf))) {
		log_error("cannot serve descriptor 0: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	if (program->endpoint->at_once > 1)
		app_many(program, beat, &open, &stopping);
	else
		run_one(program, beat, &open);
	return EXIT_SUCCESS;
}

static int usage(const char *name, int status)
{
	fprintf(status ? stderr : stdout,
		"usage: %s [--workers N] [--version]\n"
		"A FastCGI program: serves the listening socket on descriptor 0.\n",
		name);
	return status;
}

/* 0: go on with *workers; else the program ends with *status. */
static bool read_arguments(int argc, char **argv, int *workers, int *status)
{
	for (int i = 1; i < argc; i++) {
		char *end = NULL;

		if (!strcmp(argv[i], "--version")) {
			puts(CLASSCLOCK_VERSION);
			*status = EXIT_SUCCESS;
			return false;
		}
		if (!strcmp(argv[i], "--help")) {
			*status = usage(argv[0], EXIT_SUCCESS);
			return false;
		}
		if (!strcmp(argv[i], "--workers") && i + 1 < argc)
			*workers = (int)strtol(argv[++i], &end, 10);
		if (!end || *end || *workers < 1) {
			*status = usage(argv[0], EXIT_FAILURE);
			return false;
		}
	}
	return true;
}

int app_main(int argc, char **argv, const struct endpoint *endpoint)
{
	struct program program = { .endpoint = endpoint };
	int workers = endpoint->workers ? endpoint->workers : WORKERS_DEFAULT;
	int status;

	log_name(endpoint->name);
	/* All programs are one user's; none may look into another for its secrets. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!read_arguments(argc, argv, &workers, &status))
		return status;
	if (endpoint->who == WHO_NOBODY || sodium_init() < 0 ||
	    conf_load(&program.conf, endpoint->needs | NEED_DATABASE | NEED_BASE_URL))
		return EXIT_FAILURE;
	if ((endpoint->needs & NEED_AUTH_SECRET) &&
	    keys_load(program.conf.auth_secret, &program.keys, NULL)) {
		log_error("setting AUTH_SECRET is malformed");
		return EXIT_FAILURE;
	}
	status = parent_run(workers, endpoint->stuck_s ? endpoint->stuck_s : STUCK_AFTER_S,
			    endpoint->wakes ? NULL : argv, work, &program);
	keys_wipe(&program.keys);
	return status;
}
