#ifndef LOGIN_H
#define LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"

/*
 * A browser's authenticated time of an account. Owns the SQL for "logins".
 * The browser holds a random token in a cookie; the table holds its hash.
 */

/* How long a login lasts: without a person's action, and at most. Source: design, pages. */
#define LOGIN_IDLE_MAX "12 hours"
#define LOGIN_AGE_MAX  "7 days"

/* Whether login l of account a is good at a moment, given as SQL; and whether it is now. */
#define LOGIN_IS_GOOD_AT(moment)                                                                   \
	"(a.disabled_at IS NULL AND l.acted_at > " moment " - interval '" LOGIN_IDLE_MAX "'"       \
	" AND l.created_at > " moment " - interval '" LOGIN_AGE_MAX "')"
#define LOGIN_IS_GOOD LOGIN_IS_GOOD_AT("clock_now()")

enum account_role { ROLE_NOBODY, ROLE_TEACHER_ACCOUNT, ROLE_ADMIN };

/* Who is asking. Strings belong to the request's arena. */
struct account {
	int64_t id; /* 0: nobody */
	enum account_role role;
	const char *name;
	const char *email;
};

/*
 * Fills *out with the account whose login has this token; id 0 when it is
 * unknown, idle for too long, too old, or its account is disabled. An action
 * of a person (acts) keeps the login from idling out; a poll does not.
 */
MUST_CHECK enum err login_find(struct db *db, struct arena *a, const char *token, bool acts,
			       struct account *out);

/* Makes a login for the account; *token is what the browser keeps. */
MUST_CHECK enum err login_start(struct db *db, struct arena *a, int64_t account_id,
				const char **token);

/* Ends the login with this token; unknown ones are fine. */
MUST_CHECK enum err login_end(struct db *db, struct arena *a, const char *token);

/* Ends every login of the account but the one with keep_token (NULL: all). */
MUST_CHECK enum err login_end_all(struct db *db, struct arena *a, int64_t account_id,
				  const char *keep_token);

/* A fresh token: 32 random bytes as base64url. And the hash by which tables know a token, as \x
 * hex. */
const char *token_make(struct arena *a);
const char *token_hash(struct arena *a, const char *token);

#endif
