#ifndef REQ_CSV_H
#define REQ_CSV_H

#include "app.h"

/*
 * An answer that is a CSV file to keep. What a module writes by csv.h goes out
 * as it comes; nothing is sent before there is something, so an error that
 * comes first is still answered as one.
 */

/* Names the file; plain letters and checked values, which need no quoting. */
void req_csv_name(struct req *req, const char *name);

/* The csv_sink of a request, which is what to points to. */
MUST_CHECK enum err req_csv_send(void *to, const char *bytes, size_t len);

#endif
