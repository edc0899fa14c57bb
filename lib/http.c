#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "http.h"

struct http {
	CURL *curl;
	struct buf body;
	size_t head_len, head_max;
	bool head_ended; /* by its empty line */
};

/* A peer that goes away must not end the program. libfcgi's handler does the same in workers. */
static void ignore_sigpipe(void)
{
	struct sigaction now;

	if (!sigaction(SIGPIPE, NULL, &now) && now.sa_handler == SIG_DFL) {
		now = (struct sigaction){ .sa_handler = SIG_IGN };
		sigaction(SIGPIPE, &now, NULL);
	}
}

struct http *http_new(void)
{
	struct http *http = calloc(1, sizeof *http);

	ignore_sigpipe();
	if (http && !curl_global_init(CURL_GLOBAL_DEFAULT))
		http->curl = curl_easy_init();
	if (http && !http->curl) {
		free(http);
		return NULL;
	}
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http);
}

static size_t on_head(char *data, size_t size, size_t n, void *arg)
{
	struct http *http = arg;

	http->head_len += size * n;
	http->head_ended = *data == '\r' || *data == '\n';
	return http->head_len > http->head_max ? 0 : size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http *http = arg;

	buf_add(&http->body, data, size * n);
	return http->body.err ? 0 : size * n;
}

/* Plain http is for this machine alone. */
static bool is_allowed(const char *url)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]" };
	char *scheme = NULL, *host = NULL;
	CURLU *parts = curl_url();
	bool allowed = false;

	if (parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
	    !curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) &&
	    !curl_url_get(parts, CURLUPART_HOST, &host, 0)) {
		allowed = !strcmp(scheme, "https");
		for (size_t i = 0; i < sizeof hosts / sizeof *hosts && !allowed; i++)
			allowed = !strcmp(scheme, "http") && !strcmp(host, hosts[i]);
	}
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parts);
	return allowed;
}

static struct curl_slist *headers_of(const struct http_call *call)
{
	/* libcurl's own Expect: would cost a second where the other side ignores it. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (const char *const *h = call->headers; list && h && *h; h++) {
		struct curl_slist *longer = curl_slist_append(list, *h);

		if (!longer)
			curl_slist_free_all(list);
		list = longer;
	}
	return list;
}

/* Source of the choices: libcurl's manual; a dead name server alone would outlive TIMEOUT_MS
 * without QUICK_EXIT. */
static void set_up(struct http *http, const struct http_call *call, struct curl_slist *headers)
{
	CURL *c = http->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, call->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_ms);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)call->total_ms);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, call->repeatable ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "classclock/" CLASSCLOCK_VERSION);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, http);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, call->repeatable ? 0L : 1L);
	if (call->body || strcmp(call->method, "GET") != 0) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, call->body ? call->body : "");
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, call->method);
}

static enum http_outcome outcome_of(const struct http *http, CURLcode code)
{
	long written = 0;

	/* libcurl takes a head that breaks off for a whole one. */
	if (code == CURLE_OK && http->head_ended)
		return HTTP_ANSWERED;
	if (!curl_easy_getinfo(http->curl, CURLINFO_REQUEST_SIZE, &written) && !written)
		return HTTP_NOT_SENT;
	return HTTP_UNKNOWN;
}

enum http_outcome http_call(struct http *http, struct arena *a, const struct http_call *call,
			    struct http_answer *out)
{
	struct curl_slist *headers = headers_of(call);
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long status = 0;

	*out = (struct http_answer){ .body = "", .reason = "the URL is not allowed" };
	if (!is_allowed(call->url)) {
		curl_slist_free_all(headers);
		return HTTP_NOT_SENT;
	}
	buf_init(&http->body, call->answer_max);
	http->head_len = 0;
	http->head_ended = false;
	http->head_max = call->answer_max;
	set_up(http, call, headers);
	if (headers)
		code = curl_easy_perform(http->curl);
	if (!curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status))
		out->status = (int)status;
	out->reason = curl_easy_strerror(code);
	out->len = http->body.len;
	if (out->len)
		out->body = arena_copy(a, http->body.data, out->len);
	buf_free(&http->body);
	curl_slist_free_all(headers);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
	return outcome_of(http, code);
}

const char *http_header(struct http *http, struct arena *a, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(http->curl, name, 0, CURLH_HEADER, -1, &header))
		return NULL;
	return arena_copy(a, header->value, strlen(header->value));
}
