#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base64url.h"
#include "leave_link.h"
#include "query.h"

#define MAC_BYTES crypto_auth_hmacsha256_BYTES

static_assert(LEAVE_LINK_SIG_LEN == BASE64URL_LEN(MAC_BYTES), "the header's figure");

/* What is signed: version and purpose first, so that no other text of ours can be taken for it. */
static const char *message(struct arena *a, const struct leave_link *link)
{
	return arena_printf(a, "v1\nteacher-left\n%" PRId64 "\n%" PRId64, link->session_id,
			    link->expires_s);
}

const char *leave_link_sign(struct arena *a, const unsigned char key[KEY_BYTES],
			    const struct leave_link *link)
{
	const char *text = message(a, link);
	unsigned char mac[MAC_BYTES];

	crypto_auth_hmacsha256(mac, (const unsigned char *)text, strlen(text), key);
	return base64url_encode(a, mac, sizeof mac);
}

const char *leave_link_make(struct arena *a, const struct keys *keys, const struct leave_link *link)
{
	return arena_printf(a, "session=%" PRId64 "&exp=%" PRId64 "&sig=%s", link->session_id,
			    link->expires_s,
			    leave_link_sign(a, keys->key[KEY_TEACHER_LEFT][0], link));
}

/* Plain decimal above zero: no sign, no leading zeros, nothing else. */
static bool positive(const char *text, int64_t *out)
{
	int64_t n = 0;

	if (text[0] < '1' || text[0] > '9')
		return false;
	for (; *text; text++) {
		int digit = *text - '0';

		if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

static const char *const names[] = { "session", "exp", "sig" };

#define NAMES (sizeof names / sizeof *names)

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Fills *link and *sig from exactly our three parameters. */
static enum err read_query(struct arena *a, const char *text, struct leave_link *link,
			   const char **sig, struct why *why)
{
	struct query query;
	enum err e;

	e = query_parse(a, text, &query, why);
	if (e)
		return e;
	if (query_repeated(&query))
		return why_not(why, ERR_INVALID, query_repeated(&query),
			       "It is given more than once.");
	for (size_t i = 0; i < query.count; i++)
		if (!is_ours(query.pair[i].name))
			return why_not(why, ERR_INVALID, query.pair[i].name,
				       "There is no such parameter.");
	for (size_t i = 0; i < NAMES; i++)
		if (!query_get(&query, names[i]))
			return why_not(why, ERR_INVALID, names[i], "It is missing.");
	if (!positive(query_get(&query, "session"), &link->session_id))
		return why_not(why, ERR_INVALID, "session", "It is not a session's number.");
	if (!positive(query_get(&query, "exp"), &link->expires_s))
		return why_not(why, ERR_INVALID, "exp", "It is not a time in seconds.");
	*sig = query_get(&query, "sig");
	return OK;
}

static bool is_signed(struct arena *a, const struct keys *keys, const struct leave_link *link,
		      const char *sig)
{
	const char *text = message(a, link);
	unsigned char mac[MAC_BYTES];
	size_t len;

	if (base64url_decode(sig, mac, sizeof mac, &len) || len != sizeof mac)
		return false;
	for (size_t i = 0; i < keys->count; i++)
		if (!crypto_auth_hmacsha256_verify(mac, (const unsigned char *)text, strlen(text),
						   keys->key[KEY_TEACHER_LEFT][i]))
			return true;
	return false;
}

enum err leave_link_verify(struct arena *a, const struct keys *keys, const char *text,
			   int64_t now_us, struct leave_link *out, struct why *why)
{
	struct leave_link link = { 0 };
	const char *sig = "";
	enum err e;

	*out = (struct leave_link){ 0 };
	e = read_query(a, text, &link, &sig, why);
	if (e)
		return e;
	if (!is_signed(a, keys, &link, sig))
		return why_not(why, ERR_FORBIDDEN, "sig", "This link was altered, or is not ours.");
	if (now_us / 1000000 > link.expires_s)
		return why_not(why, ERR_FORBIDDEN, "exp", "This link has expired.");
	*out = link;
	return OK;
}
