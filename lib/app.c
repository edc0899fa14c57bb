#define _GNU_SOURCE /* ppoll, accept4, pthread_timedjoin_np */
#include <ctype.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "app.h"
#include "app_parent.h"
#include "gate.h"
#include "log.h"

#define PEER_TIMEOUT_S 20  /* nginx answers at once; what does not is not nginx */
#define SLOW_MS	       500 /* requests that took longer are logged */

/* The one place that knows libfcgi. */
struct transport {
	FCGX_Request *fcgi;
	struct heartbeat *beat;
};

/* What every worker of this program shares from before the fork. */
struct program {
	const struct endpoint *endpoint;
	struct conf conf;
	struct keys keys;
};

static volatile sig_atomic_t stopping;

static void on_term(int sig)
{
	(void)sig;
	stopping = 1;
}

static const char *param(const struct req *req, const char *name)
{
	const char *v = FCGX_GetParam(name, req->transport->fcgi->envp);

	return v ? v : "";
}

const char *req_header(const struct req *req, const char *name)
{
	char *cgi = arena_printf(req->arena, "HTTP_%s", name);

	for (char *p = cgi; *p; p++)
		*p = (char)(*p == '-' ? '_' : toupper((unsigned char)*p));
	return FCGX_GetParam(cgi, req->transport->fcgi->envp);
}

const char *req_address(const struct req *req)
{
	return param(req, "REMOTE_ADDR");
}

static const struct route *find_route(const struct endpoint *ep, const char *method)
{
	for (int i = 0; i < ROUTES_MAX && ep->routes[i].method; i++)
		if (!strcmp(ep->routes[i].method, method))
			return &ep->routes[i];
	return NULL;
}

static enum err refuse_method(struct req *req)
{
	const struct endpoint *ep = req->endpoint;
	const char *allow = ep->routes[0].method;

	for (int i = 1; i < ROUTES_MAX && ep->routes[i].method; i++)
		allow = arena_printf(req->arena, "%s, %s", allow, ep->routes[i].method);
	req_add_header(req, "Allow", allow);
	return req_refuse(req, ERR_METHOD, NULL, arena_printf(req->arena, "Use %s.", allow));
}

static bool is_json(const char *type)
{
	size_t n = strlen("application/json");

	return !strncasecmp(type, "application/json", n) &&
	       (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

/* The body, whole or not at all: a short read means the client went away. */
static enum err read_body(struct req *req)
{
	const char *text = param(req, "CONTENT_LENGTH");
	size_t max = req->endpoint->body_max ? req->endpoint->body_max : BODY_MAX_DEFAULT;
	char *end, *buf;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || n < 0)
		return req_refuse(req, ERR_INVALID, "Content-Length", "It is not a length.");
	if (n == 0)
		return OK;
	if ((unsigned long)n > max)
		return req_refuse(req, ERR_TOO_LARGE, NULL,
				  arena_printf(req->arena, "Send at most %zu bytes.", max));
	if (req->endpoint->who != WHO_SECRET && !is_json(param(req, "CONTENT_TYPE")))
		return req_refuse(req, ERR_MEDIA_TYPE, NULL, "Send application/json.");
	buf = arena_alloc(req->arena, (size_t)n + 1);
	if (FCGX_GetStr(buf, (int)n, req->transport->fcgi->in) != n)
		return req_refuse(req, ERR_INVALID, "Content-Length", "The body is incomplete.");
	buf[n] = '\0';
	req->body = buf;
	req->body_len = (size_t)n;
	return OK;
}

static void put_json(void *o)
{
	json_object_put(o);
}

static const char *json_text(struct req *req, struct json_object *o)
{
	arena_defer(req->arena, put_json, o);
	return o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE)
		 : NULL;
}

/* An error as application/problem+json. Source: RFC 9457. */
static void answer_problem(struct req *req, enum err e)
{
	struct json_object *o = json_object_new_object();
	const char *detail = req->why.detail;

	if (!detail && e == ERR_INTERNAL)
		detail = "Something broke here. It has been logged.";
	if (!detail && (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT))
		detail = "The service cannot answer now. Repeat the call in a moment.";
	json_object_object_add(o, "title", json_object_new_string(err_title(e)));
	json_object_object_add(o, "status", json_object_new_int(err_status(e)));
	json_object_object_add(o, "detail", json_object_new_string(detail ? detail : err_title(e)));
	if (req->why.field)
		json_object_object_add(o, "field", json_object_new_string(req->why.field));
	req->status = err_status(e);
	req->type = "application/problem+json";
	req->answer = json_text(req, o);
	req->answer_len = req->answer ? strlen(req->answer) : 0;
	if (req->status == 503)
		req_add_header(req, "Retry-After", "2");
}

enum err req_refuse(struct req *req, enum err e, const char *field, const char *detail)
{
	return why_not(&req->why, e, field, detail);
}

void req_add_header(struct req *req, const char *name, const char *value)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			log_error("BUG: control byte in header %s", name);
			return;
		}
	req->headers = arena_printf(req->arena, "%s%s: %s\r\n", req->headers, name, value);
}

void req_set_login(struct req *req, const char *token)
{
	req_add_header(req, "Set-Cookie",
		       arena_printf(req->arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
				    gate_cookie_name(req->conf), token ? token : "",
				    req->conf->https ? "; Secure" : "",
				    token ? "" : "; Max-Age=0"));
}

enum err req_json(struct req *req, int status, struct json_object *body)
{
	const char *text = json_text(req, body);

	return text ? req_text(req, status, "application/json", text) : ERR_INTERNAL;
}

enum err req_text(struct req *req, int status, const char *type, const char *text)
{
	req->status = status;
	req->type = type;
	req->answer = text;
	req->answer_len = strlen(text);
	return OK;
}

static int put(struct req *req, const char *data, size_t len)
{
	return FCGX_PutStr(data, (int)len, req->transport->fcgi->out);
}

/* Everything here depends on who asks and when: no cache keeps any of it. */
static void send_head(struct req *req, const char *length)
{
	const char *head = arena_printf(req->arena,
					"Status: %d\r\nContent-Type: %s\r\n"
					"Cache-Control: no-store\r\n%s%s\r\n",
					req->status, req->type, length, req->headers);

	put(req, head, strlen(head));
}

enum err req_stream_open(struct req *req, const char *type)
{
	req->status = 200;
	req->type = type;
	req->streaming = true;
	send_head(req, "");
	return OK;
}

enum err req_stream(struct req *req, const char *data, size_t len)
{
	req->transport->beat->busy_since_ms = monotonic_ms();
	return put(req, data, len) < 0 ? ERR_UNAVAILABLE : OK;
}

static enum err handle(struct req *req)
{
	const struct route *route = find_route(req->endpoint, req->method);
	enum err e;

	if (!route)
		return refuse_method(req);
	e = gate_check(req);
	if (e)
		return e;
	e = read_body(req);
	return e ? e : route->handle(req);
}

/*
 * The only way left to say that an answer is incomplete. nginx takes one that
 * just ends for a whole one, whatever its exit status; what it cannot read as
 * FastCGI, such as a record of version 0, it breaks off.
 */
static void break_off(const struct req *req)
{
	static const char no_record[8];
	int fd = req->transport->fcgi->ipcFd;

	if (send(fd, no_record, sizeof no_record, MSG_NOSIGNAL) < 0)
		log_info("client gone");
	shutdown(fd, SHUT_RDWR);
}

static void answer(struct req *req, enum err e)
{
	if (req->streaming) {
		if (e)
			break_off(req);
		return;
	}
	if (e)
		answer_problem(req, e);
	send_head(req, arena_printf(req->arena, "Content-Length: %zu\r\n", req->answer_len));
	put(req, req->answer, req->answer_len);
}

/* nginx logs every request; here are those worth a look. */
static void log_request(const struct req *req, int64_t ms)
{
	if (req->status >= 500 || ms >= SLOW_MS)
		log_info("method=%.8s status=%d account=%lld ms=%lld", req->method, req->status,
			 (long long)req->who.id, (long long)ms);
}

static void serve(const struct program *program, struct transport *t, struct db *db,
		  struct arena *arena)
{
	struct req req = { .endpoint = program->endpoint,
			   .conf = &program->conf,
			   .keys = &program->keys,
			   .arena = arena,
			   .db = db,
			   .body = "",
			   .headers = "",
			   .transport = t };
	int64_t began = t->beat->busy_since_ms;
	int deadline = program->endpoint->deadline_ms;
	enum err e;

	req.method = param(&req, "REQUEST_METHOD");
	req.query = param(&req, "QUERY_STRING");
	db_deadline(db, deadline ? deadline : DEADLINE_DEFAULT_MS);
	e = handle(&req);
	answer(&req, e);
	if (FCGX_FFlush(t->fcgi->out) < 0)
		log_info("client gone");
	db_check_idle(db);
	log_request(&req, monotonic_ms() - began);
}

/*
 * One that takes requests, one after another: a worker process of its own, or
 * a thread among several. Each has its memory and its (late) connection.
 */
struct lane {
	const struct program *program;
	struct heartbeat *beat;
	const sigset_t *open;	    /* the signals that may come while it waits */
	pthread_mutex_t *accepting; /* one lane at a time waits for new connections */
	atomic_int *holding;	    /* lanes that have a connection now */
	pthread_t thread;
};

/* Waits until fd can be read. False: a signal came first, or it is over. */
static bool wait_readable(const struct lane *lane, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return !stopping && ppoll(&p, 1, NULL, lane->open) > 0;
}

/*
 * A new connection, or -1. It may be silent or break off in mid-record, so
 * reading and writing have an end. The socket does not block: another process
 * may have been quicker.
 */
static int take_connection(const struct lane *lane)
{
	const struct timeval limit = { .tv_sec = PEER_TIMEOUT_S };
	int fd = -1;

	pthread_mutex_lock(lane->accepting);
	if (wait_readable(lane, 0))
		fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);
	pthread_mutex_unlock(lane->accepting);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	return fd;
}

static void leave_connection(const struct lane *lane, FCGX_Request *fcgi)
{
	FCGX_Free(fcgi, 1);
	atomic_fetch_sub(lane->holding, 1);
}

/*
 * A kept connection holds its lane while it is idle. So many lanes stay free
 * for new ones, whatever nginx would like to keep: nobody starves.
 */
static bool may_keep(const struct lane *lane)
{
	int lanes = lane->program->endpoint->lanes;

	return lanes > 1 && atomic_load(lane->holding) <= lanes - lanes / 8;
}

/* Waits for a request, on the connection that was kept or on a new one. False: look again. */
static bool next_request(const struct lane *lane, FCGX_Request *fcgi)
{
	if (fcgi->ipcFd >= 0) {
		if (!wait_readable(lane, fcgi->ipcFd))
			return false;
	} else {
		fcgi->ipcFd = take_connection(lane);
		if (fcgi->ipcFd < 0)
			return false;
		atomic_fetch_add(lane->holding, 1);
		fcgi->keepConnection = 1; /* else libfcgi closes it before the first request */
	}
	if (FCGX_Accept_r(fcgi) == 0)
		return true;
	leave_connection(lane, fcgi);
	return false;
}

static void *run_lane(void *arg)
{
	struct lane *lane = arg;
	const struct program *program = lane->program;
	struct arena *arena = arena_new();
	struct db *db = db_new(program->conf.database_url);
	FCGX_Request fcgi;
	struct transport transport = { .fcgi = &fcgi, .beat = lane->beat };

	FCGX_InitRequest(&fcgi, 0, FCGI_FAIL_ACCEPT_ON_INTR);
	while (!stopping) {
		if (!next_request(lane, &fcgi))
			continue;
		lane->beat->busy_since_ms = monotonic_ms();
		serve(program, &transport, db, arena);
		FCGX_Finish_r(&fcgi);
		if (fcgi.ipcFd < 0 || !may_keep(lane))
			leave_connection(lane, &fcgi);
		arena_reset(arena);
		lane->beat->busy_since_ms = 0;
	}
	if (fcgi.ipcFd >= 0)
		leave_connection(lane, &fcgi);
	db_free(db);
	arena_free(arena);
	return NULL;
}

/* The longest-busy lane speaks for the process. */
static int64_t busiest(const struct heartbeat *beats, int n)
{
	int64_t since = 0;

	for (int i = 0; i < n; i++) {
		int64_t busy = beats[i].busy_since_ms;

		if (busy && (!since || busy < since))
			since = busy;
	}
	return since;
}

/* Runs n lanes as threads until SIGTERM, then wakes those that wait until all have ended. */
static void run_threads(struct lane *lanes, struct heartbeat *beats, int n, struct heartbeat *beat)
{
	const struct timespec second = { .tv_sec = 1 }, moment = { .tv_nsec = 20000000 };
	const struct timespec now = { 0 };
	sigset_t term;
	int started = 0;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	for (; started < n; started++)
		if (pthread_create(&lanes[started].thread, NULL, run_lane, &lanes[started]))
			break;
	if (started < n)
		log_warn("only %d of %d lanes could start", started, n);
	while (started > 0 && sigtimedwait(&term, NULL, &second) != SIGTERM)
		beat->busy_since_ms = busiest(beats, started);
	stopping = 1;
	for (int ended = 0; ended < started;) {
		if (!pthread_timedjoin_np(lanes[ended].thread, NULL, &now)) {
			ended++;
			continue;
		}
		/* The one that waits for connections keeps the others from seeing that it is over.
		 */
		for (int i = ended; i < started; i++)
			pthread_kill(lanes[i].thread, SIGTERM);
		nanosleep(&moment, NULL);
	}
}

/* SIGTERM is blocked but in ppoll(): it cuts no request and falls into no gap between test and
 * wait. */
static bool prepare(sigset_t *open)
{
	const struct sigaction term = { .sa_handler = on_term };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	return !sigaction(SIGTERM, &term, NULL) && !sigprocmask(SIG_BLOCK, &blocked, open) &&
	       !FCGX_Init() && !fcntl(0, F_SETFL, O_NONBLOCK);
}

static int work(struct heartbeat *beat, void *arg)
{
	struct program *program = arg;
	int n = program->endpoint->lanes > 1 ? program->endpoint->lanes : 1;
	struct lane *lanes = calloc((size_t)n, sizeof *lanes);
	struct heartbeat *beats = calloc((size_t)n, sizeof *beats);
	pthread_mutex_t accepting = PTHREAD_MUTEX_INITIALIZER;
	atomic_int holding = 0;
	sigset_t open;

	if (!lanes || !beats || !prepare(&open) ||
	    (program->endpoint->start && program->endpoint->start(&program->conf))) {
		log_error("cannot serve descriptor 0: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	for (int i = 0; i < n; i++)
		lanes[i] = (struct lane){ .program = program,
					  .beat = n > 1 ? &beats[i] : beat,
					  .open = &open,
					  .accepting = &accepting,
					  .holding = &holding };
	if (n > 1)
		run_threads(lanes, beats, n, beat);
	else
		run_lane(&lanes[0]);
	free(lanes);
	free(beats);
	return EXIT_SUCCESS;
}

static int usage(const char *name, int status)
{
	fprintf(status ? stderr : stdout,
		"usage: %s [--workers N] [--version]\n"
		"A FastCGI program: serves the listening socket on descriptor 0.\n",
		name);
	return status;
}

/* 0: go on with *workers; else the program ends with *status. */
static bool read_arguments(int argc, char **argv, int *workers, int *status)
{
	for (int i = 1; i < argc; i++) {
		char *end = NULL;

		if (!strcmp(argv[i], "--version")) {
			puts(CLASSCLOCK_VERSION);
			*status = EXIT_SUCCESS;
			return false;
		}
		if (!strcmp(argv[i], "--help")) {
			*status = usage(argv[0], EXIT_SUCCESS);
			return false;
		}
		if (!strcmp(argv[i], "--workers") && i + 1 < argc)
			*workers = (int)strtol(argv[++i], &end, 10);
		if (!end || *end || *workers < 1) {
			*status = usage(argv[0], EXIT_FAILURE);
			return false;
		}
	}
	return true;
}

int app_main(int argc, char **argv, const struct endpoint *endpoint)
{
	struct program program = { .endpoint = endpoint };
	int workers = endpoint->workers ? endpoint->workers : WORKERS_DEFAULT;
	int status;

	log_name(endpoint->name);
	if (!read_arguments(argc, argv, &workers, &status))
		return status;
	if (endpoint->who == WHO_NOBODY || sodium_init() < 0 ||
	    conf_load(&program.conf, endpoint->needs | NEED_DATABASE | NEED_BASE_URL))
		return EXIT_FAILURE;
	if ((endpoint->needs & NEED_AUTH_SECRET) &&
	    keys_load(program.conf.auth_secret, &program.keys, NULL)) {
		log_error("setting AUTH_SECRET is malformed");
		return EXIT_FAILURE;
	}
	status = parent_run(workers, STUCK_AFTER_S, work, &program);
	keys_wipe(&program.keys);
	return status;
}
