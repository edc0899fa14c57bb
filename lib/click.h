#ifndef CLICK_H
#define CLICK_H

#include "conf.h"
#include "db.h"
#include "join_link.h"
#include "visitor.h"

/*
 * Opening a join link. The first human click starts the clock; every other
 * one redirects and changes nothing. Owns the SQL for "clicks".
 */
struct click {
	const char *key; /* a UUID: what makes it the same click, here and in the journal */
	const struct join_link *link;
	enum visitor visitor;
	const char *address; /* as seen; its network is kept */
	const char *agent;   /* NULL: none sent */
	const char *login;   /* the login token that came along, NULL if none */
};

enum click_answer {
	CLICK_OPENS,	  /* send the student to zoom_url */
	CLICK_EXPIRED,	  /* the link's life is over */
	CLICK_CANCELLED,  /* the class was cancelled */
	CLICK_BY_ACCOUNT, /* someone signed in: nothing was started */
};

struct click_result {
	enum click_answer answer;
	const char *zoom_url; /* with CLICK_OPENS; belongs to the arena given */
};

/*
 * Records click and says what the visitor gets. An authentic link whose
 * session is not here opens too, and is kept as an orphan. Waits for no lock.
 *
 * ERR_CONFLICT  another transaction holds its session; nothing is recorded
 * ERR_IN_DOUBT  it may be recorded; click_keep() by the same key keeps it once
 */
MUST_CHECK enum err click_record(struct db *db, struct arena *a, const struct click *click,
				 struct click_result *out);

/*
 * Keeps a click that was judged elsewhere; session_id 0: it has none here. By
 * the same key it is kept once, at the earlier moment. Of a click a NULL key
 * stands for one that nobody else knows.
 */
MUST_CHECK enum err click_keep(struct db *db, struct arena *a, const struct click *click,
			       int64_t session_id, int64_t happened_us, const char *verdict);

/* Clicks that one statement takes at most. */
#define CLICK_GROUP_MAX 256

/*
 * Records the n clicks that it can at once, in one statement and one commit,
 * and tells each apart: is_done[i] with out[i], or not done, because another
 * transaction holds its session or a newer link superseded it: those want
 * click_record(). Waits for no lock. An error means that none was recorded,
 * ERR_IN_DOUBT that all may have been.
 */
MUST_CHECK enum err click_record_group(struct db *db, struct arena *a,
				       const struct click *const *clicks, size_t n, bool *is_done,
				       struct click_result *out);

#endif
