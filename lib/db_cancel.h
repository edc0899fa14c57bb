#ifndef DB_CANCEL_H
#define DB_CANCEL_H

#include <libpq-fe.h>

/*
 * Tells the server to stop what it does for conn, whose answer nobody waits for any more. A backend
 * does not notice that its client has gone while it waits for a synchronous standby: it would wait
 * on, and hold its locks, until one comes. What was committed by then stays committed on the server
 * itself, so to the caller a commit given up is in doubt, whether it was cancelled or not.
 *
 * libpq has but a call that blocks, on a server that stands still for as long as it does. So the
 * call has a thread of its own, which is waited for a moment, and left to itself where it hangs.
 */
void db_cancel(PGconn *conn);

#endif
