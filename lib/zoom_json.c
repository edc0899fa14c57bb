#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#include "zoom_json.h"

#define DEPTH_MAX      32
#define MEETING_ID_MIN INT64_C(100000000)
#define MEETING_ID_MAX INT64_C(99999999999)
#define MEETING_DIGITS 11

static void put(void *o)
{
	json_object_put(o);
}

struct json_object *zoom_json(struct arena *a, const char *text, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;

	/* Not VALIDATE_UTF8: a broken name must not cost an event, and what is used is checked. */
	if (t && len <= INT_MAX) {
		json_tokener_set_flags(t, JSON_TOKENER_STRICT);
		o = json_tokener_parse_ex(t, text, (int)len);
	}
	if (t)
		json_tokener_free(t);
	arena_defer(a, put, o);
	return o;
}

struct json_object *zoom_json_member(struct json_object *o, const char *name)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, name, &v);
	return v;
}

const char *zoom_json_plain(struct json_object *o, const char *name, size_t max)
{
	struct json_object *v = zoom_json_member(o, name);
	const char *s = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
	size_t len = strnlen(s, max + 1);

	if (len == 0 || len > max || len != (size_t)json_object_get_string_len(v))
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return NULL;
	return s;
}

int64_t zoom_json_i64(struct json_object *o, const char *name, int64_t fallback)
{
	struct json_object *v = zoom_json_member(o, name);

	return json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : fallback;
}

int64_t zoom_json_meeting_id(struct json_object *o, const char *name)
{
	const char *s = zoom_json_plain(o, name, MEETING_DIGITS);
	int64_t id = zoom_json_i64(o, name, 0);

	for (; s && *s; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		id = id * 10 + (*s - '0');
	}
	return id >= MEETING_ID_MIN && id <= MEETING_ID_MAX ? id : 0;
}
