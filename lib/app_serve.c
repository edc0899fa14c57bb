#define _GNU_SOURCE /* accept4 */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "app_serve.h"
#include "gate.h"
#include "log.h"

#define SLOW_MS 500 /* requests that took longer are logged */

static const char *param(const struct req *req, const char *name)
{
	const char *v = FCGX_GetParam(name, req->transport->fcgi->envp);

	return v ? v : "";
}

/* The header's name as CGI has it. */
static const char *cgi_name(const struct req *req, const char *name)
{
	char *cgi = arena_printf(req->arena, "HTTP_%s", name);

	for (char *p = cgi; *p; p++)
		*p = (char)(*p == '-' ? '_' : toupper((unsigned char)*p));
	return cgi;
}

const char *req_header(const struct req *req, const char *name)
{
	return FCGX_GetParam(cgi_name(req, name), req->transport->fcgi->envp);
}

const char *req_header_once(const struct req *req, const char *name)
{
	const char *cgi = cgi_name(req, name), *value = NULL;
	size_t len = strlen(cgi);

	for (char **p = req->transport->fcgi->envp; *p; p++) {
		if (strncmp(*p, cgi, len) != 0 || (*p)[len] != '=')
			continue;
		if (value)
			return NULL;
		value = *p + len + 1;
	}
	return value;
}

const char *req_address(const struct req *req)
{
	return param(req, "REMOTE_ADDR");
}

const char *req_id(const struct req *req)
{
	const char *id = param(req, "REQUEST_ID");

	return strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32 ? id : NULL;
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
	if (req->why.field && *req->why.field)
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

enum err req_wait(struct req *req, handler_fn *again)
{
	req->again = again;
	return OK;
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

/* The words behind the status, which HTTP leaves to us and wants to be there. */
static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 302:
		return "Found";
	default:
		return status < 500 ? "Refused" : "Failed";
	}
}

/* Everything here depends on who asks and when: no cache keeps any of it. */
static void send_head(struct req *req, const char *length)
{
	const char *head =
		arena_printf(req->arena,
			     "Status: %d %s\r\nContent-Type: %s\r\n"
			     "Cache-Control: no-store\r\n%s%s\r\n",
			     req->status, reason(req->status), req->type, length, req->headers);

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

/*
 * Sends what is left of the answer and the record that ends it in one write,
 * and sees whether that failed: nobody could tell that the end is missing.
 */
static void finish(const struct req *req)
{
	FCGX_Request *fcgi = req->transport->fcgi;

	/* Closed after a failure libfcgi would send the rest again, padding and all. */
	if (FCGX_GetError(fcgi->out) || FCGX_FClose(fcgi->err) || FCGX_FClose(fcgi->out))
		break_off(req);
}

/* nginx logs every request; here are those worth a look. */
static void log_request(const struct req *req, int64_t ms)
{
	if (req->status >= 500 || ms >= SLOW_MS)
		log_info("method=%.8s status=%d account=%lld ms=%lld", req->method, req->status,
			 (long long)req->who.id, (long long)ms);
}

int app_accept(bool *cannot)
{
	static bool is_known;
	int fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);

	*cannot = fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
	if (*cannot && !is_known)
		log_error("cannot accept: %s", strerror(errno));
	is_known = *cannot;
	return fd;
}

void app_begin(struct req *req, const struct program *program, struct transport *t, struct db *db,
	       struct arena *arena)
{
	int deadline = program->endpoint->deadline_ms;

	*req = (struct req){ .endpoint = program->endpoint,
			     .conf = &program->conf,
			     .keys = &program->keys,
			     .arena = arena,
			     .db = db,
			     .body = "",
			     .headers = "",
			     .transport = t };
	t->began_ms = monotonic_ms();
	t->beat->busy_since_ms = t->began_ms;
	req->method = param(req, "REQUEST_METHOD");
	req->query = param(req, "QUERY_STRING");
	db_deadline(db, deadline ? deadline : REQUEST_DEADLINE_MS);
}

bool app_go_on(struct req *req)
{
	handler_fn *again = req->again;
	enum err e;

	req->again = NULL;
	e = again ? again(req) : handle(req);
	if (req->again)
		return false;
	answer(req, e);
	db_check_idle(req->db);
	log_request(req, monotonic_ms() - req->transport->began_ms);
	finish(req);
	return true;
}
