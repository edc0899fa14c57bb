#ifndef DB_CONNECT_H
#define DB_CONNECT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Connects to one of the hosts that conninfo names before deadline_ms
 * (CLOCK_MONOTONIC), beginning with *host, the one that answered last. libpq
 * would spend all the time on a host that has gone silent and never come to
 * its successor, so each gets its share of what is left.
 *
 * The connection is ready (PQstatus() is CONNECTION_OK), or NULL: every host
 * has said or shown why not, which is logged.
 */
PGconn *db_connect(const char *conninfo, int64_t deadline_ms, int *host);

/* Waits for events of poll() on the connection. False: the deadline has passed. */
bool db_wait(PGconn *conn, short events, int64_t deadline_ms);

int64_t db_clock_ms(void); /* CLOCK_MONOTONIC */

#endif
