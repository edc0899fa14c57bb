#ifndef APP_SERVE_H
#define APP_SERVE_H

#include <fcgiapp.h>

#include "app.h"
#include "app_parent.h"

/* How one request is answered; lib/app.c brings the requests. Only these two files know libfcgi. */

/* The connection behind a request. */
struct transport {
	FCGX_Request *fcgi;
	struct heartbeat *beat;
};

/* What every worker of a program shares from before the fork. */
struct program {
	const struct endpoint *endpoint;
	struct conf conf;
	struct keys keys;
};

/* Answers the request that t holds: gate, body, handler, answer. */
void app_serve(const struct program *program, struct transport *t, struct db *db,
	       struct arena *arena);

#endif
