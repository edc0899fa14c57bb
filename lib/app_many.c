#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "app_many.h"
#include "log.h"

#define SILENT_MS 5000 /* before a connection that has said nothing yet is closed */
#define LAST_MS	  50   /* at the end such a one is listened to so long */
#define PIECE_MS  200  /* between two pieces of a request, which nginx writes in one */

/* A connection, and the request that it has brought. */
struct call {
	FCGX_Request fcgi; /* ipcFd -1: there is none */
	struct transport transport;
	struct arena *arena;
	struct req req;
	bool waits;		 /* req does */
	int64_t silent_since_ms; /* it has not brought any yet; 0: it has */
};

struct many {
	const struct program *program;
	struct heartbeat *beat;
	struct db *db; /* never asked: handlers do not block */
	struct call *calls;
	int n, n_open, n_waiting;
	bool stopping;
	bool cannot_take;      /* connections, for this turn */
	struct pollfd *polled; /* the socket, woken, then a connection each that does not wait */
	int *polled_for;       /* the number of its call */
};

static int woken = -1;
static atomic_bool is_woken; /* woken has been told already */

void app_wake(void)
{
	const uint64_t one = 1;

	if (atomic_exchange(&is_woken, true) || write(woken, &one, sizeof one) > 0)
		return;
	log_error("cannot wake: %s", strerror(errno));
	atomic_store(&is_woken, false);
}

static void leave_connection(struct many *m, struct call *call)
{
	/* libfcgi's own close would wait for nginx to close too. */
	if (call->fcgi.ipcFd >= 0)
		close(call->fcgi.ipcFd);
	call->fcgi.ipcFd = -1;
	FCGX_Free(&call->fcgi, 0);
	m->n_open--;
}

/*
 * An idle connection holds a place: some stay free, whatever nginx would like to keep. What is left
 * of a body that nobody has read would be taken for the next request, and its answer be given
 * to whoever asks next.
 */
static bool may_keep(const struct many *m, const struct call *call)
{
	const FCGX_Request *fcgi = &call->fcgi;
	const char *length = FCGX_GetParam("CONTENT_LENGTH", fcgi->envp);
	bool is_whole = !length || !*length || !strcmp(length, "0");

	return is_whole && fcgi->keepConnection && !FCGX_GetError(fcgi->in) &&
	       !FCGX_GetError(fcgi->out) && !m->stopping && m->n_open <= m->n - m->n / 8;
}

/* Goes on with a request; when it is answered the connection waits for the next. */
static void go_on(struct many *m, struct call *call)
{
	bool keeps;

	m->n_waiting -= call->waits;
	call->waits = !app_go_on(&call->req);
	m->n_waiting += call->waits;
	if (call->waits)
		return;
	keeps = may_keep(m, call);
	FCGX_Free(&call->fcgi, 0);
	if (!keeps)
		leave_connection(m, call);
	arena_reset(call->arena);
	m->beat->served_ms = monotonic_ms();
}

static void read_request(struct many *m, struct call *call)
{
	if (!m->beat->busy_since_ms)
		m->beat->busy_since_ms = monotonic_ms();
	if (FCGX_Accept_r(&call->fcgi)) {
		leave_connection(m, call);
		return;
	}
	call->silent_since_ms = 0;
	app_begin(&call->req, m->program, &call->transport, m->db, call->arena);
	go_on(m, call);
}

static void take_connection(struct many *m, int fd)
{
	const struct timeval piece = { .tv_usec = PIECE_MS * 1000 };
	struct call *call = m->calls;

	while (call->fcgi.ipcFd >= 0)
		call++;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &piece, sizeof piece);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &piece, sizeof piece);
	call->fcgi.ipcFd = fd;
	call->fcgi.keepConnection = 1; /* else libfcgi closes it before the first request */
	call->silent_since_ms = monotonic_ms();
	m->n_open++;
}

static void take_connections(struct many *m)
{
	while (m->n_open < m->n) {
		int fd = app_accept(&m->cannot_take);

		if (fd < 0)
			return;
		take_connection(m, fd);
	}
}

static void go_on_with_waiting(struct many *m)
{
	int64_t since = 0;

	for (int i = 0; i < m->n && m->n_waiting; i++) {
		struct call *call = &m->calls[i];

		if (call->waits)
			go_on(m, call);
		if (call->waits && (!since || call->transport.began_ms < since))
			since = call->transport.began_ms;
	}
	m->beat->busy_since_ms = since;
}

static void close_silent(struct many *m)
{
	int64_t now = monotonic_ms();

	for (int i = 0; i < m->n; i++) {
		struct call *call = &m->calls[i];

		if (call->fcgi.ipcFd >= 0 && call->silent_since_ms &&
		    now - call->silent_since_ms > SILENT_MS)
			leave_connection(m, call);
	}
}

/* What there is to listen to; returns how many. */
static nfds_t listen_to(struct many *m)
{
	bool takes = !m->stopping && m->n_open < m->n && !m->cannot_take;
	nfds_t n = 2;

	m->polled[0] = (struct pollfd){ .fd = takes ? 0 : -1, .events = POLLIN };
	m->polled[1] = (struct pollfd){ .fd = woken, .events = POLLIN };
	for (int i = 0; i < m->n; i++) {
		struct call *call = &m->calls[i];

		if (call->fcgi.ipcFd < 0 || call->waits)
			continue;
		m->polled[n] = (struct pollfd){ .fd = call->fcgi.ipcFd, .events = POLLIN };
		m->polled_for[n++] = i;
	}
	return n;
}

/* How long there may be nothing to do. */
static struct timespec patience(const struct many *m)
{
	if (m->n_waiting || m->cannot_take)
		return (struct timespec){ .tv_nsec = WAIT_LOOK_MS * 1000000L };
	if (m->stopping)
		return (struct timespec){ .tv_nsec = LAST_MS * 1000000L };
	return (struct timespec){ .tv_sec = 1 };
}

/* Waits for something to do, and does it. False: there is nothing. A signal is none of that. */
static bool turn(struct many *m, const sigset_t *open)
{
	const struct timespec most = patience(m);
	nfds_t n = listen_to(m);
	int n_ready = ppoll(m->polled, n, &most, open);
	uint64_t times;

	m->cannot_take = false;
	if (n_ready <= 0)
		return n_ready < 0 && errno == EINTR;
	if (m->polled[1].revents && read(woken, &times, sizeof times) > 0)
		atomic_store(&is_woken, false);
	for (nfds_t i = 2; i < n; i++)
		if (m->polled[i].revents)
			read_request(m, &m->calls[m->polled_for[i]]);
	if (m->polled[0].revents)
		take_connections(m);
	return true;
}

static bool prepare(struct many *m)
{
	size_t n = (size_t)m->n;

	woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->calls = calloc(n, sizeof *m->calls);
	m->polled = calloc(n + 2, sizeof *m->polled);
	m->polled_for = calloc(n + 2, sizeof *m->polled_for);
	if (woken < 0 || !m->calls || !m->polled || !m->polled_for)
		return false;
	for (int i = 0; i < m->n; i++) {
		struct call *call = &m->calls[i];

		/* No socket of its own: see lib/app.c. */
		FCGX_InitRequest(&call->fcgi, -1, FCGI_FAIL_ACCEPT_ON_INTR);
		call->transport = (struct transport){ .fcgi = &call->fcgi, .beat = m->beat };
		call->arena = arena_new();
	}
	return true;
}

/* ppoll() lets a signal in only when there is nothing else. */
static bool is_over(const volatile sig_atomic_t *stopping)
{
	sigset_t pending;

	return *stopping || (!sigpending(&pending) && sigismember(&pending, SIGTERM) == 1);
}

void app_many(const struct program *program, struct heartbeat *beat, const sigset_t *open,
	      const volatile sig_atomic_t *stopping)
{
	struct many m = { .program = program,
			  .beat = beat,
			  .db = db_new(program->conf.database_url),
			  .n = program->endpoint->at_once };
	bool busy = true;

	if (!prepare(&m)) {
		log_error("cannot serve many at once: %s", strerror(errno));
		exit(EXIT_FAILURE);
	}
	while (busy || m.n_waiting || !m.stopping) {
		m.stopping = is_over(stopping);
		busy = turn(&m, open);
		go_on_with_waiting(&m);
		close_silent(&m);
	}
	for (int i = 0; i < m.n; i++) {
		if (m.calls[i].fcgi.ipcFd >= 0)
			leave_connection(&m, &m.calls[i]);
		arena_free(m.calls[i].arena);
	}
	free(m.calls); /* woken stays: other threads may have something to say yet */
	free(m.polled);
	free(m.polled_for);
	db_free(m.db);
}
