#ifndef THROTTLE_H
#define THROTTLE_H

#include <stdint.h>

#include "db.h"

/*
 * How often someone may guess a password. Owns the SQL for "login_attempts".
 *
 * Two counters, of the account and of the address, slow strangers down. Once
 * an account's owner has signed in from an address, attempts on that account
 * from there have a counter of their own instead: whoever keeps an account or
 * a school's address locked does not lock out those who work there.
 * Every attempt counts as a failure from its start, so that many at once are
 * no way around it; a success takes it back. Failures are forgotten with time.
 *
 * Source: OWASP Authentication, "Login Throttling"; ASVS 5.0, 6.1.1 and 6.3.1.
 */
struct throttle_rule {
	int64_t free;	  /* this failure waits 1 s, each further one twice as long */
	int64_t max_s;	  /* the longest wait, seconds */
	int64_t forget_s; /* quiet seconds that make up for one failure */
};

/* An account: from the fifth failure on, up to 15 minutes. */
extern const struct throttle_rule throttle_account;
/* An address, which a whole school may share: later and shorter. */
extern const struct throttle_rule throttle_address;

/* Failures that count now: before so many, the last of them idle_s ago, and one more. */
int64_t throttle_count(const struct throttle_rule *rule, int64_t failures, int64_t idle_s);
/* Seconds to wait after so many failures. */
int64_t throttle_wait_s(const struct throttle_rule *rule, int64_t failures);

/* The network that counts as one guesser: "192.0.2.0/24", "2001:db8:1::/48", "" if unknown. */
const char *throttle_prefix(struct arena *a, const char *address);

/*
 * Counts an attempt on the account with this e-mail, existing or not, from address.
 *
 * ERR_THROTTLED  not counted: too soon; in *wait_s seconds it may be
 */
MUST_CHECK enum err throttle_enter(struct db *db, struct arena *a, const char *email,
				   const char *address, int64_t *wait_s);

/* The attempt was the owner's: takes it back, and knows the address from now on. */
MUST_CHECK enum err throttle_success(struct db *db, struct arena *a, const char *email,
				     const char *address);

#endif
