/* What passes is safe in a header, and its host, cut out by the simplest means, is Zoom's. */
#include "fuzz.h"

#include "zoom_url.h"

static int ends_in(const char *host, const char *domain)
{
	size_t len = strlen(host), tail = strlen(domain);

	return len > tail && !strcmp(host + len - tail, domain);
}

static void claims(struct arena *a, const char *text, const struct zoom_url *url)
{
	const char *host = arena_printf(a, ".%s", url->host);

	claim(ends_in(host, ".zoom.us") || ends_in(host, ".zoomgov.com") ||
	      ends_in(host, ".zoom.com") || ends_in(host, ".zoom.com.cn") ||
	      !strcmp(host, ".zoom.us") || !strcmp(host, ".zoomgov.com") ||
	      !strcmp(host, ".zoom.com") || !strcmp(host, ".zoom.com.cn"));
	claim(strlen(text) <= ZOOM_URL_MAX);
	for (const char *c = text; *c; c++)
		claim(*c > 0x20 && *c < 0x7f && !strchr("\\\"<>^`{|}", *c));
	/* Behind the scheme comes the host itself, then a dot, a port or the path. */
	for (size_t i = 0; url->host[i]; i++)
		claim((text[8 + i] | 0x20) == (url->host[i] | 0x20));
	claim(strchr("./:", text[8 + strlen(url->host)]));
	claim(url->meeting_id >= 0 && url->meeting_id <= INT64_C(99999999999));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);
	struct why why = { 0 };
	struct zoom_url url;

	if (zoom_url_parse(text, &url, &why)) {
		claim(!strcmp(why.field, "zoom_url") && why.detail);
		claim(zoom_url_check(text, NULL) == ERR_INVALID);
	} else {
		claims(a, text, &url);
		claim(zoom_url_check(text, NULL) == OK);
	}
	arena_free(a);
	return 0;
}
