#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "password.h"
#include "utf8.h"

#define OPS	   2
#define MEMORY	   ((size_t)19456 * 1024) /* bytes */
#define PERIOD_MAX 4			  /* "aaaaaaaa", "abcabcabc" */

/* No password's hash, at these costs: what unknown accounts are verified against. */
static const char nobodys_hash[crypto_pwhash_STRBYTES] =
	"$argon2id$v=19$m=19456,t=2,p=1"
	"$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/*
 * What guessers try first, in lower case, as ["one","another"]: some fifty thousand that leaked
 * most often. Made by lib/common_passwords.cmake. Source: @zxcvbn-ts/language-common.
 */
extern const char common_passwords[];

/* The same of those who know where they are. Runs (12345678) and repetitions (abcabcabc) need no
 * list. */
static const char ours[] =
	"[\"0987654321\",\"classclock\",\"classroom\",\"teacher123\",\"student123\",\"admin1234\","
	"\"admin12345\",\"changeme123\",\"p@ssword\",\"addisababa\",\"ethiopia1\",\"iloveallah\"]";

/* Each byte one above, or each one below, the byte before it. */
static bool is_run(const char *s)
{
	int step = s[1] - s[0];

	if (step != 1 && step != -1)
		return false;
	for (; s[1]; s++)
		/* A digit run goes on over the end: 1234567890. */
		if (s[1] - s[0] != step && !(s[0] == '9' && s[1] == '0' && step == 1) &&
		    !(s[0] == '0' && s[1] == '9' && step == -1))
			return false;
	return true;
}

/* A few bytes again and again. */
static bool is_repetition(const char *s)
{
	for (size_t period = 1; period <= PERIOD_MAX; period++) {
		size_t i = period;

		while (s[i] && s[i] == s[i - period])
			i++;
		if (!s[i])
			return true;
	}
	return false;
}

static bool is_common(const char *password)
{
	size_t len = strlen(password);
	char entry[PASSWORD_BYTES_MAX + 3] = "\"";

	for (size_t i = 0; i < len; i++)
		entry[1 + i] = (char)tolower((unsigned char)password[i]);
	entry[1 + len] = '"';
	return strstr(common_passwords, entry) || strstr(ours, entry) || is_run(password) ||
	       is_repetition(password);
}

enum err password_check(const char *password, const char *email, const char *field, struct why *why)
{
	if (utf8_length(password) < PASSWORD_CHARACTERS_MIN ||
	    strlen(password) > PASSWORD_BYTES_MAX)
		return why_not(why, ERR_INVALID, field,
			       "Choose a password of 8 characters to 1024 bytes; "
			       "a few words make a good one.");
	if (is_common(password) || (email && !strcasecmp(password, email)))
		return why_not(why, ERR_INVALID, field,
			       "This password is among the first that a guesser tries. "
			       "Choose another one; a few words make a good one.");
	return OK;
}

enum err password_hash(struct arena *a, const char *password, const char **out)
{
	char *hash = arena_alloc(a, crypto_pwhash_STRBYTES);

	*out = hash;
	if (!crypto_pwhash_str(hash, password, strlen(password), OPS, MEMORY))
		return OK;
	log_error("password: no memory for a hash");
	return ERR_UNAVAILABLE;
}

enum err password_verify(const char *hash, const char *password, bool *out)
{
	errno = 0;
	*out = !crypto_pwhash_str_verify(hash ? hash : nobodys_hash, password, strlen(password)) &&
	       hash;
	/* libsodium says EINVAL for another password, and nothing for want of memory. */
	if (*out || errno == EINVAL)
		return OK;
	log_error("password: a hash cannot be verified: malformed, or no memory");
	return ERR_UNAVAILABLE;
}

bool password_is_outdated(const char *hash)
{
	return crypto_pwhash_str_needs_rehash(hash, OPS, MEMORY) != 0;
}
