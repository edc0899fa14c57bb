#ifndef ZOOM_API_H
#define ZOOM_API_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "conf.h"
#include "db.h"
#include "http.h"

struct json_object;

/*
 * Calls to Zoom's REST API as the academy's Server-to-Server app. One token
 * serves all workers: it lies in "zoom_tokens", and who finds it refused or
 * running out fetches the next while the others wait. Zoom's wish to be left
 * alone lies in "zoom_pauses". No call is made inside a transaction.
 *
 * Tokens, secrets and answers are never logged.
 *
 * Errors  of the database; what Zoom did is the outcome.
 */
struct zoom_api {
	struct db *db;
	struct arena *arena;
	const struct conf *conf;
	struct http *http;
	int64_t until_ms; /* CLOCK_MONOTONIC: what is not answered by then is given up */
};

enum zoom_outcome {
	ZOOM_DONE,    /* 2xx, and JSON */
	ZOOM_REFUSED, /* 4xx: it had no effect; status and code say why */
	ZOOM_LIMITED, /* too many calls, now or by a pause that Zoom asked for: no effect */
	ZOOM_LOCKED,  /* Zoom does not take our credentials: no effect */
	ZOOM_AWAY,    /* nothing left this machine: no effect */
	ZOOM_UNKNOWN, /* it may have had an effect */
};

struct zoom_answer {
	enum zoom_outcome outcome;
	int status;		  /* HTTP's; 0: none */
	int64_t code;		  /* Zoom's own; 0: none */
	struct json_object *body; /* NULL if it is no JSON */
};

struct zoom_call {
	const char *method;
	const char *path; /* behind ZOOM_API_BASE, its parts escaped */
	const char *body; /* JSON; NULL: none */
	const char *user; /* whose limits count beside the account's; "": nobody's */
};

/* Whether the settings name an app. */
bool zoom_api_is_set(const struct conf *conf);

MUST_CHECK enum err zoom_api_call(const struct zoom_api *api, const struct zoom_call *call,
				  struct zoom_answer *out);

/* Makes no call for the user ("": for anybody) for some seconds. */
MUST_CHECK enum err zoom_api_pause(const struct zoom_api *api, const char *user, int64_t seconds);

/* How long a call may take, ms: not longer than all calls together may. 0: no time is left. */
int zoom_api_ms(const struct zoom_api *api);

/* text as a part of a path. */
const char *zoom_api_escape(struct arena *a, const char *text);

#endif
