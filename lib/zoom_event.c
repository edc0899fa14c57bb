#include <json-c/json.h>
#include <sodium.h>
#include <string.h>

#include "utf8.h"
#include "when.h"
#include "zoom_event.h"
#include "zoom_json.h"

#define NAME_BYTES_MAX	100
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

/* An identifier; the separator of keys is none. */
static const char *id_of(struct json_object *o, const char *name)
{
	const char *id = zoom_json_plain(o, name, ZOOM_ID_MAX);

	return id && !strchr(id, '|') ? id : NULL;
}

static int64_t sent_us(struct json_object *event)
{
	int64_t ms = zoom_json_i64(event, "event_ts", 0);

	return ms > 0 && ms <= WHEN_MAX_US / 1000 ? ms * 1000 : 0;
}

/* Where the moment is missing, that of the event itself comes close. */
static int64_t happened_us(struct json_object *in, enum zoom_kind kind, int64_t fallback_us)
{
	int64_t us;

	if (when_parse(zoom_json_plain(in, kinds[kind].moment, MOMENT_TEXT_MAX), &us))
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
	const char *id = id_of(participant, "participant_uuid");
	const char *number = id_of(participant, "user_id");

	return id || !number ? id : arena_printf(a, "%s/%s", uuid, number);
}

static void read_person(struct arena *a, struct json_object *participant, struct zoom_event *out)
{
	const char *id = id_of(participant, "id");
	const char *user = id_of(participant, "participant_user_id");

	out->connection = connection(a, participant, out->uuid);
	out->person_id = !id || is_same(user, out->host_id) ? user : id;
	if (is_same(out->person_id, out->host_id))
		out->host_email = zoom_json_plain(participant, "email", 254);
}

/* Whether it is evidence: of a known meeting, at a known moment. */
static bool read_evidence(struct arena *a, struct json_object *event, struct zoom_event *out)
{
	struct json_object *object = zoom_json_member(zoom_json_member(event, "payload"), "object");
	struct json_object *participant = zoom_json_member(object, "participant");
	bool is_of_a_person = kinds[out->kind].is_of_a_person;

	out->uuid = id_of(object, "uuid");
	out->happened_us =
		happened_us(is_of_a_person ? participant : object, out->kind, out->sent_us);
	if (!out->uuid || !out->happened_us || (is_of_a_person && !participant))
		return false;
	out->meeting_id = zoom_json_meeting_id(object, "id");
	out->host_id = id_of(object, "host_id");
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
	struct json_object *v = zoom_json_member(event, "event");

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
	struct json_object *event = zoom_json(a, body, len);

	*out = (struct zoom_event){ .name = name_of(a, event), .sent_us = sent_us(event) };
	out->kind = kind_of_event(out->name);
	if (out->kind == ZOOM_CHALLENGE)
		out->plain_token = id_of(zoom_json_member(event, "payload"), "plainToken");
	else if (out->kind != ZOOM_OTHER && !read_evidence(a, event, out))
		*out = (struct zoom_event){ .name = out->name, .sent_us = out->sent_us };
	if (!out->key)
		out->key = arena_printf(a, "%s|%s", out->name, hash(a, body, len));
}

const char *zoom_kind_name(enum zoom_kind kind)
{
	return kinds[kind].evidence;
}
