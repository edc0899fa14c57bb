#include <json-c/json.h>

#include "db_json.h"
#include "listing.h"
#include "params.h"

#define Q_BYTES_MAX 200

void listing_params(struct params *p, struct listing *out)
{
	out->q = params_str_or(p, "q", 0, Q_BYTES_MAX, NULL);
	out->limit = params_i64_or(p, "limit", 1, LISTING_MAX, LISTING_MAX);
}

const char *listing_limit(struct arena *a, const struct listing *listing)
{
	return arena_int(a, listing->limit + 1);
}

struct json_object *listing_json(const struct listing *listing, const char *name,
				 struct db_rows *rows)
{
	struct json_object *answer = json_object_new_object();
	struct json_object *all = db_rows_json(rows);
	size_t limit = (size_t)listing->limit;
	bool more = all && json_object_array_length(all) > limit;

	if (more)
		json_object_array_del_idx(all, limit, 1);
	json_object_object_add(answer, name, all);
	json_object_object_add(answer, "more", json_object_new_boolean(more));
	return answer;
}
