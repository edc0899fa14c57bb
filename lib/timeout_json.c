#include <json-c/json.h>

#include "timeout_json.h"

enum err timeout_run_json(struct db *db, struct arena *a, struct json_object **out)
{
	struct timeout_run run;
	struct json_object *ids;
	enum err e = timeout_run(db, a, &run);

	if (e)
		return e;
	ids = json_object_new_array();
	for (size_t i = 0; i < run.n_ids; i++)
		json_object_array_add(ids, json_object_new_int64(run.ids[i]));
	*out = json_object_new_object();
	json_object_object_add(*out, "timed_out", json_object_new_int64(run.timed_out));
	json_object_object_add(*out, "session_ids", ids);
	json_object_object_add(*out, "missed", json_object_new_int64(run.missed));
	json_object_object_add(*out, "settled", json_object_new_int64(run.settled));
	json_object_object_add(*out, "duration_ms", json_object_new_int64(run.duration_ms));
	return OK;
}

enum err timeout_due_json(struct db *db, struct arena *a, struct json_object **out)
{
	int64_t active, unopened;
	enum err e = timeout_due(db, a, &active, &unopened);

	if (e)
		return e;
	*out = json_object_new_object();
	json_object_object_add(*out, "due", json_object_new_int64(active));
	json_object_object_add(*out, "unopened", json_object_new_int64(unopened));
	return OK;
}
