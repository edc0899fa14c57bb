/* Whoever gives a statement up waits a moment for it to be cancelled, whatever the clock does. */
#define _GNU_SOURCE /* syscall */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "db_cancel.h"

static bool is_set_back; /* the node's clock, by an hour, right after each look at it */

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int failed = (int)syscall(SYS_clock_gettime, clock, t);

	if (is_set_back && clock == CLOCK_REALTIME)
		t->tv_sec += 3600;
	return failed;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A server's socket in dir, at which nobody ever answers. */
static int silent_server(const char *dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s/.s.PGSQL.5432", dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void a_cancel_that_hangs_holds_nobody_for_long(void **state)
{
	char *dir = arena_printf(*state, "/tmp/cancel.XXXXXX");
	int server;
	PGconn *conn;
	double began;

	assert_non_null(mkdtemp(dir));
	server = silent_server(dir);
	conn = PQconnectStart(arena_printf(*state, "host=%s port=5432", dir));
	assert_int_not_equal(PQstatus(conn), CONNECTION_BAD);
	is_set_back = true;
	alarm(20); /* else it would be an hour */
	began = now_s();
	db_cancel(conn);
	assert_in_range((uintmax_t)((now_s() - began) * 1000), 90, 10000);
	alarm(0);
	PQfinish(conn);
	close(server);
	unlink(arena_printf(*state, "%s/.s.PGSQL.5432", dir));
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(a_cancel_that_hangs_holds_nobody_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
