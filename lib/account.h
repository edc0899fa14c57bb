#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdint.h>

#include "db.h"
#include "login.h"

/*
 * Accounts: how someone becomes one, signs in, and changes the password. Owns
 * the SQL for "invites", and for "accounts" together with teacher.h.
 *
 * Errors  *why names the input at fault and says what to do.
 */

/* How long an invitation waits for its person. */
#define ACCOUNT_INVITE_DAYS 7

/* Longest e-mail address, bytes. Source: RFC 5321 §4.5.3.1.3 with its erratum. */
#define ACCOUNT_EMAIL_MAX 254

/* ERR_INVALID, naming email: it has not the form of an address. */
MUST_CHECK enum err account_check_email(const char *email, struct why *why);

/* Someone at the door: who they say they are, then what came of it. */
struct account_entry {
	const char *email;  /* to sign in */
	const char *invite; /* to accept an invitation: its token */
	const char *password;
	const char *address; /* the client's */

	struct account account; /* who it is */
	const char *token;	/* the new login's, for the browser */
	int64_t wait_s;		/* ERR_THROTTLED: try again after so many seconds */
};

/*
 * Signs in by e-mail and password. Whether the account exists shows neither in
 * the answer nor in its time. A password that is changed meanwhile lets nobody in.
 *
 * ERR_UNAUTHENTICATED  no such account or another password
 * ERR_THROTTLED        too many attempts
 */
MUST_CHECK enum err account_sign_in(struct db *db, struct arena *a, struct account_entry *entry,
				    struct why *why);

/*
 * Uses the invitation: sets the password, ends all logins of the account and
 * signs in. Of many at once one succeeds. A refused password uses nothing up.
 *
 * ERR_NOT_FOUND  naming token: unknown, used, replaced or expired
 * ERR_INVALID    naming password
 */
MUST_CHECK enum err account_accept(struct db *db, struct arena *a, struct account_entry *entry,
				   struct why *why);

/* What a password change wants. */
struct account_change {
	const char *current;
	const char *wanted;
	const char *address;	/* the client's */
	const char *keep_token; /* the login that stays; all others end */
	int64_t wait_s;		/* as above */
};

/*
 * Changes nothing when the wanted one is the password already.
 *
 * ERR_INVALID    naming current_password or new_password
 * ERR_THROTTLED  too many attempts
 */
MUST_CHECK enum err account_change_password(struct db *db, struct arena *a,
					    const struct account *who,
					    struct account_change *change, struct why *why);

/*
 * The id of the account with this e-mail, made if there is none.
 *
 * ERR_CONFLICT  it exists with another role, or is disabled
 */
MUST_CHECK enum err account_ensure(struct db *db, struct arena *a, const char *role,
				   const char *name, const char *email, int64_t *id,
				   struct why *why);

/* Makes a one-time invitation, which replaces earlier ones: *url is what the person opens. */
MUST_CHECK enum err account_invite(struct db *db, struct arena *a, int64_t id, const char *base_url,
				   const char **url);

struct json_object;

/* The account as the sign-in pages know it: id, name, email, role. The caller owns it. */
struct json_object *account_json(const struct account *account);

#endif
