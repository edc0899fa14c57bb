#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app_parent.h"
#include "log.h"
#include "when.h"
#include "zoom_api.h"
#include "zoom_json.h"
#include "zoom_token.h"

#define CONNECT_MS     2000
#define CALL_MS	       5000
#define ANSWER_MAX     (2 << 20) /* a list of 300 meetings has less */
#define DB_MS	       3000
#define PAUSE_MAX_S    (25 * 3600) /* a daily limit ends with Zoom's day */
#define PAUSE_UNSAID_S 60	   /* a limit that does not say when it ends */

/* Zoom's own code of a token that is not valid (any more). */
#define CODE_INVALID_TOKEN 124

static const char SQL_PAUSED[] =
	"SELECT count(*) FROM zoom_pauses WHERE zoom_user IN ('', $1) AND until > clock_now()";

/* $1 user  $2 seconds. A longer pause stays. */
static const char SQL_PAUSE[] =
	"INSERT INTO zoom_pauses AS p (zoom_user, until)"
	" VALUES ($1, clock_now() + $2::bigint * interval '1 second')"
	" ON CONFLICT (zoom_user) DO UPDATE SET until = greatest(p.until, excluded.until)";

int zoom_api_ms(const struct zoom_api *api)
{
	int64_t left = api->until_ms - monotonic_ms();

	return left <= 0 ? 0 : left > CALL_MS ? CALL_MS : (int)left;
}

bool zoom_api_is_set(const struct conf *conf)
{
	return conf->zoom_account_id && conf->zoom_client_id && conf->zoom_client_secret;
}

const char *zoom_api_escape(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, 3 * strlen(text) + 1), *p = out;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c)) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '%';
		*p++ = "0123456789ABCDEF"[c >> 4];
		*p++ = "0123456789ABCDEF"[c & 15];
	}
	*p = '\0';
	return out;
}

enum err zoom_api_pause(const struct zoom_api *api, const char *user, int64_t seconds)
{
	const char *args[] = { user, arena_int(api->arena, seconds) };

	db_deadline(api->db, DB_MS);
	return db_write(api->db, api->arena, SQL_PAUSE, 2, args, NULL);
}

static enum err is_paused(const struct zoom_api *api, const char *user, bool *out)
{
	const char *args[] = { user };
	int64_t n = 0;
	struct db_rows r;
	enum err e;

	db_deadline(api->db, DB_MS);
	e = db_read(api->db, api->arena, SQL_PAUSED, 1, args, &r);
	if (!e)
		e = db_one_i64(&r, &n);
	*out = n > 0;
	return e;
}

/* Seconds from now on that Retry-After asks for: a number, or the date at which a day ends. */
static int64_t retry_after_s(const struct zoom_api *api)
{
	const char *text = http_header(api->http, api->arena, "Retry-After");
	int64_t at, seconds = PAUSE_UNSAID_S;

	if (text && !when_parse(text, &at))
		seconds = at / 1000000 - (int64_t)time(NULL) + 1;
	else if (text && *text >= '0' && *text <= '9')
		seconds = strtoll(text, NULL, 10);
	return seconds < 1 ? 1 : seconds > PAUSE_MAX_S ? PAUSE_MAX_S : seconds;
}

static bool is_daily(const struct zoom_api *api)
{
	const char *type = http_header(api->http, api->arena, "X-RateLimit-Type");

	return type && !strncmp(type, "Daily", 5);
}

/* Until Zoom's next day, which is UTC's. */
static int64_t rest_of_day_s(void)
{
	return 86400 - (int64_t)time(NULL) % 86400;
}

/*
 * What a 429 asks for. A limit by the second (*is_short) concerns the call at
 * hand alone. Source: facts of Zoom, 9.
 */
static enum err heed(const struct zoom_api *api, const struct zoom_call *call,
		     const struct http_answer *answer, bool *is_short)
{
	*is_short = false;
	log_warn("Zoom limits our calls");
	if (strstr(answer->body, "Create/Update"))
		return zoom_api_pause(api, call->user, rest_of_day_s());
	if (is_daily(api))
		return zoom_api_pause(api, "", retry_after_s(api));
	*is_short = true;
	return OK;
}

static enum zoom_outcome outcome_of(const struct zoom_answer *answer)
{
	if (answer->status >= 200 && answer->status < 300 && answer->body)
		return ZOOM_DONE;
	if (answer->status == 401)
		return ZOOM_LOCKED;
	if (answer->status == 429)
		return ZOOM_LIMITED;
	return answer->status >= 400 && answer->status < 500 ? ZOOM_REFUSED : ZOOM_UNKNOWN;
}

/* One call with this token. */
static void ask(const struct zoom_api *api, const struct zoom_call *call, const char *token,
		struct http_answer *raw, struct zoom_answer *out)
{
	const char *const headers[] = { arena_printf(api->arena, "Authorization: Bearer %s", token),
					"Content-Type: application/json", NULL };
	const struct http_call http = {
		.method = call->method,
		.url = arena_printf(api->arena, "%s%s", api->conf->zoom_api_base, call->path),
		.headers = headers,
		.body = call->body,
		.body_len = call->body ? strlen(call->body) : 0,
		.connect_ms = CONNECT_MS,
		.total_ms = zoom_api_ms(api),
		.answer_max = ANSWER_MAX,
		.repeatable = !call->body,
	};
	enum http_outcome outcome;

	*out = (struct zoom_answer){ .outcome = ZOOM_AWAY };
	if (!http.total_ms)
		return;
	outcome = http_call(api->http, api->arena, &http, raw);
	out->outcome = ZOOM_UNKNOWN;
	if (outcome != HTTP_ANSWERED) {
		log_warn("Zoom's API: %s", raw->reason);
		if (outcome == HTTP_NOT_SENT)
			out->outcome = ZOOM_AWAY;
		return;
	}
	out->status = raw->status;
	out->body = zoom_json(api->arena, raw->body, raw->len);
	out->code = zoom_json_i64(out->body, "code", 0);
	out->outcome = outcome_of(out);
	if (out->outcome != ZOOM_DONE)
		log_warn("Zoom's API: status %d code %lld", out->status, (long long)out->code);
}

/* One try: the pause, the token, the call. *token is what it was made with. */
static enum err attempt(const struct zoom_api *api, const struct zoom_call *call,
			const char *refused, const char **token, struct http_answer *raw,
			struct zoom_answer *out)
{
	bool paused;
	enum err e = is_paused(api, call->user, &paused);

	*out = (struct zoom_answer){ .outcome = ZOOM_LIMITED };
	if (e || paused)
		return e;
	e = zoom_token(api, refused, token, &out->outcome);
	if (!e && out->outcome == ZOOM_DONE)
		ask(api, call, *token, raw, out);
	return e;
}

/* A refused token is replaced once, a limit by the second waited for once. */
enum err zoom_api_call(const struct zoom_api *api, const struct zoom_call *call,
		       struct zoom_answer *out)
{
	const struct timespec second = { .tv_sec = 1, .tv_nsec = 100000000 };
	const char *token = NULL, *refused = NULL;
	bool has_waited = false;
	enum err e;

	for (;;) {
		struct http_answer raw = { .body = "" };
		bool is_short = false;

		e = attempt(api, call, refused, &token, &raw, out);
		if (!e && out->status == 429)
			e = heed(api, call, &raw, &is_short);
		if (e)
			return e;
		if (is_short && !has_waited) {
			has_waited = true;
			nanosleep(&second, NULL);
		} else if (out->status == 401 && !refused) {
			refused = token;
		} else {
			return OK;
		}
	}
}
