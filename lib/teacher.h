#ifndef TEACHER_H
#define TEACHER_H

#include <stdint.h>

#include "db.h"
#include "listing.h"

/*
 * Teachers as the admin sees them: accounts with that role. Owns the SQL for
 * "accounts" together with account.h.
 *
 * Ownership  the caller owns the JSON it gets.
 */
#define TEACHER_NAME_MAX 200 /* characters */

/* A new teacher, or what to change; NULL: leave as it is. */
struct teacher_fields {
	int64_t id; /* of the one to change */
	const char *name;
	const char *email;
	const char *disabled; /* "true", "false" */
	bool invite;	      /* a fresh invitation, which replaces earlier ones */
};

/* Teachers by name, as {"teachers": [...]}. */
MUST_CHECK enum err teacher_list(struct db *db, struct arena *a, const struct listing *listing,
				 struct json_object **out);

/*
 * Makes the account with a first invitation; *out has its invite_url.
 *
 * ERR_CONFLICT  naming email: there is an account with it
 * ERR_INVALID   naming what cannot be so
 */
MUST_CHECK enum err teacher_create(struct db *db, struct arena *a, const char *base_url,
				   const struct teacher_fields *want, struct json_object **out,
				   struct why *why);

/*
 * Changes the account; with invite, *out has its invite_url. Disabling ends
 * its logins and open invitations in the same transaction, another address its
 * open invitations and what Zoom knew by the old one. Another address with
 * invite is a person who has not been here: logins and password end too.
 *
 * ERR_NOT_FOUND  naming id: no such teacher
 * ERR_CONFLICT   naming email, or invite: a disabled account is not invited
 * ERR_INVALID    as above
 */
MUST_CHECK enum err teacher_change(struct db *db, struct arena *a, const char *base_url,
				   const struct teacher_fields *want, struct json_object **out,
				   struct why *why);

#endif
