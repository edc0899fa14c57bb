#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

/*
 * One connection to PostgreSQL, made on first use and made anew when lost.
 * Nothing waits beyond the deadline: connecting, queries and commits give up
 * and drop the connection when it has passed, and the server is told to stop.
 *
 * Ownership  rows and strings belong to the arena given, and end with it.
 * Errors     any function can return
 *              ERR_UNAVAILABLE  database away, slow, full or read-only; nothing was changed
 *              ERR_IN_DOUBT     (writes and commits) lost meanwhile; it may have happened
 *              ERR_INTERNAL     a bug; logged
 *            and those that a constraint stands for: unique ERR_CONFLICT,
 *            foreign key ERR_NOT_FOUND, check and data errors ERR_INVALID.
 */
struct db;

/* Whether text has the form of a connection string or URI that libpq reads. */
bool db_is_conninfo(const char *text);

/* conninfo is kept, not copied. No connection is made yet. Never NULL. */
struct db *db_new(const char *conninfo);
void db_free(struct db *db);

/* From now on the deadline is in ms milliseconds. */
void db_deadline(struct db *db, int ms);

/*
 * The rows of one answer, read in order: db_next() moves to a row, then each
 * getter takes the next column of it. A wrong column type or count makes the
 * cursor bad and stays; db_end() reports it once.
 */
struct db_rows {
	void *res; /* PGresult, freed with the arena */
	struct arena *arena;
	int row, col;
	bool bad;
};

/* Arguments are text, NULL is SQL's NULL; cast in the SQL ($1::bigint). rows may be NULL. */

/* Safe to run twice, so a lost connection is reopened and it is tried once more. */
MUST_CHECK enum err db_read(struct db *db, struct arena *a, const char *sql, int n,
			    const char *const *args, struct db_rows *rows);
/* Never run twice. Inside a transaction a loss is ERR_UNAVAILABLE: it was rolled back. */
MUST_CHECK enum err db_write(struct db *db, struct arena *a, const char *sql, int n,
			     const char *const *args, struct db_rows *rows);

/*
 * As db_write, for the few statements that a hot path runs over and over: sql
 * is static, and stays prepared on the connection.
 */
MUST_CHECK enum err db_write_kept(struct db *db, struct arena *a, const char *sql, int n,
				  const char *const *args, struct db_rows *rows);

MUST_CHECK enum err db_begin(struct db *db);
/* A read-only transaction that sees one snapshot throughout. */
MUST_CHECK enum err db_begin_snapshot(struct db *db);
/* ERR_IN_DOUBT when lost meanwhile; ERR_UNAVAILABLE when the server answered ROLLBACK. */
MUST_CHECK enum err db_commit(struct db *db);
/* Ends a transaction that may be open; keeps the connection only if that worked. */
void db_rollback(struct db *db);
/* e when it is an error, after rolling back; else the outcome of the commit. */
MUST_CHECK enum err db_finish(struct db *db, enum err e);

/*
 * The rows of a long query in batches, within a transaction and until its end;
 * one such query at a time and nothing else meanwhile. The server makes the
 * next batch while the caller works on the last. No rows: that was all.
 */
MUST_CHECK enum err db_cursor_open(struct db *db, struct arena *a, const char *sql, int n,
				   const char *const *args);
MUST_CHECK enum err db_cursor_next(struct db *db, struct arena *a, struct db_rows *rows);

bool db_next(struct db_rows *rows);
int db_count(const struct db_rows *rows); /* rows in all */
int64_t db_i64(struct db_rows *rows);
int64_t db_i64_or(struct db_rows *rows, int64_t if_null);
bool db_bool(struct db_rows *rows);
const char *db_str(struct db_rows *rows);	  /* NULL for NULL */
MUST_CHECK enum err db_end(struct db_rows *rows); /* every column of each row met was read */

/* The next row's only column, ERR_NOT_FOUND if there is no row. */
MUST_CHECK enum err db_one_i64(struct db_rows *rows, int64_t *out);

/* Rows that a statement touched without returning them. */
int64_t db_affected(const struct db_rows *rows);

/* The name of the constraint behind the last ERR_CONFLICT, ERR_INVALID or ERR_NOT_FOUND, "" if
 * none. */
const char *db_constraint(const struct db *db);

/* After a request: an open transaction is a bug; it is logged and rolled back. */
void db_check_idle(struct db *db);

/* The text array {a,b,c} of PostgreSQL from n integers, for "= ANY($1::bigint[])". */
const char *db_i64_array(struct arena *a, const int64_t *values, size_t n);
/* The same of n texts, NULL for NULL; for numbers and the like in their text form too. */
const char *db_text_array(struct arena *a, const char *const *values, size_t n);

#endif
