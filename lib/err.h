#ifndef ERR_H
#define ERR_H

/*
 * The one error type. Every function that can fail returns it; OK is 0, so
 * "if (e)" reads as "if it failed". Title and HTTP status: err.c, one table.
 * Source of the statuses: design, HTTP contract.
 */
enum err {
	OK = 0,
	ERR_INVALID,	     /* 400: the caller's input is wrong */
	ERR_UNAUTHENTICATED, /* 401 */
	ERR_FORBIDDEN,	     /* 403 */
	ERR_NOT_FOUND,	     /* 404: absent, or someone else's */
	ERR_METHOD,	     /* 405 */
	ERR_CONFLICT,	     /* 409: clashes with what exists */
	ERR_GONE,	     /* 410: the link expired or was cancelled */
	ERR_TOO_LARGE,	     /* 413 */
	ERR_MEDIA_TYPE,	     /* 415 */
	ERR_THROTTLED,	     /* 429: too many attempts, wait */
	ERR_INTERNAL,	     /* 500: a bug here; logged where it was found */
	ERR_UNAVAILABLE,     /* 503: try again later, nothing was changed */
	ERR_IN_DOUBT,	     /* 503: may or may not have been done; repeat it */
	ERR__MAX
};

#define MUST_CHECK __attribute__((warn_unused_result))

int err_status(enum err e);
/* A short title for people: "Not found". Static. */
const char *err_title(enum err e);

/* What is wrong, told to the caller next to an error. Both may be NULL; strings outlive the
 * request. */
struct why {
	const char *field;  /* the input at fault */
	const char *detail; /* a sentence that says what to do */
};

/* Sets *why (unless it holds an earlier reason) and returns e, so that "return why_not(...)" reads
 * as one step. */
enum err why_not(struct why *why, enum err e, const char *field, const char *detail);

#endif
