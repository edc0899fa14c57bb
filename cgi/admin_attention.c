/*
 * GET /api/admin/attention: what an admin should look at, newest first.
 *
 * Request   kind: items of this kind only; limit (200; 0 to 200): 0 for the counts alone
 * Answer    200 {"items":[{"kind","session_id"|null,"student":{"id","name"}|null,
 *           "teacher":{"id","name"}|null,"at","detail","facts","clicked_at"|null}, at most limit],
 *           "counts":{kind: n},"total"}; the kinds are explained in lib/attention.h
 * Errors    400 401 403 503
 */
#include "app.h"
#include "attention.h"
#include "params.h"

static enum err show(struct req *req)
{
	struct json_object *answer;
	const char *kind;
	int64_t limit;
	struct params p;
	enum err e;

	params_open(&p, req);
	kind = params_word_or_null(&p, "kind", attention_kinds(req->arena));
	limit = params_i64_or(&p, "limit", 0, ATTENTION_ITEMS_MAX, ATTENTION_ITEMS_MAX);
	e = params_close(&p);
	if (!e)
		e = attention(req->db, req->arena, kind, limit, &answer);
	return e ? e : req_json(req, 200, answer);
}

static const struct endpoint endpoint = {
	.name = "admin_attention",
	.who = WHO_ADMIN,
	.routes = { { "GET", show } },
};

int main(int argc, char **argv)
{
	return app_main(argc, argv, &endpoint);
}
