#include <json-c/json.h>

#include "chat_answer.h"
#include "telegram_bot.h"

#define TELEGRAM_MS 3000

enum err chat_answer_link(struct req *req, const struct chat_wish *want, const char *field)
{
	struct json_object *answer;
	struct telegram telegram;
	struct chat_code code;
	const char *bot;
	enum err e;

	telegram_open(&telegram, req->conf, TELEGRAM_MS);
	e = telegram_bot_username(&telegram, req->db, req->arena, &bot, &req->why);
	if (!e)
		e = chat_make_code(req->db, req->arena, want, &code);
	if (e == ERR_NOT_FOUND)
		return req_refuse(req, e, field, "There is no such person, or they are disabled.");
	if (e)
		return e;
	answer = json_object_new_object();
	json_object_object_add(answer, "url",
			       json_object_new_string(arena_printf(
				       req->arena, "https://t.me/%s?start=%s", bot, code.code)));
	json_object_object_add(answer, "expires_at", json_object_new_string(code.expires_at));
	return req_json(req, 201, answer);
}
