#ifndef APP_PARENT_H
#define APP_PARENT_H

#include <stdint.h>

/*
 * The parent of a program's workers: forks them, restarts those that die,
 * ends those that are stuck, and stops them all on SIGTERM.
 */

/* What a worker tells its parent, in memory both see. */
struct heartbeat {
	volatile int64_t busy_since_ms; /* CLOCK_MONOTONIC; 0 while it waits for a request */
	volatile int64_t served_ms;	/* the last request ended then */
};

typedef int worker_fn(struct heartbeat *beat, void *arg);

/*
 * Keeps n workers, each running work(beat, arg) and exiting with its value,
 * until SIGTERM or SIGINT; then lets each finish its request. SIGHUP restarts
 * them one by one. A worker busy for longer than stuck_s is killed. A program
 * with an argv rests, see lib/app_rest.h, before the first connection on
 * descriptor 0 and after ten quiet minutes.
 * Returns the exit status of the program.
 */
int parent_run(int n, int stuck_s, char **argv, worker_fn *work, void *arg);

int64_t monotonic_ms(void);

#endif
