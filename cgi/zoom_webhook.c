/*
 * POST /api/zoom/webhook: Zoom's events, signed.
 *
 * Answer    200 once the event and what follows from it are in the database, or it was before; or,
 *           where that fails or takes too long, the event alone, for the job to apply; to the
 *           challenge {"plainToken","encryptedToken"}, database or not
 * Errors    401 not signed by Zoom, 400 an unsafe challenge, 503 outage: Zoom repeats it
 * Source    facts of Zoom's webhooks, 1 to 3: other errors than 5xx are never repeated
 */
#include <json-c/json.h>
#include <time.h>

#include "app.h"
#include "zoom_event.h"
#include "zoom_intake.h"
#include "zoom_signature.h"

#define BODY_MAX     (1 << 20) /* nginx: client_max_body_size */
#define DEADLINE_MS  2000      /* Zoom waits 3 s */
#define CHALLENGE_MS 800       /* to note a challenge; its answer does not depend on it */

static enum err verify(struct req *req, struct secret *signer)
{
	const struct zoom_request signed_request = {
		.timestamp = req_header_once(req, "X-Zm-Request-Timestamp"),
		.signature = req_header_once(req, "X-Zm-Signature"),
		.body = req->body,
		.body_len = req->body_len,
	};
	enum err e = zoom_signature_verify(req->conf->zoom_webhook_secret, &signed_request,
					   (int64_t)time(NULL) * 1000000, signer);

	return e ? req_refuse(req, e, NULL, "This is not signed by Zoom.") : OK;
}

/* Noted for /healthz: Zoom stops sending after challenges that failed. */
static enum err answer_challenge(struct req *req, const struct zoom_event *event,
				 const struct secret *signer)
{
	struct json_object *answer;
	const char *mac;

	if (zoom_challenge_answer(req->arena, signer, event->plain_token, &mac))
		return req_refuse(req, ERR_INVALID, "plainToken", "It is not a plain token.");
	db_deadline(req->db, CHALLENGE_MS);
	(void)!zoom_intake(req->db, req->arena, event, req->body, req->body_len);
	answer = json_object_new_object();
	json_object_object_add(answer, "plainToken", json_object_new_string(event->plain_token));
	json_object_object_add(answer, "encryptedToken", json_object_new_string(mac));
	return req_json(req, 200, answer);
}

static enum err receive(struct req *req)
{
	struct zoom_event event;
	struct secret signer;
	enum err e = verify(req, &signer);

	if (e)
		return e;
	zoom_event_read(req->arena, req->body, req->body_len, &event);
	if (event.kind == ZOOM_CHALLENGE)
		return answer_challenge(req, &event, &signer);
	e = zoom_intake(req->db, req->arena, &event, req->body, req->body_len);
	return e ? e : req_text(req, 200, "text/plain", "");
}

static const struct endpoint endpoint = {
	.name = "zoom_webhook",
	.who = WHO_SECRET,
	.routes = { { "POST", receive } },
	.workers = 4,
	.deadline_ms = DEADLINE_MS,
	.body_max = BODY_MAX,
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
