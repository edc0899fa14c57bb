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
 * What guessers try first, of those long enough to be chosen at all; in lower
 * case. Runs (12345678) and repetitions (abcabcabc) need no list.
 * Source: the lists of leaked passwords agree on the top of theirs.
 */
static const char *const common[] = {
	"password",    "password1",    "password12",   "password123",	"password1234",
	"password!",   "passw0rd",     "p@ssw0rd",     "p@ssword",	"pa55word",
	"passwort",    "mypassword",   "newpassword",  "qwertyui",	"qwertyuiop",
	"qwerty12",    "qwerty123",    "qwerty1234",   "qwerty12345",	"qwerty123456",
	"1q2w3e4r",    "1q2w3e4r5t",   "1q2w3e4r5t6y", "q1w2e3r4",	"q1w2e3r4t5",
	"1qaz2wsx",    "1qaz2wsx3edc", "qazwsxedc",    "zaq12wsx",	"zaq1zaq1",
	"asdfghjk",    "asdfghjkl",    "asdf1234",     "asdfasdf",	"zxcvbnm1",
	"zxcvbnm123",  "iloveyou",     "iloveyou1",    "iloveyou2",	"loveyou1",
	"sunshine",    "sunshine1",    "princess",     "princess1",	"football",
	"football1",   "baseball",     "baseball1",    "basketball",	"superman",
	"superman1",   "spiderman",    "starwars",     "whatever",	"trustno1",
	"letmein1",    "letmein123",   "welcome1",     "welcome12",	"welcome123",
	"admin123",    "admin1234",    "admin12345",   "administrator", "changeme",
	"changeme1",   "changeme123",  "default1",     "secret123",	"test1234",
	"testtest",    "testing123",   "temp1234",     "abcd1234",	"abc12345",
	"a1b2c3d4",    "aa123456",     "a1234567",     "a12345678",	"a123456789",
	"123456789a",  "12345678a",    "1234567a",     "123456aa",	"123456ab",
	"1234qwer",    "123qweasd",    "123qwe123",    "qwe12345",	"12341234",
	"11223344",    "1122334455",   "112233445566", "12344321",	"123454321",
	"147258369",   "159357258",    "741852963",    "789456123",	"987654321",
	"0987654321",  "1234567890",   "12345678910",  "0123456789",	"147852369",
	"samsung1",    "michael1",     "jennifer",     "michelle",	"charlie1",
	"computer",    "internet",     "corvette",     "mercedes",	"maverick",
	"midnight",    "mustang1",     "liverpool",    "liverpool1",	"chelsea1",
	"barcelona",   "arsenal1",     "december",     "november",	"september",
	"snowball",    "chocolate",    "butterfly",    "elephant",	"dolphins",
	"pokemon1",    "minecraft",    "bismillah",    "allahuakbar",	"mohammed",
	"muhammad",    "ethiopia",     "ethiopia1",    "addisababa",	"jesus123",
	"jesuschrist", "iloveallah",   "teacher1",     "teacher123",	"student1",
	"student123",  "classroom",    "classclock",
};

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
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		if (!strcasecmp(password, common[i]))
			return true;
	return is_run(password) || is_repetition(password);
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
