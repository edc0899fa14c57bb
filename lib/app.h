#ifndef APP_H
#define APP_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "conf.h"
#include "db.h"
#include "err.h"
#include "keys.h"
#include "login.h"

struct json_object;
struct req;

/*
 * A program is one endpoint: who may call it, its methods, and what it needs.
 * app_main() refuses everybody and everything else before a handler runs.
 */
typedef enum err handler_fn(struct req *req);

enum who {
	WHO_NOBODY = 0, /* a forgotten .who serves nobody */
	WHO_ANYONE,	/* no login needed */
	WHO_SECRET,	/* not a browser: the handler checks a signature or secret of its own */
	WHO_LOCAL,	/* this machine only */
	WHO_SIGNED_IN,	/* teacher or admin */
	WHO_TEACHER,
	WHO_ADMIN,
};

struct route {
	const char *method;
	handler_fn *handle;
};

#define ROUTES_MAX 4

struct endpoint {
	const char *name; /* the program's, for the log */
	enum who who;
	struct route routes[ROUTES_MAX];
	unsigned needs;	  /* settings, enum need; the database's is implied */
	int workers;	  /* 0: WORKERS_DEFAULT */
	int deadline_ms;  /* for all database work of a request; 0: REQUEST_DEADLINE_MS */
	int stuck_s;	  /* a worker that takes so long is ended; 0: STUCK_AFTER_S */
	size_t body_max;  /* bytes; 0: BODY_MAX_DEFAULT */
	bool wakes;	  /* has its workers always, also when nobody asks for long */
	bool keeps_login; /* a call does not count as a person's action */
	int at_once;	  /* requests that a worker has in hand; above 1 handlers may req_wait() */
	enum err (*start)(const struct conf *conf); /* run once in each worker; may be NULL */
};

#define WORKERS_DEFAULT	    2
#define REQUEST_DEADLINE_MS 8000  /* longer than the role's statement_timeout */
#define BODY_MAX_DEFAULT    65536 /* nginx: client_max_body_size */
#define STUCK_AFTER_S	    30	  /* a worker without progress for so long is ended */
#define STUCK_JOB_S	    600 /* the same where a request is a job's whole run; nginx waits as long */

/* One request. Every string in it, and the arena, end with the request. */
struct req {
	const struct endpoint *endpoint;
	const struct conf *conf;
	const struct keys *keys;
	struct arena *arena;
	struct db *db;
	struct account who; /* id 0: nobody is signed in */
	const char *method;
	const char *query; /* raw, never NULL */
	const char *body;  /* NUL-terminated, never NULL */
	size_t body_len;   /* bytes */
	struct why why;	   /* told to the client next to an error */

	/* The answer. */
	int status;
	const char *type;
	const char *headers; /* further lines, each ended by CRLF */
	const char *answer;
	size_t answer_len;
	bool streaming;		     /* the head is out; rows follow by req_stream() */
	handler_fn *again;	     /* not NULL: it waits, and this goes on with it */
	void *waits_for;	     /* the handler's own */
	struct transport *transport; /* for lib/app_serve.c and who brings requests */
};

/* A request header by its name in HTTP ("User-Agent"), or NULL. */
const char *req_header(const struct req *req, const char *name);
/* The same, NULL also when it was sent more than once: who read which of them is anybody's guess.
 */
const char *req_header_once(const struct req *req, const char *name);
/* The client's address as nginx saw it, "" if unknown. */
const char *req_address(const struct req *req);
/* nginx's id of the request, 32 hex digits, the same when a worker died and it asks the next; or
 * NULL.
 */
const char *req_id(const struct req *req);

/* Adds a header to the answer. A value with control bytes is a bug and ends the request with 500.
 */
void req_add_header(struct req *req, const char *name, const char *value);

/* Sets the login cookie to token; NULL removes it. */
void req_set_login(struct req *req, const char *token);

/* Answers status with body as JSON. Takes body over; NULL is ERR_INTERNAL. */
MUST_CHECK enum err req_json(struct req *req, int status, struct json_object *body);
/* Answers status with text as it is; type as in Content-Type. */
MUST_CHECK enum err req_text(struct req *req, int status, const char *type, const char *text);

/* Refuses with e, naming the input at fault (may be NULL) and what to do about it. */
MUST_CHECK enum err req_refuse(struct req *req, enum err e, const char *field, const char *detail);

/*
 * Sends the head of a 200 answer of unknown length, then its parts as they
 * come. ERR_UNAVAILABLE: the client has gone. After the head an error can only
 * cut the answer short, which the client sees as a broken transfer.
 */
MUST_CHECK enum err req_stream_open(struct req *req, const char *type);
MUST_CHECK enum err req_stream(struct req *req, const char *data, size_t len);

/*
 * In place of an answer, where endpoint.at_once is above 1: there is none yet. The same thread
 * calls again in the handler's place, after the next app_wake() or WAIT_LOOK_MS at the latest.
 * Nothing in such an endpoint may block, nor may its .who ask who is signed in: meanwhile nobody
 * is answered.
 */
MUST_CHECK enum err req_wait(struct req *req, handler_fn *again);
#define WAIT_LOOK_MS 100

/* From any thread: requests that wait may have their answer. */
void app_wake(void);

/* Serves endpoint until SIGTERM. Returns the exit status. */
int app_main(int argc, char **argv, const struct endpoint *endpoint);

#endif
