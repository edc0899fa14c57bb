/*
 * classclock-rest PROGRAM [ARGUMENT...]: waits in place of a program that nobody asks.
 *
 * lib/app_rest.c puts it there, the same process. The first connection on
 * descriptor 0 makes it PROGRAM again, which finds the connection in the
 * socket's queue. It loads nothing but the C library, so it is small.
 */
#define _GNU_SOURCE /* signalfd, prctl */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* The signal that has come, or -1: then somebody asks for the program. */
static int wait_wanted(void)
{
	const struct timespec now = { 0 };
	struct pollfd on[] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	sigset_t watched;
	int sig;

	sigemptyset(&watched);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGHUP);
	sigprocmask(SIG_BLOCK, &watched, NULL); /* they come blocked: none falls into the change */
	on[1].fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	do {
		poll(on, 2, -1);
		sig = sigtimedwait(&watched, NULL, &now);
	} while (sig == SIGHUP || (sig < 0 && !on[0].revents)); /* a new generation begins anyway */
	return sig;
}

int main(int argc, char **argv)
{
	/* Its environment has the program's secrets, and none of that user's may look into another.
	 */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (argc < 2) {
		fputs("usage: classclock-rest PROGRAM [ARGUMENT...]\n", stderr);
		return EXIT_FAILURE;
	}
	if (wait_wanted() > 0)
		return EXIT_SUCCESS;
	execv(argv[1], argv + 1);
	dprintf(STDERR_FILENO, "level=error app=classclock-rest cannot start %s: %s\n", argv[1],
		strerror(errno));
	return EXIT_FAILURE;
}
