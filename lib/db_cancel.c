#define _GNU_SOURCE /* pthread_clockjoin_np() */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "db_cancel.h"
#include "log.h"

#define WAIT_MS	    100 /* a server that is well takes one */
#define CANCELS_MAX 8	/* at once; more of them hang only where the server does */

static _Atomic int running;

static void *cancel(void *arg)
{
	char why[256] = "";

	if (!PQcancel(arg, why, sizeof why))
		log_warn("db: cannot cancel: %s", why);
	PQfreeCancel(arg);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Signals stay with the thread that serves: it is the one to be woken. */
static bool start(pthread_t *thread, PGcancel *what)
{
	sigset_t all, before;
	bool ok;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = !pthread_create(thread, NULL, cancel, what);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

static void wait_for(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAIT_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until))
		pthread_detach(thread);
}

void db_cancel(PGconn *conn)
{
	PGcancel *what = PQgetCancel(conn);
	pthread_t thread;

	if (!what)
		return;
	if (atomic_fetch_add(&running, 1) < CANCELS_MAX && start(&thread, what)) {
		wait_for(thread);
		return;
	}
	PQfreeCancel(what);
	atomic_fetch_sub(&running, 1);
}
