#define _GNU_SOURCE /* prctl(PR_SET_PDEATHSIG) and signalfd are Linux's */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app_parent.h"
#include "app_rest.h"
#include "log.h"

#define WORKERS_MAX	64
#define RESTART_PAUSE_S 1   /* before a worker that died within this time is replaced */
#define DRAIN_S		15  /* a worker that has not ended by then is killed */
#define REST_AFTER_S	600 /* without a request: the workers end until the next one comes */

struct child {
	pid_t pid; /* 0: none now */
	int64_t started_ms;
	int64_t restart_at_ms;
};

struct parent {
	int n, stuck_s;
	char **argv; /* the program's, NULL if it never rests */
	worker_fn *work;
	void *arg;
	struct heartbeat *beats; /* shared with the workers */
	struct child children[WORKERS_MAX];
	sigset_t watched;
	int signals;  /* can be read while one of watched is pending */
	bool resting; /* no workers, until somebody knocks */
};

int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In the child: a worker outlives neither its parent nor the signal that stops it. */
static int be_worker(struct parent *p, int i, pid_t parent)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return EXIT_SUCCESS;
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigprocmask(SIG_UNBLOCK, &p->watched, NULL);
	close(p->signals);
	return p->work(&p->beats[i], p->arg);
}

static void start(struct parent *p, int i)
{
	pid_t parent = getpid(), pid;

	p->beats[i].busy_since_ms = 0;
	p->beats[i].served_ms = monotonic_ms();
	pid = fork();
	if (pid == 0)
		exit(be_worker(p, i, parent));
	p->children[i] = (struct child){ .pid = pid > 0 ? pid : 0, .started_ms = monotonic_ms() };
	if (pid < 0) {
		log_error("cannot fork a worker: %s", strerror(errno));
		p->children[i].restart_at_ms = monotonic_ms() + RESTART_PAUSE_S * 1000;
	}
}

/* Notes the workers that ended; those that ended at once are replaced after a pause. */
static void reap(struct parent *p, bool stopping)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < p->n; i++) {
			struct child *c = &p->children[i];
			int64_t now = monotonic_ms();
			bool at_once = now - c->started_ms < RESTART_PAUSE_S * 1000;

			if (c->pid != pid)
				continue;
			c->pid = 0;
			c->restart_at_ms = at_once ? now + RESTART_PAUSE_S * 1000 : now;
			if (!stopping && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
				log_warn("worker %d ended by %s %d, starting another", (int)pid,
					 WIFSIGNALED(status) ? "signal" : "status",
					 WIFSIGNALED(status) ? WTERMSIG(status)
							     : WEXITSTATUS(status));
		}
	}
}

static void replace_dead(struct parent *p)
{
	int64_t now = monotonic_ms();

	for (int i = 0; i < p->n; i++)
		if (!p->children[i].pid && now >= p->children[i].restart_at_ms)
			start(p, i);
}

static void end_stuck(struct parent *p)
{
	int64_t now = monotonic_ms();

	for (int i = 0; i < p->n; i++) {
		int64_t since = p->beats[i].busy_since_ms;

		if (!p->children[i].pid || !since || now - since < p->stuck_s * INT64_C(1000))
			continue;
		log_error("worker %d is stuck for %d s, ending it", (int)p->children[i].pid,
			  p->stuck_s);
		kill(p->children[i].pid, SIGKILL);
	}
}

static int running(const struct parent *p)
{
	int n = 0;

	for (int i = 0; i < p->n; i++)
		n += p->children[i].pid != 0;
	return n;
}

static void signal_all(const struct parent *p, int sig)
{
	for (int i = 0; i < p->n; i++)
		if (p->children[i].pid)
			kill(p->children[i].pid, sig);
}

/* The signal that came within ms, or -1; earlier when a resting program is wanted. */
static int wait_signal(struct parent *p, int ms)
{
	struct pollfd on[] = { { .fd = p->signals, .events = POLLIN },
			       { .fd = p->resting ? 0 : -1, .events = POLLIN } };
	const struct timespec now = { 0 };

	if (poll(on, 2, ms) > 0 && on[1].revents)
		p->resting = false;
	return sigtimedwait(&p->watched, NULL, &now);
}

/* Waits up to ms for a worker to end. Every other signal is left for when that is done. */
static void wait_child(int ms)
{
	const struct timespec end = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigtimedwait(&child, NULL, &end);
}

/* Lets every worker finish what it does; after DRAIN_S they are killed. */
static void drain(struct parent *p)
{
	int64_t deadline = monotonic_ms() + DRAIN_S * 1000;

	signal_all(p, SIGTERM);
	for (reap(p, true); running(p); reap(p, true)) {
		if (monotonic_ms() > deadline)
			signal_all(p, SIGKILL);
		wait_child(200);
	}
}

static bool is_quiet(const struct parent *p)
{
	int64_t now = monotonic_ms();

	for (int i = 0; i < p->n; i++)
		if (p->beats[i].busy_since_ms ||
		    now - p->beats[i].served_ms < REST_AFTER_S * INT64_C(1000))
			return false;
	return true;
}

/*
 * Most programs of an instance are idle most of the time: a small one waits in place of such a one,
 * or, where that cannot be, the parent alone. A connection that is there already ends it at once.
 */
static void rest(struct parent *p)
{
	struct pollfd on = { .fd = 0, .events = POLLIN };

	p->resting = true;
	if (poll(&on, 1, 0) == 0)
		app_rest(p->argv);
}

static void rest_if_quiet(struct parent *p)
{
	if (p->resting || !running(p) || !is_quiet(p))
		return;
	drain(p);
	rest(p);
}

/* A new generation, one worker at a time, so that the socket is always served. */
static void restart_one_by_one(struct parent *p)
{
	for (int i = 0; i < p->n; i++) {
		int64_t deadline = monotonic_ms() + DRAIN_S * 1000;
		pid_t old = p->children[i].pid;

		if (old)
			kill(old, SIGTERM);
		while (p->children[i].pid == old && old) {
			if (monotonic_ms() > deadline)
				kill(old, SIGKILL);
			wait_child(100);
			reap(p, true);
		}
		start(p, i);
	}
}

int parent_run(int n, int stuck_s, char **argv, worker_fn *work, void *arg)
{
	struct parent p = { .n = n < WORKERS_MAX ? n : WORKERS_MAX,
			    .stuck_s = stuck_s,
			    .argv = argv,
			    .work = work,
			    .arg = arg };
	int sig;

	sigemptyset(&p.watched);
	sigaddset(&p.watched, SIGTERM);
	sigaddset(&p.watched, SIGINT);
	sigaddset(&p.watched, SIGHUP);
	sigaddset(&p.watched, SIGCHLD);
	sigprocmask(SIG_BLOCK, &p.watched, NULL);
	if (argv)
		rest(&p);
	p.beats = mmap(NULL, (size_t)p.n * sizeof *p.beats, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p.beats == MAP_FAILED) {
		log_error("cannot share memory with workers: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	p.signals = signalfd(-1, &p.watched, SFD_CLOEXEC | SFD_NONBLOCK);
	do {
		if (!p.resting)
			replace_dead(&p);
		sig = wait_signal(&p, 1000);
		reap(&p, false);
		end_stuck(&p);
		if (sig == SIGHUP && !p.resting)
			restart_one_by_one(&p);
		if (argv)
			rest_if_quiet(&p);
	} while (sig != SIGTERM && sig != SIGINT);
	drain(&p);
	close(p.signals);
	munmap(p.beats, (size_t)p.n * sizeof *p.beats);
	return EXIT_SUCCESS;
}
