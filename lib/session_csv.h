#ifndef SESSION_CSV_H
#define SESSION_CSV_H

#include "csv.h"
#include "session_list.h"

/*
 * The whole filter as CSV (RFC 4180, UTF-8 with BOM), newest first, read from
 * one snapshot in constant memory and handed to sink as it comes. An error
 * after the first byte leaves an incomplete text.
 */
MUST_CHECK enum err session_csv(struct db *db, const struct session_filter *filter, csv_sink *sink,
				void *to);

/* filter->days becomes from and to, so that the rows are of the days that the file's name says. */
MUST_CHECK enum err session_csv_days(struct db *db, struct arena *a, struct session_filter *filter);

#endif
