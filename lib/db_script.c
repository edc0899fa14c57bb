#include <libpq-fe.h>
#include <string.h>

#include "db_script.h"
#include "log.h"

#define RAISED "P0001" /* raise_exception. Source: PostgreSQL manual, appendix A. */

/* Several statements in one simple query are one transaction. */
static enum err run(PGconn *conn, const char *sql)
{
	PGresult *res = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(res);
	const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	enum err e = OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		e = sqlstate && !strcmp(sqlstate, RAISED) ? ERR_CONFLICT : ERR_INTERNAL;
		log_error("%s", message ? message : PQerrorMessage(conn));
	}
	PQclear(res);
	return e;
}

enum err db_script(const char *conninfo, const char *sql)
{
	PGconn *conn = PQconnectdb(conninfo);
	enum err e = ERR_UNAVAILABLE;

	if (PQstatus(conn) == CONNECTION_OK)
		e = run(conn, sql);
	else
		log_error("connect: %s", PQerrorMessage(conn));
	PQfinish(conn);
	return e;
}
