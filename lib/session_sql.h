#ifndef SESSION_SQL_H
#define SESSION_SQL_H

#include "session_list.h"

/* A session filter as SQL, for its page, its totals and its CSV (session_list.c, session_csv.c). */

#define SQL_ARGS_MAX 40

/* The text of a query and its arguments, which grow together; all of it lives in the arena. */
struct sql {
	struct arena *a;
	const char *text;
	const char *args[SQL_ARGS_MAX];
	int n;
};

/* Adds before, the number of a new argument ($1, $2, ...), and after. */
void sql_add(struct sql *q, const char *before, const char *after, const char *arg);
void sql_text(struct sql *q, const char *text);

/* What a filter's days and names stand for now; moments and arrays as text. */
struct session_meaning {
	const char *from, *to;			     /* [from, to), NULL without days */
	const char *first_hour, *hours_end;	     /* the whole hours of UTC in it */
	const char *first_month, *months_end;	     /* months of UTC, whole, nearest to it */
	const char *pattern;			     /* of the names searched for */
	const char *students, *teachers;	     /* who has such a name */
	const char *other_students, *other_teachers; /* who has not, if nearly_all */
	bool anybody, too_many; /* too many: not all who have it are in the arrays */
	bool by_months;	 /* many, over so many days that the sums of those months are fewer */
	bool nearly_all; /* few have not */
};

MUST_CHECK enum err session_meaning_find(struct db *db, struct arena *a,
					 const struct session_filter *f,
					 struct session_meaning *out);

/* AND, of sessions s (or counts of them): between two moments; all that the filter says but days.
 */
void session_sql_days(struct sql *q, const char *from, const char *to);
void session_sql_filter(struct sql *q, const struct session_filter *f,
			const struct session_meaning *m);

/* What is asked of a filter's sessions; a limit and a cursor where it is a page. */
struct session_question {
	const struct session_filter *filter;
	const struct session_meaning *meaning;
	int64_t limit;
	const struct cursor *after;
};

enum session_part { PART_ALL, PART_USUAL, PART_ODD };

/* AND, of sessions s: those of that part. */
void session_sql_part(struct sql *q, enum session_part part, const struct session_meaning *m);

/* Calls add_some(q, part, question) for the parts that make up a filter, UNION ALL between them. */
void session_sql_parts(struct sql *q, const struct session_question *question,
		       void (*add_some)(struct sql *, enum session_part,
					const struct session_question *));

#endif
