#ifndef SESSION_FILTER_H
#define SESSION_FILTER_H

#include <stdbool.h>

#include "app.h"
#include "session_list.h"

/* What the parameters of a session list ask for; the same for admins and teachers. */
struct session_page {
	struct session_filter filter;
	int64_t limit;
	bool has_cursor;
	struct cursor cursor;
};

enum page_of { PAGE_OF_ADMIN, PAGE_OF_TEACHER };

/*
 * Reads and checks them. An admin may also name a teacher and ask for CSV
 * (*as_csv); a teacher's list is narrowed by the caller.
 *
 * ERR_INVALID  a parameter is wrong, repeated or unknown; it is named
 */
MUST_CHECK enum err session_page_read(struct req *req, enum page_of whose, struct session_page *out,
				      bool *as_csv);

#endif
