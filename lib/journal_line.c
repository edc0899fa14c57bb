#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base64url.h"
#include "journal.h"

#define SUM_BYTES	16
#define AGENT_BYTES_MAX 300
#define FIELDS_MAX	11 /* after the version */

/* What follows the version in a line: version 1 knew no login. */
static const size_t fields_of[] = { 0, FIELDS_MAX - 1, FIELDS_MAX };

static const char *const kinds[] = { [JOURNAL_CLICK] = "click", [JOURNAL_LEFT] = "left" };

const char *journal_kind_name(enum journal_kind kind)
{
	return kinds[kind];
}

static const char *checksum(struct arena *a, const char *text)
{
	unsigned char sum[SUM_BYTES];

	crypto_generichash(sum, sizeof sum, (const unsigned char *)text, strlen(text), NULL, 0);
	return base64url_encode(a, sum, sizeof sum);
}

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

const char *journal_line(struct arena *a, const struct journal_entry *e)
{
	const char *agent =
		e->agent ? base64url_encode(a, e->agent, strnlen(e->agent, AGENT_BYTES_MAX)) : NULL;
	const char *text = arena_printf(
		a,
		"2 %s %s %" PRId64 " %" PRId64 " %" PRId64 " %s %" PRId64 " %" PRId64 " %s %s %s",
		kinds[e->kind], e->id, e->happened_us, e->offset_us, e->session_id,
		or_dash(e->link_id), e->sent_us, e->expires_us, or_dash(e->address), or_dash(agent),
		or_dash(e->login));

	return arena_printf(a, "%s %s", text, checksum(a, text));
}

/* The next word of a line, cut off in place; NULL at the end. */
static char *word(char **rest)
{
	char *w = *rest;
	size_t len = strcspn(w, " ");

	if (!len)
		return NULL;
	*rest = w + len + (w[len] == ' ');
	w[len] = '\0';
	return w;
}

static bool number(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return !errno && end != text && !*end;
}

static const char *decoded(struct arena *a, const char *text)
{
	char bytes[AGENT_BYTES_MAX + 1];
	size_t len;

	if (!strcmp(text, "-") || base64url_decode(text, bytes, AGENT_BYTES_MAX, &len))
		return NULL;
	return arena_copy(a, bytes, len);
}

/* Cuts rest into its words; how many there are, 0 where there are two spaces or too many words. */
static size_t words(char *rest, char *w[FIELDS_MAX + 2])
{
	size_t n = 0;

	while (n < FIELDS_MAX + 2 && (w[n] = word(&rest)))
		n++;
	return *rest ? 0 : n;
}

static size_t version_of(const char *text)
{
	return !strcmp(text, "1") ? 1 : !strcmp(text, "2") ? 2 : 0;
}

static const char *given(const char *text)
{
	return strcmp(text, "-") ? text : NULL;
}

enum err journal_parse(struct arena *a, const char *line, struct journal_entry *out)
{
	const char *sum = strrchr(line, ' '), *text;
	char *w[FIELDS_MAX + 2];
	size_t n, version;

	*out = (struct journal_entry){ 0 };
	if (!sum)
		return ERR_INVALID;
	text = arena_copy(a, line, (size_t)(sum - line));
	if (strcmp(sum + 1, checksum(a, text)) != 0)
		return ERR_INVALID;
	n = words(arena_copy(a, text, strlen(text)), w);
	version = n ? version_of(w[0]) : 0;
	if (!version || n != fields_of[version] + 1)
		return ERR_INVALID;
	out->kind = strcmp(w[1], "left") ? JOURNAL_CLICK : JOURNAL_LEFT;
	out->id = w[2];
	out->link_id = given(w[6]);
	out->address = given(w[9]);
	out->agent = decoded(a, w[10]);
	out->login = version > 1 ? given(w[11]) : NULL;
	if (!number(w[3], &out->happened_us) || !number(w[4], &out->offset_us) ||
	    !number(w[5], &out->session_id) || !number(w[7], &out->sent_us) ||
	    !number(w[8], &out->expires_us))
		return ERR_INVALID;
	return OK;
}
