/*
 * POST /api/telegram/webhook: an update from Telegram.
 *
 * Request   Telegram's update; X-Telegram-Bot-Api-Secret-Token: the secret given to setWebhook
 * Answer    200 and nothing else: what stands in the body would be taken for a call of the Bot API
 * Errors    401 wrong or missing secret; 503 our outage: Telegram repeats what got no 2xx, and
 *           holds back the person's later updates until then, so nothing else may be refused
 * Source    Bot API, "setWebhook"; docs/architecture.md, "A message's way"
 */
#include "app.h"
#include "chat.h"
#include "log.h"
#include "outbox_send.h"
#include "secret.h"
#include "telegram_update.h"

/* An update with two long texts in escapes; nginx: client_max_body_size. */
#define UPDATE_BYTES_MAX (1 << 20)

/* A reply, and before it a link that it has brought along, is tried at once for so long; Telegram
 * waits for our answer meanwhile. */
#define REPLY_MS 2000

/* An outage of ours, which passes; everything else would fail again. */
static bool is_outage(enum err e)
{
	return e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT;
}

static enum err take(struct req *req)
{
	struct update update;
	struct outbox outbox;
	bool replied = false;
	enum err e = update_parse(req->arena, req->body, req->body_len, &update);

	if (e == ERR_INVALID) {
		log_warn("an update that cannot be read, %zu bytes", req->body_len);
		return OK;
	}
	if (!e)
		e = chat_take(req->db, req->arena, &update, &replied);
	if (e && !is_outage(e)) {
		log_error("update %lld skipped: %s", (long long)update.id, err_title(e));
		e = chat_skip(req->db, req->arena, update.id);
		return is_outage(e) ? e : OK;
	}
	if (!e && replied) {
		outbox_open(&outbox, req->db, req->conf, req->keys, REPLY_MS);
		outbox_try_reply(&outbox, req->arena, update.id);
	}
	return e;
}

static enum err receive(struct req *req)
{
	const char *secret = req_header(req, "X-Telegram-Bot-Api-Secret-Token");
	enum err e;

	if (!secret_matches(req->conf->telegram_webhook_secret, secret))
		return req_refuse(req, ERR_UNAUTHENTICATED, NULL, "Send the right secret token.");
	e = take(req);
	return e ? e : req_text(req, 200, "text/plain", "");
}

static const struct endpoint endpoint = {
	.name = "telegram_webhook",
	.who = WHO_SECRET,
	.routes = { { "POST", receive } },
	.needs = NEED_AUTH_SECRET,
	.body_max = UPDATE_BYTES_MAX,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
