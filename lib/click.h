#ifndef CLICK_H
#define CLICK_H

#include "db.h"
#include "join_link.h"
#include "visitor.h"

/*
 * Opening a join link. The first human click starts the clock; every other
 * one redirects and changes nothing. Owns the SQL for "clicks".
 */
struct click {
	const struct join_link *link;
	enum visitor visitor;
	const char *address; /* as seen; kept truncated */
	const char *agent;   /* NULL: none sent */
};

enum click_answer {
	CLICK_OPENS,	 /* send the student to zoom_url */
	CLICK_EXPIRED,	 /* the link's life is over */
	CLICK_CANCELLED, /* the class was cancelled */
};

struct click_result {
	enum click_answer answer;
	const char *zoom_url; /* with CLICK_OPENS */
};

/*
 * Records click and says what the visitor gets. An authentic link whose
 * session is not here opens too, and is kept as an orphan.
 *
 * ERR_IN_DOUBT  repeat it: a click is idempotent
 */
MUST_CHECK enum err click_record(struct db *db, struct arena *a, const struct click *click,
				 struct click_result *out);

/* An account's own click on a student's link: kept, starts nothing. */
MUST_CHECK enum err click_by_account(struct db *db, struct arena *a, const struct click *click);

#endif
