#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "db_connect.h"
#include "log.h"

/* What differs between hosts; each is a list with commas. */
static const char *const keywords[] = { "host", "hostaddr", "port" };

#define KEYWORDS (sizeof keywords / sizeof *keywords)

int64_t db_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool db_wait(PGconn *conn, short events, int64_t deadline_ms)
{
	struct pollfd p = { .fd = PQsocket(conn), .events = events };

	for (;;) {
		int64_t left = deadline_ms - db_clock_ms();
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static int count(const char *list)
{
	int n = 1;

	for (; list && *list; list++)
		n += *list == ',';
	return n;
}

/* The i-th of a list; its only one, where it is one for all; NULL: none is given. */
static const char *item(struct arena *a, const char *list, int i)
{
	if (!list)
		return NULL;
	if (count(list) == 1)
		return list;
	for (; i > 0; i--)
		list += strcspn(list, ",") + 1;
	return arena_copy(a, list, strcspn(list, ","));
}

static bool finish(PGconn *conn, int64_t deadline_ms)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (conn && PQstatus(conn) != CONNECTION_BAD) {
		if (status == PGRES_POLLING_OK)
			return true;
		if (status == PGRES_POLLING_FAILED ||
		    !db_wait(conn, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms))
			return false;
		status = PQconnectPoll(conn);
	}
	return false;
}

/* Connects to host i of lists; what follows conninfo overrides what stands in it. */
static PGconn *connect_to(struct arena *a, const char *conninfo, char *const lists[KEYWORDS], int i,
			  int64_t deadline_ms)
{
	const char *names[KEYWORDS + 2] = { "dbname" }, *values[KEYWORDS + 2] = { conninfo };
	PGconn *conn;
	int n = 1;

	for (size_t k = 0; k < KEYWORDS; k++) {
		const char *value = item(a, lists[k], i);

		if (value) {
			names[n] = keywords[k];
			values[n++] = value;
		}
	}
	conn = PQconnectStartParams(names, values, 1);
	if (finish(conn, deadline_ms))
		return conn;
	log_warn("db: connect: %s", conn ? PQerrorMessage(conn) : "out of memory");
	PQfinish(conn);
	return NULL;
}

/* What conninfo says of hosts; the strings belong to options. */
static void take_lists(const PQconninfoOption *options, char *lists[KEYWORDS])
{
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		for (size_t k = 0; k < KEYWORDS; k++)
			if (!strcmp(o->keyword, keywords[k]))
				lists[k] = o->val;
}

PGconn *db_connect(const char *conninfo, int64_t deadline_ms, int *host)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	char *lists[KEYWORDS] = { NULL };
	struct arena *a = arena_new();
	PGconn *conn = NULL;
	int hosts;

	take_lists(options, lists);
	hosts = count(lists[1] ? lists[1] : lists[0]);
	for (int tried = 0; tried < hosts && !conn; tried++) {
		int64_t now = db_clock_ms();

		*host %= hosts;
		conn = connect_to(a, conninfo, lists, *host,
				  now + (deadline_ms - now) / (hosts - tried));
		if (!conn)
			++*host;
	}
	PQconninfoFree(options);
	arena_free(a);
	return conn;
}
