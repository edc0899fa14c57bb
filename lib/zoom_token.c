#include <json-c/json.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "secret.h"
#include "zoom_json.h"
#include "zoom_token.h"

#define CONNECT_MS	2000
#define ANSWER_MAX	65536
#define TOKEN_BYTES_MAX 8192
#define LOCKED_PAUSE_S	60  /* too many errors get an app disabled. Source: facts of Zoom, 9 */
#define WAIT_MS		100 /* between looks while another worker fetches */
#define DB_MS		3000

/* A token that is about to expire is not worth a call. */
#define MARGIN "interval '60 seconds'"

/* $1 client  $2 refused token or NULL */
static const char SQL_GET[] =
	"SELECT token FROM zoom_tokens WHERE client = $1 AND token IS DISTINCT FROM $2"
	" AND expires_at > clock_now() + " MARGIN;

/* Whoever gets the row fetches; the lease ends by itself if they die. */
static const char SQL_LEASE[] =
	"INSERT INTO zoom_tokens AS t (client, leased_until)"
	" VALUES ($1, clock_now() + interval '10 seconds')"
	" ON CONFLICT (client) DO UPDATE SET leased_until = excluded.leased_until"
	" WHERE (t.leased_until IS NULL OR t.leased_until <= clock_now())"
	"  AND (t.token IS NULL OR t.token = $2 OR t.expires_at <= clock_now() + " MARGIN ")";

/* $1 client  $2 token  $3 seconds */
static const char SQL_KEEP[] =
	"UPDATE zoom_tokens SET token = $2, leased_until = NULL,"
	" expires_at = clock_now() + $3::bigint * interval '1 second' WHERE client = $1";

static const char SQL_RELEASE[] = "UPDATE zoom_tokens SET leased_until = NULL WHERE client = $1";

static const char *client(const struct zoom_api *api)
{
	return arena_printf(api->arena, "%s %s", api->conf->zoom_account_id,
			    api->conf->zoom_client_id);
}

static const char *basic(const struct zoom_api *api)
{
	const char *list = api->conf->zoom_client_secret;
	struct secret secret = { "", 0 };
	const char *pair;
	size_t len, max;
	char *text;

	(void)secret_next(&list, &secret); /* the first makes */
	pair = arena_printf(api->arena, "%s:%.*s", api->conf->zoom_client_id, (int)secret.len,
			    secret.text);
	len = strlen(pair);
	max = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
	text = arena_alloc(api->arena, max);
	sodium_bin2base64(text, max, (const unsigned char *)pair, len,
			  sodium_base64_VARIANT_ORIGINAL);
	return arena_printf(api->arena, "Authorization: Basic %s", text);
}

/* Asks Zoom for a token. */
static enum zoom_outcome fetch(const struct zoom_api *api, const char **token, int64_t *seconds)
{
	const char *const headers[] = { basic(api), NULL };
	const struct http_call call = {
		.method = "POST",
		.url = arena_printf(api->arena,
				    "%s/oauth/token?grant_type=account_credentials&account_id=%s",
				    api->conf->zoom_oauth_base,
				    zoom_api_escape(api->arena, api->conf->zoom_account_id)),
		.headers = headers,
		.connect_ms = CONNECT_MS,
		.total_ms = zoom_api_ms(api),
		.answer_max = ANSWER_MAX,
	};
	struct http_answer answer;
	struct json_object *body;

	if (!call.total_ms)
		return ZOOM_AWAY;
	if (http_call(api->http, api->arena, &call, &answer) != HTTP_ANSWERED) {
		log_warn("Zoom gave no token: %s", answer.reason);
		return ZOOM_AWAY;
	}
	body = zoom_json(api->arena, answer.body, answer.len);
	*token = zoom_json_plain(body, "access_token", TOKEN_BYTES_MAX);
	*seconds = zoom_json_i64(body, "expires_in", 0);
	if (answer.status == 200 && *token && *seconds > 0 && *seconds <= 86400)
		return ZOOM_DONE;
	log_warn("Zoom gave no token: status %d", answer.status);
	if (answer.status == 429)
		return ZOOM_LIMITED;
	return answer.status >= 400 && answer.status < 500 ? ZOOM_LOCKED : ZOOM_AWAY;
}

/* Fetches and keeps a token, holding the lease. */
static enum err renew(const struct zoom_api *api, const char **token, enum zoom_outcome *outcome)
{
	const char *args[] = { client(api), NULL, NULL };
	int64_t seconds = 0;
	enum err e = OK;

	*outcome = fetch(api, token, &seconds);
	db_deadline(api->db, DB_MS);
	if (*outcome == ZOOM_LOCKED)
		e = zoom_api_pause(api, "", LOCKED_PAUSE_S);
	if (e)
		return e;
	if (*outcome != ZOOM_DONE)
		return db_write(api->db, api->arena, SQL_RELEASE, 1, args, NULL);
	args[1] = *token;
	args[2] = arena_int(api->arena, seconds);
	return db_write(api->db, api->arena, SQL_KEEP, 3, args, NULL);
}

enum err zoom_token(const struct zoom_api *api, const char *refused, const char **out,
		    enum zoom_outcome *outcome)
{
	const struct timespec pause = { .tv_nsec = WAIT_MS * 1000000L };
	const char *args[] = { client(api), refused };
	struct db_rows r;
	enum err e = OK;

	while (!e && zoom_api_ms(api)) {
		db_deadline(api->db, DB_MS);
		e = db_read(api->db, api->arena, SQL_GET, 2, args, &r);
		if (!e && db_next(&r)) {
			*out = db_str(&r);
			*outcome = ZOOM_DONE;
			return db_end(&r);
		}
		if (!e)
			e = db_write(api->db, api->arena, SQL_LEASE, 2, args, &r);
		if (!e && db_affected(&r) == 1)
			return renew(api, out, outcome);
		nanosleep(&pause, NULL);
	}
	*outcome = ZOOM_AWAY;
	return e;
}
