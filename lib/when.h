#ifndef WHEN_H
#define WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

/*
 * Moments as the contract writes them (design §5): RFC 3339 in UTC,
 * YYYY-MM-DDTHH:MM:SS[.ffffff]Z, against microseconds since 1970-01-01 UTC.
 * Every day has 86400 seconds; a leap second is none of them.
 */

/* The last moment there is a text for: 9999-12-31T23:59:59.999999Z. */
#define WHEN_MAX_US INT64_C(253402300799999999)

/* The text of moment_us, with six decimals or none; NULL outside 1970..9999. */
const char *when_text(struct arena *a, int64_t moment_us);

/*
 * Reads text (may be NULL) into *out. One to six decimals are taken, no other
 * spelling: capital T and Z, no offset.
 *
 * ERR_INVALID  not such a text, outside 1970..9999, or no such moment
 */
MUST_CHECK enum err when_parse(const char *text, int64_t *out);

/* Whether text (may be NULL) is a day of the calendar as YYYY-MM-DD, years 0001..9999. */
bool when_is_date(const char *text);

#endif
