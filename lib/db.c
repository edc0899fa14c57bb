#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "db_cancel.h"
#include "db_connect.h"
#include "db_error.h"
#include "log.h"

#define DEADLINE_DEFAULT_MS 10000
#define CONSTRAINT_MAX	    64
#define PREPARED_MAX	    8 /* statements that a connection keeps prepared */
#define LAST_WORDS_MAX	    4
/* As many rows as the socket's buffers hold: their server does not wait for who reads slowly. */
#define FETCH "FETCH 500 FROM batch"

struct db {
	const char *conninfo;
	PGconn *conn;
	int host;	     /* of those in conninfo, the one that answered last */
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	bool in_transaction;
	bool unsure; /* the server said that a commit may not be on its standby */
	char constraint[CONSTRAINT_MAX];
	const char *prepared[PREPARED_MAX]; /* on this connection, by the address of their text */
	bool is_fetching;		    /* the next rows of the cursor have been asked for */
};

bool db_is_conninfo(const char *text)
{
	PQconninfoOption *options = PQconninfoParse(text, NULL);

	PQconninfoFree(options);
	return options != NULL;
}

struct db *db_new(const char *conninfo)
{
	struct db *db = calloc(1, sizeof *db);

	if (!db) {
		log_error("db: out of memory");
		exit(EXIT_FAILURE);
	}
	db->conninfo = conninfo;
	db_deadline(db, DEADLINE_DEFAULT_MS);
	return db;
}

static void drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	db->in_transaction = false;
	db->is_fetching = false;
	memset(db->prepared, 0, sizeof db->prepared);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	drop(db);
	free(db);
}

void db_deadline(struct db *db, int ms)
{
	db->deadline_ms = db_clock_ms() + ms;
}

/*
 * A commit that was cut short while it waited for a synchronous standby
 * succeeds with only a warning. Source: PostgreSQL, SyncRepWaitForLSN().
 */
static void on_notice(void *arg, const PGresult *res)
{
	struct db *db = arg;
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (text && strstr(text, "synchronous replication"))
		db->unsure = true;
	if (severity && !strcmp(severity, "WARNING"))
		log_warn("db: %s", text ? text : "");
}

/*
 * An idle connection has nothing to read. If it has, it is the server's last
 * word and, read by the next call, the end of file.
 */
static void notice_hangup(PGconn *conn)
{
	struct pollfd p = { .fd = PQsocket(conn), .events = POLLIN };

	for (int i = 0; i < LAST_WORDS_MAX && p.fd >= 0 && poll(&p, 1, 0) > 0; i++)
		if (!PQconsumeInput(conn))
			return;
}

static enum err ensure_connected(struct db *db)
{
	if (db->in_transaction)
		return db->conn ? OK : ERR_UNAVAILABLE;
	if (db->conn && PQstatus(db->conn) == CONNECTION_OK)
		notice_hangup(db->conn);
	if (db->conn && PQstatus(db->conn) == CONNECTION_OK)
		return OK;
	drop(db);
	db->conn = db_connect(db->conninfo, db->deadline_ms, &db->host);
	if (!db->conn)
		return ERR_UNAVAILABLE;
	PQsetNoticeReceiver(db->conn, on_notice, db);
	return PQsetnonblocking(db->conn, 1) ? ERR_INTERNAL : OK;
}

/* The last result of what was sent, NULL when the deadline passed or the connection broke. */
static PGresult *receive(struct db *db)
{
	PGresult *last = NULL, *res;
	int unsent;

	while ((unsent = PQflush(db->conn)) > 0)
		if (!db_wait(db->conn, POLLIN | POLLOUT, db->deadline_ms) ||
		    !PQconsumeInput(db->conn))
			return NULL;
	if (unsent < 0)
		return NULL;
	for (;;) {
		while (PQisBusy(db->conn))
			if (!db_wait(db->conn, POLLIN, db->deadline_ms) ||
			    !PQconsumeInput(db->conn)) {
				PQclear(last);
				return NULL;
			}
		res = PQgetResult(db->conn);
		if (!res)
			return last;
		PQclear(last);
		last = res;
	}
}

static enum err refused(struct db *db, const PGresult *res)
{
	const char *sqlstate = db_error_field(res, PG_DIAG_SQLSTATE);
	enum err e = db_error_meaning(sqlstate);

	snprintf(db->constraint, sizeof db->constraint, "%s",
		 db_error_field(res, PG_DIAG_CONSTRAINT_NAME));
	if (e == ERR_INTERNAL || e == ERR_UNAVAILABLE)
		log_error("db: %s %s", sqlstate, db_error_field(res, PG_DIAG_MESSAGE_PRIMARY));
	if (db_error_spends(res))
		drop(db);
	return e;
}

static void clear(void *res)
{
	PQclear(res);
}

/*
 * Left to itself PostgreSQL plans a statement anew each time whose arrays are
 * short, since it takes arrays that it does not know for ten long. For a lone
 * click that was half of the work.
 */
static bool plans_once(struct db *db)
{
	PGresult *res = NULL;
	bool ok;

	if (PQsendQuery(db->conn, "SET plan_cache_mode = force_generic_plan"))
		res = receive(db);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	return ok;
}

/*
 * The number under which sql is prepared on this connection, -1 if it could
 * not be. The statement's text is static, so its address names it.
 */
static int prepare(struct db *db, const char *sql)
{
	char name[16];
	PGresult *res = NULL;
	bool ok;
	int i = 0;

	while (i < PREPARED_MAX && db->prepared[i] && db->prepared[i] != sql)
		i++;
	if (i == PREPARED_MAX)
		return -1;
	if (db->prepared[i])
		return i;
	if (!i && !plans_once(db))
		return -1;
	snprintf(name, sizeof name, "s%d", i);
	if (PQsendPrepare(db->conn, name, sql, 0, NULL))
		res = receive(db);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	if (!ok)
		return -1;
	db->prepared[i] = sql;
	return i;
}

/* Sends sql and waits for its result; NULL when the deadline passed or the connection broke. */
static PGresult *execute(struct db *db, const char *sql, bool keep, int n, const char *const *args)
{
	char name[16];
	int i = keep ? prepare(db, sql) : -1;
	int sent;

	if (i >= 0) {
		snprintf(name, sizeof name, "s%d", i);
		sent = PQsendQueryPrepared(db->conn, name, n, args, NULL, NULL, 0);
	} else {
		sent = PQsendQueryParams(db->conn, sql, n, NULL, args, NULL, NULL, 0);
	}
	return sent ? receive(db) : NULL;
}

/*
 * What came of a statement; res ends with the arena. ERR_IN_DOUBT: the
 * connection is gone, and with it the knowledge of what happened.
 */
static enum err outcome(struct db *db, struct arena *a, PGresult *res, struct db_rows *rows)
{
	ExecStatusType status = PQresultStatus(res);
	enum err e;

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		arena_defer(a, clear, res);
		if (rows)
			*rows = (struct db_rows){ .res = res, .arena = a, .row = -1 };
		return db->unsure ? ERR_IN_DOUBT : OK;
	}
	if (res && db_error_is_refusal(res)) {
		e = refused(db, res);
		PQclear(res);
		return e;
	}
	log_warn("db: connection lost: %s",
		 res ? PQresultErrorMessage(res) : PQerrorMessage(db->conn));
	if (!res && PQstatus(db->conn) == CONNECTION_OK)
		db_cancel(db->conn);
	PQclear(res);
	drop(db);
	return ERR_IN_DOUBT;
}

static enum err query(struct db *db, struct arena *a, const char *sql, bool keep, int n,
		      const char *const *args, struct db_rows *rows)
{
	enum err e = ensure_connected(db);

	if (e)
		return e;
	db->unsure = false;
	db->constraint[0] = '\0';
	return outcome(db, a, execute(db, sql, keep, n, args), rows);
}

enum err db_read(struct db *db, struct arena *a, const char *sql, int n, const char *const *args,
		 struct db_rows *rows)
{
	bool again = !db->in_transaction;
	enum err e = query(db, a, sql, false, n, args, rows);

	if (e == ERR_IN_DOUBT && again && db_clock_ms() < db->deadline_ms)
		e = query(db, a, sql, false, n, args, rows);
	return e == ERR_IN_DOUBT ? ERR_UNAVAILABLE : e;
}

enum err db_write(struct db *db, struct arena *a, const char *sql, int n, const char *const *args,
		  struct db_rows *rows)
{
	bool rolled_back = db->in_transaction;
	enum err e = query(db, a, sql, false, n, args, rows);

	return e == ERR_IN_DOUBT && rolled_back ? ERR_UNAVAILABLE : e;
}

enum err db_write_kept(struct db *db, struct arena *a, const char *sql, int n,
		       const char *const *args, struct db_rows *rows)
{
	return query(db, a, sql, true, n, args, rows);
}

/* A statement without arguments or rows, outside any request's arena. */
static enum err command(struct db *db, const char *sql, char *tag, size_t tag_size)
{
	struct arena *a = arena_new();
	struct db_rows rows = { 0 };
	enum err e = query(db, a, sql, false, 0, NULL, &rows);

	if (!e && tag)
		snprintf(tag, tag_size, "%s", PQcmdStatus(rows.res));
	arena_free(a);
	return e;
}

static enum err begin(struct db *db, const char *sql)
{
	enum err e = command(db, sql, NULL, 0);

	if (e == ERR_IN_DOUBT)
		e = command(db, sql, NULL, 0);
	db->in_transaction = !e;
	return e == ERR_IN_DOUBT ? ERR_UNAVAILABLE : e;
}

enum err db_begin(struct db *db)
{
	return begin(db, "BEGIN");
}

enum err db_begin_snapshot(struct db *db)
{
	return begin(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

/* Has the server make the next rows; they are taken by the next db_cursor_next(). */
static enum err fetch_ahead(struct db *db)
{
	if (!PQsendQueryParams(db->conn, FETCH, 0, NULL, NULL, NULL, NULL, 0)) {
		drop(db);
		return ERR_UNAVAILABLE;
	}
	db->is_fetching = true;
	return OK;
}

enum err db_cursor_open(struct db *db, struct arena *a, const char *sql, int n,
			const char *const *args)
{
	sql = arena_printf(a, "DECLARE batch NO SCROLL CURSOR FOR %s", sql);

	enum err e = db_read(db, a, sql, n, args, NULL);

	return e ? e : fetch_ahead(db);
}

enum err db_cursor_next(struct db *db, struct arena *a, struct db_rows *rows)
{
	enum err e;

	if (!db->is_fetching)
		return ERR_UNAVAILABLE;
	e = outcome(db, a, receive(db), rows);
	db->is_fetching = false;
	if (!e && db_count(rows) > 0)
		e = fetch_ahead(db);
	return e == ERR_IN_DOUBT ? ERR_UNAVAILABLE : e;
}

enum err db_commit(struct db *db)
{
	char tag[16] = "";
	enum err e = command(db, "COMMIT", tag, sizeof tag);

	db->in_transaction = false;
	if (e)
		return e;
	/* COMMIT of a failed transaction succeeds, and says ROLLBACK. */
	return strcmp(tag, "COMMIT") ? ERR_UNAVAILABLE : OK;
}

void db_rollback(struct db *db)
{
	if (!db->in_transaction)
		return;
	if (db->is_fetching) { /* rows that nobody waits for any more */
		db_cancel(db->conn);
		drop(db);
	} else if (command(db, "ROLLBACK", NULL, 0)) {
		drop(db);
	}
	db->in_transaction = false;
}

enum err db_finish(struct db *db, enum err e)
{
	if (!e)
		return db_commit(db);
	db_rollback(db);
	return e;
}

const char *db_constraint(const struct db *db)
{
	return db->constraint;
}

void db_check_idle(struct db *db)
{
	if (!db->in_transaction && (!db->conn || PQtransactionStatus(db->conn) == PQTRANS_IDLE))
		return;
	log_error("db: BUG: a transaction was left open");
	drop(db);
}
