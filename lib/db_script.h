#ifndef DB_SCRIPT_H
#define DB_SCRIPT_H

#include "err.h"

/* SQL of schema/ that operators run, embedded by schema/embed.cmake. */
extern const char script_check[];	  /* one query: rows of (name, offenders) */
extern const char script_demo_packages[]; /* the mission's packages, those that are missing */
extern const char script_demo[];	  /* the demo academy */

/*
 * Runs the statements of a script in one transaction of its own.
 *
 * ERR_CONFLICT     the script refused (RAISE EXCEPTION); its reason is logged
 * ERR_UNAVAILABLE  no connection
 * ERR_INTERNAL     a statement failed; logged, nothing was changed
 */
MUST_CHECK enum err db_script(const char *conninfo, const char *sql);

#endif
