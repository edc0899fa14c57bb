#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "err.h"

/*
 * Calls to other services; the only user of libcurl. Every call has a
 * deadline, follows no redirect, uses no proxy, and takes an answer up to a
 * cap. https alone, but for plain http to this machine.
 *
 * URLs and headers carry secrets: nothing here logs or repeats them.
 */
struct http;

/* One a process, made after it forked. NULL: out of memory. */
struct http *http_new(void);
void http_free(struct http *http);

struct http_call {
	const char *method; /* "GET", "POST", ... */
	const char *url;
	const char *const *headers; /* lines "Name: value", a NULL ends them; NULL: none */
	const char *body;	    /* NULL: none */
	size_t body_len;	    /* bytes */
	int connect_ms;		    /* name lookup, TCP and TLS together */
	int total_ms;		    /* all of the call */
	size_t answer_max;	    /* bytes of the answer's head, and of its body */
	/*
	 * It may happen twice without harm. On a connection that is kept from
	 * an earlier call libcurl repeats what got no answer, so all other
	 * calls open one of their own.
	 */
	bool repeatable;
};

enum http_outcome {
	HTTP_ANSWERED, /* status and body are whole */
	HTTP_NOT_SENT, /* no byte of the request left: it has had no effect */
	HTTP_UNKNOWN, /* it left, at least in part, and no whole answer came: it may have had one */
};

struct http_answer {
	int status;	    /* 0: none was read */
	const char *body;   /* NUL-terminated, never NULL */
	size_t len;	    /* bytes of it */
	const char *reason; /* libcurl's words for what went wrong, without the URL; static */
};

/* Calls and waits for the answer. Strings of *out belong to the arena. */
MUST_CHECK enum http_outcome http_call(struct http *http, struct arena *a,
				       const struct http_call *call, struct http_answer *out);

/* The last call's answer header of that name, NULL if there is none. Belongs to the arena. */
const char *http_header(struct http *http, struct arena *a, const char *name);

#endif
