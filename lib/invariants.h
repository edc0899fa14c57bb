#ifndef INVARIANTS_H
#define INVARIANTS_H

#include <stdint.h>
#include <stdio.h>

#include "db.h"

/*
 * What must hold in the data whatever has happened, beyond what constraints
 * can say: schema/check.sql, and checks in C, listed in invariants.c.
 *
 * Prints a line for each broken one with the number of its offenders, and one
 * line in the end; *broken counts invariants, not offenders.
 */
MUST_CHECK enum err invariants_check(struct db *db, struct arena *a, FILE *out, int64_t *broken);

#endif
