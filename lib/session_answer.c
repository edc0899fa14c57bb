#include <json-c/json.h>

#include "session.h"
#include "session_answer.h"

enum err session_answer(struct req *req, int status, int64_t id)
{
	struct json_object *session, *answer;
	enum err e = session_json(req->db, req->arena, id, &session);

	if (e)
		return e;
	answer = json_object_new_object();
	json_object_object_add(answer, "session", session);
	return req_json(req, status, answer);
}

enum err session_answer_links(struct req *req, int status, int64_t id)
{
	static const char *const told[] = { "delivery", "delivery_outcome", "delivery_detail" };
	struct json_object *session, *answer;
	struct session_links links;
	enum err e = session_links(req->db, req->arena, req->conf, req->keys, id, &links);

	if (!e)
		e = session_json(req->db, req->arena, id, &session);
	if (e)
		return e;
	answer = json_object_new_object();
	json_object_object_add(answer, "session", session);
	json_object_object_add(answer, "join_url", json_object_new_string(links.join_url));
	json_object_object_add(answer, "start_url", json_object_new_string(links.start_url));
	json_object_object_add(answer, "leave_url", json_object_new_string(links.leave_url));
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		json_object_object_add(answer, told[i],
				       json_object_get(json_object_object_get(session, told[i])));
	return req_json(req, status, answer);
}
