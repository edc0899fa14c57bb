#ifndef GATE_H
#define GATE_H

#include "app.h"

/*
 * Who gets in. Called by lib/app.c before any handler; nothing behind it has
 * to remember to check a role.
 *
 * ERR_UNAUTHENTICATED  nobody is signed in and someone must be
 * ERR_FORBIDDEN        wrong role, a browser's page of another site, or not this machine
 */
MUST_CHECK enum err gate_check(struct req *req);

/* Fills req->who from the login cookie, if there is one; for endpoints open to anyone. */
MUST_CHECK enum err gate_who(struct req *req);

/* The login cookie's token, NULL if none. */
const char *gate_login_token(const struct req *req);

/* The login cookie's name: browsers guard the __Host- prefix, which https makes possible. */
const char *gate_cookie_name(const struct conf *conf);

#endif
