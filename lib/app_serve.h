#ifndef APP_SERVE_H
#define APP_SERVE_H

#include <fcgiapp.h>

#include "app.h"
#include "app_parent.h"

/* How one request is answered; lib/app.c brings the requests. lib/app_many.c too; only these three
 * know libfcgi. */

/* The connection behind a request. */
struct transport {
	FCGX_Request *fcgi;
	struct heartbeat *beat;
	int64_t began_ms; /* the request did */
};

/* What every worker of a program shares from before the fork. */
struct program {
	const struct endpoint *endpoint;
	struct conf conf;
	struct keys keys;
};

/*
 * A connection from descriptor 0, or -1. *cannot: there may be one, and none can be taken as things
 * are, as for want of descriptors. Trying again at once would be trying for ever. Logged where it
 * begins.
 */
int app_accept(bool *cannot);

/* Begins *req, the request that t has read. It ends with arena. */
void app_begin(struct req *req, const struct program *program, struct transport *t, struct db *db,
	       struct arena *arena);

/* Goes on with it: gate, body, handler, answer. False: it waits, see req_wait(), for another call.
 */
bool app_go_on(struct req *req);

#endif
