#ifndef APP_MANY_H
#define APP_MANY_H

#include <signal.h>

#include "app_serve.h"

/*
 * A worker that has many requests in hand: its only thread that serves reads
 * one, lets the handler put it in line, and goes on with the next; those that
 * wait are answered when what they wait for is there. A thread for each of
 * them would cost a switch to it and back, which is more than all else that a
 * click costs here. nginx may keep the connections.
 */

/* Serves until *stopping, which a signal of open sets, and every request in hand is answered. */
void app_many(const struct program *program, struct heartbeat *beat, const sigset_t *open,
	      const volatile sig_atomic_t *stopping);

#endif
