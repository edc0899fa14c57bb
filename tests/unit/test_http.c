/* Calls against a server that answers byte for byte what a test says, or worse. */
#include "unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

#define CONNECTIONS_MAX 8
#define REQUEST_MAX	4096

/* What the server does with one connection after it has read the request. */
struct script {
	const char *answer; /* NULL: none */
	bool keeps;	    /* reads one more request, and closes then without an answer */
	bool resets;	    /* by RST, not by FIN */
	bool waits;	    /* for the client to go away first */
};

struct server {
	int sock;
	char base[64];
	struct script scripts[CONNECTIONS_MAX];
	int n;
	int requests; /* whole ones that were read */
	char request[REQUEST_MAX];
	pthread_t thread;
	struct arena *arena;
	struct http *http;
};

/* Reads a request, head and body as Content-Length says. */
static bool read_request(struct server *s, int fd)
{
	size_t len = 0;

	while (len < sizeof s->request - 1) {
		ssize_t n = read(fd, s->request + len, sizeof s->request - 1 - len);
		const char *end, *length;

		if (n <= 0)
			return false;
		len += (size_t)n;
		s->request[len] = '\0';
		end = strstr(s->request, "\r\n\r\n");
		length = strstr(s->request, "Content-Length: ");
		if (end &&
		    s->request + len >= end + 4 + (length ? strtol(length + 16, NULL, 10) : 0)) {
			s->requests++;
			return true;
		}
	}
	return false;
}

static void play(struct server *s, int fd, const struct script *script)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	char c;

	if (!read_request(s, fd))
		return;
	if (script->answer)
		assert_int_equal(write(fd, script->answer, strlen(script->answer)),
				 strlen(script->answer));
	if (script->keeps)
		(void)read_request(s, fd);
	while (script->waits && read(fd, &c, 1) > 0)
		;
	if (script->resets)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void *serve(void *arg)
{
	struct server *s = arg;

	for (int i = 0; i < s->n; i++) {
		int fd = accept(s->sock, NULL, NULL);

		if (fd < 0)
			break;
		play(s, fd, &s->scripts[i]);
		close(fd);
	}
	return NULL;
}

static int set_up(void **state)
{
	static struct server s;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	s = (struct server){ .sock = socket(AF_INET, SOCK_STREAM, 0) };
	if (bind(s.sock, (struct sockaddr *)&at, sizeof at) || listen(s.sock, 8) ||
	    getsockname(s.sock, (struct sockaddr *)&at, &len))
		return 1;
	snprintf(s.base, sizeof s.base, "http://127.0.0.1:%d", ntohs(at.sin_port));
	s.arena = arena_new();
	s.http = http_new();
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct server *s = *state;

	http_free(s->http);
	arena_free(s->arena);
	shutdown(s->sock, SHUT_RDWR);
	close(s->sock);
	return 0;
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Starts the server on n connections, the i-th played by scripts[i]. */
static void start(struct server *s, const struct script *scripts, int n)
{
	memcpy(s->scripts, scripts, (size_t)n * sizeof *scripts);
	s->n = n;
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* Ends what has not been played, and waits for the server's thread. */
static void finish(struct server *s)
{
	shutdown(s->sock, SHUT_RDWR);
	pthread_join(s->thread, NULL);
}

static struct http_call post(const struct server *s, const char *body)
{
	return (struct http_call){
		.method = "POST",
		.url = arena_printf(s->arena, "%s/path", s->base),
		.body = body,
		.body_len = strlen(body),
		.connect_ms = 10000,
		.total_ms = 20000,
		.answer_max = 1000,
	};
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sends_the_request_and_reads_the_answer(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json", "X-A: b", NULL };
	const struct script script = { .answer = "HTTP/1.1 403 Forbidden\r\nRetry-After: "
						 "7\r\nContent-Length: 4\r\n\r\nno\r\n" };
	struct server *s = *state;
	struct http_call call = post(s, "{\"n\":1}");
	struct http_answer answer;

	call.headers = headers;
	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_ANSWERED);
	finish(s);
	assert_int_equal(answer.status, 403);
	assert_int_equal(answer.len, 4);
	assert_string_equal(answer.body, "no\r\n");
	assert_string_equal(http_header(s->http, s->arena, "retry-after"), "7");
	assert_null(http_header(s->http, s->arena, "Location"));
	assert_non_null(strstr(s->request, "POST /path HTTP/1.1\r\n"));
	assert_non_null(strstr(s->request, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(s->request, "X-A: b\r\n"));
	assert_non_null(strstr(s->request, "Content-Length: 7\r\n\r\n{\"n\":1}"));
	assert_null(strstr(s->request, "Expect"));
}

static void a_get_has_no_body(void **state)
{
	const struct script script = { .answer = "HTTP/1.1 204 No Content\r\n\r\n" };
	struct server *s = *state;
	struct http_call call = post(s, "");
	struct http_answer answer;

	call.method = "GET";
	call.body = NULL;
	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_ANSWERED);
	finish(s);
	assert_int_equal(answer.status, 204);
	assert_string_equal(answer.body, "");
	assert_non_null(strstr(s->request, "GET /path HTTP/1.1\r\n"));
	assert_null(strstr(s->request, "Content-Length"));
}

static void nobody_there_means_nothing_was_sent(void **state)
{
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	shutdown(s->sock, SHUT_RDWR);
	close(s->sock);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_NOT_SENT);
	assert_int_equal(answer.status, 0);
	assert_string_equal(answer.body, "");
	assert_null(strstr(answer.reason, "127.0.0.1"));
	s->sock = socket(AF_INET, SOCK_STREAM, 0);
}

/* The handshake fails on a server that speaks no TLS: the request never left. */
static void a_failed_handshake_means_nothing_was_sent(void **state)
{
	const struct script script = { .answer = NULL };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	call.url = arena_printf(s->arena, "https%s/", s->base + 4);
	call.total_ms = call.connect_ms = 300;
	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_NOT_SENT);
	finish(s);
	assert_int_equal(s->requests, 0);
}

static void what_came_of_a_request_without_a_whole_answer_is_unknown(void **state)
{
	static const struct {
		struct script script;
		int status;
	} cases[] = {
		{ { .answer = NULL }, 0 },
		{ { .answer = NULL, .resets = true }, 0 },
		{ { .answer = "HTTP/1.1 200 OK\r\nContent-Le" }, 200 },
		{ { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"ok\":" }, 200 },
		{ { .answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{" },
		  200 },
		{ { .answer = "no HTTP at all\r\n\r\n" }, 0 },
	};
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct script scripts[COUNT(cases)];
	struct http_answer answer;

	for (size_t i = 0; i < COUNT(cases); i++)
		scripts[i] = cases[i].script;
	start(s, scripts, COUNT(cases));
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_UNKNOWN);
		assert_int_equal(answer.status, cases[i].status);
	}
	finish(s);
	assert_int_equal(s->requests, COUNT(cases));
}

static void the_deadline_holds_on_a_silent_server(void **state)
{
	const struct script script = { .waits = true };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;
	int64_t began = now_ms();

	call.total_ms = 300;
	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_UNKNOWN);
	assert_in_range(now_ms() - began, 250, 10000);
	finish(s);
}

static void an_answer_over_the_cap_is_cut_off(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
	struct script script = { .answer = NULL };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;
	char *text = arena_alloc(s->arena, sizeof head + 1001);

	snprintf(text, sizeof head + 1001, "%s%01001d", head, 0);
	script.answer = text;
	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_UNKNOWN);
	assert_in_range(answer.len, 0, 1000);
	finish(s);
}

static void a_head_over_the_cap_is_cut_off(void **state)
{
	struct script script = { .answer = NULL };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	script.answer = arena_printf(s->arena, "HTTP/1.1 200 OK\r\nX-Long: %01001d\r\n\r\n", 0);
	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_UNKNOWN);
	finish(s);
}

static void a_redirect_is_an_answer(void **state)
{
	const struct script script = { .answer =
					       "HTTP/1.1 302 Found\r\nLocation: "
					       "http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_ANSWERED);
	finish(s);
	assert_int_equal(answer.status, 302);
}

static void only_https_leaves_this_machine(void **state)
{
	static const char *const refused[] = {
		"http://example.org/",
		"http://127.0.0.1.example.org/",
		"http://localhost@example.org",
		"http://[::2]/",
		"file:///etc/hostname",
		"ftp://127.0.0.1/",
		"127.0.0.1",
		"",
		"http://",
		"gopher://localhost/",
	};
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	for (size_t i = 0; i < COUNT(refused); i++) {
		call.url = refused[i];
		assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_NOT_SENT);
		assert_string_equal(answer.reason, "the URL is not allowed");
	}
}

static void no_proxy_of_the_environment_is_used(void **state)
{
	const struct script script = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	start(s, &script, 1);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_ANSWERED);
	finish(s);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

#define KEPT_OPEN "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* libcurl repeats by itself what dies on a kept connection: a message would go out twice. */
static void what_may_not_happen_twice_is_written_once(void **state)
{
	static const struct script scripts[] = { { .answer = KEPT_OPEN, .keeps = true },
						 { .answer = NULL },
						 { .answer = KEPT_OPEN } };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	start(s, scripts, 3);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_ANSWERED);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_UNKNOWN);
	finish(s);
	assert_int_equal(s->requests, 2);
}

static void a_repeatable_call_uses_a_kept_connection_and_survives_its_end(void **state)
{
	static const struct script scripts[] = { { .answer = KEPT_OPEN, .keeps = true },
						 { .answer = KEPT_OPEN } };
	struct server *s = *state;
	struct http_call call = post(s, "x");
	struct http_answer answer;

	call.repeatable = true;
	start(s, scripts, 2);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_ANSWERED);
	assert_int_equal(http_call(s->http, s->arena, &call, &answer), HTTP_ANSWERED);
	finish(s);
	assert_int_equal(s->requests, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(sends_the_request_and_reads_the_answer),
		WITH_SERVER(a_get_has_no_body),
		WITH_SERVER(nobody_there_means_nothing_was_sent),
		WITH_SERVER(a_failed_handshake_means_nothing_was_sent),
		WITH_SERVER(what_came_of_a_request_without_a_whole_answer_is_unknown),
		WITH_SERVER(the_deadline_holds_on_a_silent_server),
		WITH_SERVER(an_answer_over_the_cap_is_cut_off),
		WITH_SERVER(a_head_over_the_cap_is_cut_off),
		WITH_SERVER(a_redirect_is_an_answer),
		WITH_SERVER(only_https_leaves_this_machine),
		WITH_SERVER(no_proxy_of_the_environment_is_used),
		WITH_SERVER(what_may_not_happen_twice_is_written_once),
		WITH_SERVER(a_repeatable_call_uses_a_kept_connection_and_survives_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
