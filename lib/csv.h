#ifndef CSV_H
#define CSV_H

#include "buf.h"

/*
 * Rows of a CSV file (RFC 4180) that a spreadsheet opens as text: every field
 * is quoted, and one that would begin a formula gets a ' in front (OWASP, CSV
 * Injection). Empty the buffer between rows only: the comma goes by its end.
 */

/* The three bytes that tell Excel the file is UTF-8: first in the file. */
#define CSV_BOM "\xef\xbb\xbf"

/* Takes the next bytes of an export; an error ends it. */
typedef enum err csv_sink(void *to, const char *bytes, size_t len);

/* Hands what b holds to sink and empties b. */
MUST_CHECK enum err csv_flush(struct buf *b, csv_sink *sink, void *to);

/* Adds text (NULL is empty) as the row's next field, comma included. */
void csv_field(struct buf *b, const char *text);

/* Ends the row with CRLF. */
void csv_row_end(struct buf *b);

#endif
