#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "zoom_url.h"

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/* Zoom's domains. Source: Zoom's join links, as its own clients know them. */
static const char *const domains[] = { "zoom.us", "zoomgov.com", "zoom.com", "zoom.com.cn" };

/*
 * The paths of links for students. In a pattern # is a meeting id and * a
 * name; the rest stands for itself. Start links (/s/ID, /wc/ID/start) are not
 * here: they are the host's.
 */
static const struct {
	const char *pattern;
	enum zoom_url_kind kind;
} paths[] = {
	{ "/j/#", ZOOM_URL_JOIN },
	{ "/w/#", ZOOM_URL_JOIN },
	{ "/launch/jc/#", ZOOM_URL_JOIN },
	{ "/wc/join/#", ZOOM_URL_WEB_CLIENT },
	{ "/wc/#/join", ZOOM_URL_WEB_CLIENT },
	{ "/my/*", ZOOM_URL_PERSONAL },
	{ "/meeting/register/*", ZOOM_URL_REGISTER },
	{ "/webinar/register/*", ZOOM_URL_REGISTER },
};

/* Lengths of a meeting id in digits. Source: Zoom's numbers, 9 to 11 in 2026. */
#define ID_MIN 9
#define ID_MAX 11

static enum err refuse(struct why *why, const char *detail)
{
	return why_not(why, ERR_INVALID, "zoom_url", detail);
}

/* Printable ASCII without what could end a header or a string, or be read as a slash. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e || strchr("\\\"<>^`{|}", *text))
			return false;
	return true;
}

/* Lower-cases the host of len bytes into out, without its closing dot. */
static bool copy_host(const char *host, size_t len, char out[ZOOM_URL_HOST_MAX + 1])
{
	if (len && host[len - 1] == '.')
		len--;
	if (len == 0 || len > ZOOM_URL_HOST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		out[i] = host[i];
		if (host[i] >= 'A' && host[i] <= 'Z')
			out[i] = (char)(host[i] - 'A' + 'a');
	}
	out[len] = '\0';
	return true;
}

/* Whether host is one of Zoom's domains or lies below one, each label being plain. */
static bool is_zoom(const char *host)
{
	size_t len = strlen(host);

	if (strspn(host, ALPHA DIGIT "-.") != len || host[0] == '.' || strstr(host, "..") ||
	    !strncmp(host, "xn--", 4) || strstr(host, ".xn--"))
		return false;
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
		size_t domain = strlen(domains[i]);

		if (len >= domain && !strcmp(host + len - domain, domains[i]) &&
		    (len == domain || host[len - domain - 1] == '.'))
			return true;
	}
	return false;
}

/* Reads the authority of len bytes at text into out->host. */
static enum err read_host(const char *text, size_t len, struct zoom_url *out, struct why *why)
{
	const char *colon = memchr(text, ':', len);
	size_t host_len = colon ? (size_t)(colon - text) : len;
	size_t port_len = len - host_len;

	if (memchr(text, '@', len))
		return refuse(why, "The link must not hold a user name.");
	if (port_len > 1 && (port_len != 4 || memcmp(colon, ":443", 4) != 0))
		return refuse(why, "The link must use the usual port.");
	if (!copy_host(text, host_len, out->host) || !is_zoom(out->host))
		return refuse(why, "The link must lead to Zoom.");
	return OK;
}

/* Reads a meeting id at *path and moves behind it. */
static bool read_id(const char **path, int64_t *out)
{
	size_t len = strspn(*path, DIGIT);

	if (len < ID_MIN || len > ID_MAX)
		return false;
	for (*out = 0; len; len--)
		*out = *out * 10 + (*(*path)++ - '0');
	return true;
}

/* Moves behind the name at *path: letters and digits with . _ - between them. */
static bool skip_name(const char **path)
{
	size_t len = strspn(*path, ALPHA DIGIT "._-");

	if (len == 0 || **path == '.')
		return false;
	*path += len;
	return true;
}

/* Whether path is pattern, then at most a slash, and ends there or at its query or fragment. */
static bool path_is(const char *path, const char *pattern, int64_t *id)
{
	*id = 0;
	for (; *pattern; pattern++) {
		if (*pattern == '#') {
			if (!read_id(&path, id))
				return false;
		} else if (*pattern == '*') {
			if (!skip_name(&path))
				return false;
		} else if (*path++ != *pattern) {
			return false;
		}
	}
	if (*path == '/')
		path++;
	return *path == '\0' || *path == '?' || *path == '#';
}

/* Whether the query has zak, the key that makes its bearer the host. */
static bool has_host_key(const char *text)
{
	for (; (text = strpbrk(text, "?&#")); text++)
		if (!strncasecmp(text + 1, "zak=", 4))
			return true;
	return false;
}

static enum err read_path(const char *path, struct zoom_url *out, struct why *why)
{
	int64_t id;

	if (!strncmp(path, "/s/", 3) || has_host_key(path))
		return refuse(why, "This is the host's start link: paste the join link.");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		if (path_is(path, paths[i].pattern, &id)) {
			out->kind = paths[i].kind;
			out->meeting_id = id;
			return OK;
		}
	}
	return refuse(why, "The link must be one that joins a Zoom meeting.");
}

enum err zoom_url_parse(const char *text, struct zoom_url *out, struct why *why)
{
	size_t authority;
	enum err e;

	*out = (struct zoom_url){ 0 };
	if (!text || !*text)
		return refuse(why, "Paste the Zoom link.");
	if (strnlen(text, ZOOM_URL_MAX + 1) > ZOOM_URL_MAX)
		return refuse(why, "The link must be at most 600 bytes long.");
	if (!is_plain(text))
		return refuse(
			why, "The link must not hold spaces, quotes, brackets or special letters.");
	if (strncasecmp(text, "https://", 8) != 0)
		return refuse(why, "The link must begin with https://.");
	text += 8;
	authority = strcspn(text, "/?#");
	e = read_host(text, authority, out, why);
	return e ? e : read_path(text + authority, out, why);
}

enum err zoom_url_check(const char *text, struct why *why)
{
	struct zoom_url ignored;

	return zoom_url_parse(text, &ignored, why);
}
