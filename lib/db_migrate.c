#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_migrate.h"
#include "log.h"

/* Any constant of our own: one runner at a time. */
#define LOCK_KEY "4207849484"

static bool run(PGconn *conn, const char *sql)
{
	PGresult *res = PQexec(conn, sql);
	bool ok = PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;

	if (!ok)
		log_error("migrate: %s", PQerrorMessage(conn));
	PQclear(res);
	return ok;
}

/* The newest migration the database has, 0 for none, -1 on failure. */
static int current_version(PGconn *conn)
{
	PGresult *res = PQexec(conn, "SELECT coalesce(max(version), 0) FROM classclock.migrations");
	int version = -1;

	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		version = (int)strtol(PQgetvalue(res, 0, 0), NULL, 10);
	else
		log_error("migrate: %s", PQerrorMessage(conn));
	PQclear(res);
	return version;
}

static int newest_known(void)
{
	int version = 0;

	for (const struct migration *m = migrations; m->version; m++)
		version = m->version;
	return version;
}

static bool apply(PGconn *conn, const struct migration *m)
{
	char note[256];

	snprintf(note, sizeof note,
		 "INSERT INTO classclock.migrations (version, name) VALUES (%d, '%s')", m->version,
		 m->name);
	if (run(conn, "BEGIN") && run(conn, m->sql) && run(conn, note) && run(conn, "COMMIT")) {
		printf("applied %s\n", m->name);
		return true;
	}
	log_error("migrate: %s failed and was rolled back", m->name);
	run(conn, "ROLLBACK");
	return false;
}

/* Names are in any script, and are searched in any case. Where LANG was C, createdb makes what can
 * do neither. */
static bool takes_any_name(PGconn *conn)
{
	const char *encoding = PQparameterStatus(conn, "server_encoding");
	PGresult *res;
	bool ok = encoding && !strcmp(encoding, "UTF8");

	if (ok) {
		res = PQexec(conn, "SELECT lower(U&'\\00C9') = U&'\\00E9'");
		ok = PQresultStatus(res) == PGRES_TUPLES_OK && *PQgetvalue(res, 0, 0) == 't';
		PQclear(res);
	}
	return ok;
}

/* One that is in use goes on as it is: nobody can be without a newer version for its sake. */
static bool may_migrate(PGconn *conn, int version)
{
	if (takes_any_name(conn))
		return true;
	if (version)
		log_warn("migrate: the database cannot hold names of every script; docs/ops.md,"
			 " \"Another encoding\", says how to move to one that can");
	else
		log_error("migrate: the database cannot hold names of every script: make it with"
			  " createdb -T template0 -E UTF8 --locale=C.UTF-8");
	return version;
}

static enum err migrate(PGconn *conn)
{
	int version;

	if (!run(conn, "SET client_min_messages = warning") ||
	    !run(conn, "SELECT pg_advisory_lock(" LOCK_KEY ")") ||
	    !run(conn, "CREATE SCHEMA IF NOT EXISTS classclock") ||
	    !run(conn,
		 "CREATE TABLE IF NOT EXISTS classclock.migrations (version integer PRIMARY KEY,"
		 " name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"))
		return ERR_INTERNAL;
	version = current_version(conn);
	if (version < 0)
		return ERR_INTERNAL;
	if (version > newest_known()) {
		log_error("migrate: the database is at version %d, newer than this program (%d):"
			  " install the newer program",
			  version, newest_known());
		return ERR_CONFLICT;
	}
	if (!may_migrate(conn, version))
		return ERR_CONFLICT;
	/* Everybody would queue behind one that waits for a lock, say of a check that reads all. */
	if (!run(conn, "SET lock_timeout = '5s'"))
		return ERR_INTERNAL;
	for (const struct migration *m = migrations; m->version; m++)
		if (m->version > version && !apply(conn, m))
			return ERR_INTERNAL;
	return OK;
}

enum err db_migrate(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);
	enum err e;

	if (PQstatus(conn) == CONNECTION_OK) {
		e = migrate(conn);
	} else {
		log_error("migrate: %s", PQerrorMessage(conn));
		e = ERR_UNAVAILABLE;
	}
	PQfinish(conn);
	return e;
}
