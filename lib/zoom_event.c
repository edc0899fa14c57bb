#include <json-c/json.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>

#include "utf8.h"
#include "when.h"
#include "zoom_event.h"

#define DEPTH_MAX	32
#define NAME_BYTES_MAX	100
#define MEETING_ID_MIN	INT64_C(100000000)
#define MEETING_ID_MAX	INT64_C(99999999999)
#define MEETING_DIGITS	11
#define MOMENT_TEXT_MAX 32 /* bytes; "2026-01-01T10:00:00.123456Z" has 27 */

/* Source: facts of Zoom, 5. */
static const struct {
	const char *event;
	const char *moment;   /* the member that says when it happened */
	const char *evidence; /* as session_events spells it */
	bool is_of_a_person;  /* moment stands in object.participant */
} kinds[ZOOM_KIND__MAX] = {
	[ZOOM_CHALLENGE] = { "endpoint.url_validation", NULL, NULL, false },
	[ZOOM_STARTED] = { "meeting.started", "start_time", "zoom_started", false },
	[ZOOM_JOINED] = { "meeting.participant_joined", "join_time", "zoom_joined", true },
	[ZOOM_LEFT] = { "meeting.participant_left", "leave_time", "zoom_left", true },
	[ZOOM_ENDED] = { "meeting.ended", "end_time", "zoom_ended", false },
};

static void put(void *o)
{
	json_object_put(o);
}

static struct json_object *parse(struct arena *a, const char *body, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;

	/* Not VALIDATE_UTF8: a broken name must not cost the event, and identifiers are checked. */
	if (t && len <= INT_MAX) {
		json_tokener_set_flags(t, JSON_TOKENER_STRICT);
		o = json_tokener_parse_ex(t, body, (int)len);
	}
	if (t)
		json_tokener_free(t);
	arena_defer(a, put, o);
	return o;
}

/* The member of an object, NULL if there is none or o is none. */
static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *v = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, name, &v);
	return v;
}

/* A string member of 1 to max printable ASCII characters without blank and |, else NULL. */
static const char *plain(struct json_object *o, const char *name, size_t max)
{
	struct json_object *v = member(o, name);
	const char *s = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
	size_t len = strnlen(s, max + 1);

	if (len == 0 || len > max || len != (size_t)json_object_get_string_len(v))
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '|')
			return NULL;
	return s;
}

/* Zoom sends ids of meetings as numbers and as strings. */
static int64_t meeting_id(struct json_object *object)
{
	struct json_object *v = member(object, "id");
	const char *s = plain(object, "id", MEETING_DIGITS);
	int64_t id = 0;

	if (json_object_is_type(v, json_type_int))
		id = json_object_get_int64(v);
	for (; s && *s; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		id = id * 10 + (*s - '0');
	}
	return id >= MEETING_ID_MIN && id <= MEETING_ID_MAX ? id : 0;
}

static int64_t sent_us(struct json_object *event)
{
	struct json_object *v = member(event, "event_ts");
	int64_t ms = json_object_is_type(v, json_type_int) ? json_object_get_int64(v) : 0;

	return ms > 0 && ms <= WHEN_MAX_US / 1000 ? ms * 1000 : 0;
}

/* Where the moment is missing, that of the event itself comes close. */
static int64_t happened_us(struct json_object *in, enum zoom_kind kind, int64_t fallback_us)
{
	int64_t us;

	if (when_parse(plain(in, kinds[kind].moment, MOMENT_TEXT_MAX), &us))
		return fallback_us;
	return us;
}

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* A connection without an id of its own: numbers are given anew in each meeting. */
static const char *connection(struct arena *a, struct json_object *participant, const char *uuid)
{
	const char *id = plain(participant, "participant_uuid", ZOOM_ID_MAX);
	const char *number = plain(participant, "user_id", ZOOM_ID_MAX);

	return id || !number ? id : arena_printf(a, "%s/%s", uuid, number);
}

static void read_person(struct arena *a, struct json_object *participant, struct zoom_event *out)
{
	const char *id = plain(participant, "id", ZOOM_ID_MAX);
	const char *user = plain(participant, "participant_user_id", ZOOM_ID_MAX);

	out->connection = connection(a, participant, out->uuid);
	out->person_id = !id || is_same(user, out->host_id) ? user : id;
	if (is_same(out->person_id, out->host_id))
		out->host_email = plain(participant, "email", 254);
}

/* Whether it is evidence: of a known meeting, at a known moment. */
static bool read_evidence(struct arena *a, struct json_object *event, struct zoom_event *out)
{
	struct json_object *object = member(member(event, "payload"), "object");
	struct json_object *participant = member(object, "participant");
	bool is_of_a_person = kinds[out->kind].is_of_a_person;

	out->uuid = plain(object, "uuid", ZOOM_ID_MAX);
	out->happened_us =
		happened_us(is_of_a_person ? participant : object, out->kind, out->sent_us);
	if (!out->uuid || !out->happened_us || (is_of_a_person && !participant))
		return false;
	out->meeting_id = meeting_id(object);
	out->host_id = plain(object, "host_id", ZOOM_ID_MAX);
	if (is_of_a_person)
		read_person(a, participant, out);
	out->key = arena_printf(a, "%s|%s|%s|%s", out->name, out->uuid,
				out->connection ? out->connection : "",
				when_text(a, out->happened_us));
	return true;
}

static enum zoom_kind kind_of_event(const char *name)
{
	for (enum zoom_kind k = ZOOM_OTHER + 1; k < ZOOM_KIND__MAX; k++)
		if (!strcmp(kinds[k].event, name))
			return k;
	return ZOOM_OTHER;
}

static const char *name_of(struct arena *a, struct json_object *event)
{
	struct json_object *v = member(event, "event");

	if (!json_object_is_type(v, json_type_string))
		return "";
	return utf8_clean(a, json_object_get_string(v), NAME_BYTES_MAX);
}

static const char *hash(struct arena *a, const char *body, size_t len)
{
	unsigned char sum[crypto_hash_sha256_BYTES];
	char *hex = arena_alloc(a, 2 * sizeof sum + 1);

	crypto_hash_sha256(sum, (const unsigned char *)body, len);
	return sodium_bin2hex(hex, 2 * sizeof sum + 1, sum, sizeof sum);
}

void zoom_event_read(struct arena *a, const char *body, size_t len, struct zoom_event *out)
{
	struct json_object *event = parse(a, body, len);

	*out = (struct zoom_event){ .name = name_of(a, event), .sent_us = sent_us(event) };
	out->kind = kind_of_event(out->name);
	if (out->kind == ZOOM_CHALLENGE)
		out->plain_token = plain(member(event, "payload"), "plainToken", ZOOM_ID_MAX);
	else if (out->kind != ZOOM_OTHER && !read_evidence(a, event, out))
		*out = (struct zoom_event){ .name = out->name, .sent_us = out->sent_us };
	if (!out->key)
		out->key = arena_printf(a, "%s|%s", out->name, hash(a, body, len));
}

const char *zoom_kind_name(enum zoom_kind kind)
{
	return kinds[kind].evidence;
}
