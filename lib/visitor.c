#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "visitor.h"

/*
 * Agents whose names do not end in one of the words below. Each is looked for
 * where a word begins, in any case. Source: monperrus/crawler-user-agents,
 * commit 7c7f9f25, the part about link previews; cardyb is Bluesky's.
 *
 * Not here: HeadlessChrome, curl, wget, python-requests, Go-http-client and
 * okhttp, see the header; "scan", which a reader of QR codes may call itself;
 * "telegram", which Telegram's own browser appends for every student.
 */
static const char *const names[] = {
	"facebookexternalhit",
	"facebookcatalog",
	"meta-externalhit",
	"meta-externalagent",
	"meta-externalfetcher",
	"slack-imgproxy",
	"vkshare",
	"embedly",
	"iframely",
	"cardyb",
	"google-safety",
	"google-pagerenderer",
	"google-read-aloud",
	"google-inspectiontool",
	"mediapartners-google",
	"adsbot-google",
	"googlebot-",
	"chrome-lighthouse",
	"puppeteer",
	"chrome privacy preserving prefetch proxy",
	"cloudflare-prefetch",
	"cloudflareradarurlscanner",
	"virustotal",
	"censysinspect",
	"expanse",
	"zgrab",
	"masscan",
	"nextcloud",
	"ia_archiver",
	"slurp",
	/* from the whole list of version 1.60.0: previewers and search engines without an address
	 */
	"hatena",
	"friendica",
	"steamchaturllookup",
	"github-camo",
	"googleimageproxy",
	"yahoomailproxy",
	"yahoocachesystem",
	"twilioproxy",
	"discourse forum onebox",
	"shortwave image fetcher",
	"fastmailua",
	"bluesky-domain",
	"apis-google",
	"googleother",
	"ask jeeves",
	"y!j",
};

/* Messengers whose previewers begin with the bare name; elsewhere in an agent it may be their
 * browser. */
static const char *const first_names[] = { "whatsapp", "viber" };

/* Words, or ends of words, by which programs call themselves: Twitterbot, BingPreview/1.0. */
static const char *const kinds[] = { "bot",	"crawler", "spider",  "preview",
				     "fetcher", "scraper", "indexer", "archiver" };

/* "(+http://example.org/bot.html)": where to complain about a program. No browser of people has
 * one. */
#define COMPLAINTS "+http"

/* Letters and digits of ASCII; the locale has no say here. */
static bool is_word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Moves *at to the next word and returns its length; 0 at the end. */
static size_t next_word(const char **at)
{
	size_t len = 0;

	while (**at && !is_word_char(**at))
		(*at)++;
	while (is_word_char((*at)[len]))
		len++;
	return len;
}

/* A letter of ASCII as a small one. Others change too, so that it can only rule out. */
static char small(char c)
{
	return (char)(c | 0x20);
}

/* Almost no name begins with the letter that a word begins with, so that is looked at first. */
static bool begins_with_name(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (small(*text) == *list[i] && !strncasecmp(text, list[i], strlen(list[i])))
			return true;
	return false;
}

/* Whether the word of len bytes ends in a kind of program. Cubot makes phones. */
static bool is_kind(const char *word, size_t len)
{
	if (len == 5 && !strncasecmp(word, "cubot", 5))
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t tail = strlen(kinds[i]);

		if (len >= tail && small(word[len - tail]) == *kinds[i] &&
		    !strncasecmp(word + len - tail, kinds[i], tail))
			return true;
	}
	return false;
}

static bool is_crawler(const char *agent)
{
	size_t len;

	if (begins_with_name(agent, first_names, sizeof first_names / sizeof *first_names) ||
	    strstr(agent, COMPLAINTS))
		return true;
	while ((len = next_word(&agent))) {
		if (is_kind(agent, len) ||
		    begins_with_name(agent, names, sizeof names / sizeof *names))
			return true;
		agent += len;
	}
	return false;
}

/* Whether a header says that nobody looks at the page yet. */
static bool is_ahead_of_need(const char *header)
{
	static const char *const words[] = { "prefetch", "prerender", "preview" };
	size_t len;

	while (header && (len = next_word(&header))) {
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (len == strlen(words[i]) && !strncasecmp(header, words[i], len))
				return true;
		header += len;
	}
	return false;
}

enum visitor visitor_of(const struct visit *visit)
{
	if (strcmp(visit->method, "GET") != 0)
		return VISITOR_HEAD;
	if (is_ahead_of_need(visit->sec_purpose) || is_ahead_of_need(visit->purpose) ||
	    is_ahead_of_need(visit->x_purpose) || is_ahead_of_need(visit->x_moz))
		return VISITOR_PREFETCH;
	if (visit->user_agent && is_crawler(visit->user_agent))
		return VISITOR_CRAWLER;
	return VISITOR_HUMAN;
}

const char *visitor_name(enum visitor visitor)
{
	static const char *const text[VISITOR__MAX] = {
		[VISITOR_HUMAN] = "human",
		[VISITOR_HEAD] = "head",
		[VISITOR_PREFETCH] = "prefetch",
		[VISITOR_CRAWLER] = "crawler",
	};

	return text[visitor];
}
