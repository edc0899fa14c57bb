#ifndef DB_ERROR_H
#define DB_ERROR_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "err.h"

/* What PostgreSQL's errors say. For db.c alone. */

/* A field of the error, "" if it has none. Belongs to res. */
const char *db_error_field(const PGresult *res, int code);

/* What an SQLSTATE means to a caller. Source: PostgreSQL manual, appendix A. */
enum err db_error_meaning(const char *sqlstate);

/*
 * Whether an error is the server's word that nothing was changed. libpq's own
 * errors carry no SQLSTATE, not even "out of memory" on a connection that is
 * well; after a broken protocol (class 08) or a PANIC a commit may have happened.
 */
bool db_error_is_refusal(const PGresult *res);

/* Whether the connection is of no more use: ended, read-only, or without its prepared statements.
 */
bool db_error_spends(const PGresult *res);

#endif
