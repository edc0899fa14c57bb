#ifndef REQ_CSV_H
#define REQ_CSV_H

#include "app.h"

/*
 * An answer that is a CSV file to keep. What a module writes by csv.h goes out
 * as it comes; nothing is sent before there is something, so an error that
 * comes first is still answered as one.
 */

/*
 * Names the file by what it holds and its days, which have been checked; NULL is an open end:
 * "pay-2026-11-01-to-2026-11-30.csv", "pay-2026-11-26.csv", "sessions-from-2026-11-01.csv",
 * "sessions.csv".
 */
void req_csv_name(struct req *req, const char *what, const char *from, const char *to);

/* The csv_sink of a request, which is what to points to. */
MUST_CHECK enum err req_csv_send(void *to, const char *bytes, size_t len);

#endif
