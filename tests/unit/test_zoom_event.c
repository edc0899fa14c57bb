/* Zoom's events are read for their identifiers and moments; nothing in them does harm. */
#include "unit.h"

#include "zoom_event.h"

#define JOINED                                                                                     \
	"{\"event\":\"meeting.participant_joined\",\"event_ts\":1767261600123,\"payload\":{"       \
	"\"account_id\":\"A\",\"object\":{\"id\":\"81234567890\",\"uuid\":\"/abc//DEF+ghi==\","    \
	"\"host_id\":\"Host-1_\",\"participant\":{\"user_id\":\"16778240\",\"user_name\":"         \
	"\"Al\\uD83D\","                                                                           \
	"\"id\":\"Host-1_\",\"participant_uuid\":\"0A-1\",\"join_time\":\"2026-01-01T10:00:00Z\"," \
	"\"email\":\"hana@example.org\"}}}}"

static struct zoom_event read_text(struct arena *a, const char *text)
{
	struct zoom_event event;

	zoom_event_read(a, text, strlen(text), &event);
	return event;
}

/* JOINED with the first of two texts replaced by the second. */
static struct zoom_event joined_but(struct arena *a, const char *from, const char *to)
{
	const char *at = strstr(JOINED, from);

	assert_non_null(at);
	return read_text(
		a, arena_printf(a, "%.*s%s%s", (int)(at - JOINED), JOINED, to, at + strlen(from)));
}

static void reads_who_joined_what_and_when(void **state)
{
	struct zoom_event e = read_text(*state, JOINED);

	assert_int_equal(e.kind, ZOOM_JOINED);
	assert_string_equal(zoom_kind_name(e.kind), "zoom_joined");
	assert_string_equal(e.name, "meeting.participant_joined");
	assert_string_equal(e.key,
			    "meeting.participant_joined|/abc//DEF+ghi==|0A-1|2026-01-01T10:00:00Z");
	assert_int_equal(e.sent_us, INT64_C(1767261600123000));
	assert_int_equal(e.happened_us, INT64_C(1767261600000000));
	assert_int_equal(e.meeting_id, INT64_C(81234567890));
	assert_string_equal(e.uuid, "/abc//DEF+ghi==");
	assert_string_equal(e.host_id, "Host-1_");
	assert_string_equal(e.connection, "0A-1");
	assert_string_equal(e.person_id, "Host-1_");
	assert_string_equal(e.host_email, "hana@example.org");
}

static void tells_an_address_of_the_host_alone(void **state)
{
	assert_null(joined_but(*state, "\"id\":\"Host-1_\"", "\"id\":\"Other\"").host_email);
	assert_null(joined_but(*state, "\"id\":\"Host-1_\"", "\"id\":\"\"").host_email);
}

static void a_person_is_known_by_either_id(void **state)
{
	struct zoom_event e = joined_but(*state, "\"id\":\"Host-1_\"",
					 "\"id\":\"x\",\"participant_user_id\":\"Host-1_\"");

	assert_string_equal(e.person_id, "Host-1_");
	e = joined_but(*state, "\"id\":\"Host-1_\"", "\"id\":\"x\",\"participant_user_id\":\"y\"");
	assert_string_equal(e.person_id, "x");
	e = joined_but(*state, "\"id\":\"Host-1_\"", "\"id\":\"\",\"participant_user_id\":\"\"");
	assert_null(e.person_id);
}

static void without_an_id_a_connection_is_known_by_its_number_in_the_meeting(void **state)
{
	struct zoom_event e = joined_but(*state, "participant_uuid", "unknown");

	assert_string_equal(e.connection, "/abc//DEF+ghi==/16778240");
	e = joined_but(*state, "\"user_id\":\"16778240\",", "");
	assert_string_equal(e.connection, "0A-1");
}

static void a_lost_moment_is_that_of_the_event(void **state)
{
	struct zoom_event e = joined_but(*state, "join_time", "when");

	assert_int_equal(e.kind, ZOOM_JOINED);
	assert_int_equal(e.happened_us, INT64_C(1767261600123000));
	e = joined_but(*state, "2026-01-01T10:00:00Z", "2026-02-30T10:00:00Z");
	assert_int_equal(e.happened_us, INT64_C(1767261600123000));
}

static void is_other_without_meeting_or_moment(void **state)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"\"meeting.ended\"",
		"{\"event\":\"meeting.ended\"}",
		"{\"event\":\"meeting.ended\",\"payload\":[]}",
		"{\"event\":\"meeting.ended\",\"payload\":{\"object\":{\"uuid\":\"a\"}}}",
		"{\"event\":\"meeting.ended\",\"event_ts\":1,\"payload\":{\"object\":{}}}",
		"{\"event\":\"meeting.ended\",\"event_ts\":1,\"payload\":{\"object\":{\"uuid\":"
		"\"\"}}}",
		"{\"event\":\"meeting.ended\",\"event_ts\":1,\"payload\":{\"object\":{\"uuid\":7}}"
		"}",
		"{\"event\":\"meeting.ended\",\"event_ts\":-1,\"payload\":{\"object\":{\"uuid\":"
		"\"a\"}}}",
		"{\"event\":\"meeting.ended\",\"event_ts\":1e9,\"payload\":{\"object\":{\"uuid\":"
		"\"a\"}}}",
		"{\"event\":\"meeting.ended\",\"event_ts\":99999999999999999999,"
		"\"payload\":{\"object\":{\"uuid\":\"a\"}}}",
		"{\"event\":\"meeting.participant_left\",\"event_ts\":1,"
		"\"payload\":{\"object\":{\"uuid\":\"a\"}}}",
		"{\"event\":\"meeting.Ended\",\"event_ts\":1,"
		"\"payload\":{\"object\":{\"uuid\":\"a\"}}}",
		"{\"event\":7}",
		"{\"event\":\"meeting.ended\"",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct zoom_event e = read_text(*state, bad[i]);

		assert_int_equal(e.kind, ZOOM_OTHER);
		assert_null(e.uuid);
		assert_null(zoom_kind_name(e.kind));
		assert_non_null(strchr(e.key, '|'));
	}
}

static void identifiers_are_plain(void **state)
{
	static const char *const bad[] = { "a b", "a|b", "a\\u0000b", "\\u00e9", "\\n", "\\uD800" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(joined_but(*state, "/abc//DEF+ghi==", bad[i]).kind, ZOOM_OTHER);
		assert_string_equal(joined_but(*state, "0A-1", bad[i]).connection,
				    "/abc//DEF+ghi==/16778240");
	}
}

static void meeting_ids_have_9_to_11_digits(void **state)
{
	static const char *const bad[] = {
		"\"\"",
		"\"12345678\"",
		"\"123456789012\"",
		"\"8123456789O\"",
		"\"+8123456789\"",
		"12345678",
		"123456789012",
		"-81234567890",
		"8123456789.0",
		"9007199254740993",
		"true",
		"null",
		"{}",
		"[81234567890]",
	};

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(joined_but(*state, "\"81234567890\"", bad[i]).meeting_id, 0);
	assert_int_equal(joined_but(*state, "\"81234567890\"", "81234567890").meeting_id,
			 INT64_C(81234567890));
	assert_int_equal(joined_but(*state, "\"81234567890\"", "\"123456789\"").meeting_id,
			 123456789);
}

static void reads_a_challenge(void **state)
{
	struct zoom_event e = read_text(*state, "{\"event\":\"endpoint.url_validation\","
						"\"payload\":{\"plainToken\":\"a_b-c\"}}");

	assert_int_equal(e.kind, ZOOM_CHALLENGE);
	assert_string_equal(e.plain_token, "a_b-c");
	e = read_text(*state, "{\"event\":\"endpoint.url_validation\"}");
	assert_int_equal(e.kind, ZOOM_CHALLENGE);
	assert_null(e.plain_token);
}

static void repeats_of_anything_share_a_key(void **state)
{
	struct zoom_event a = read_text(*state, "{\"event\":\"meeting.alert\",\"n\":1}");
	struct zoom_event b = read_text(*state, "{\"event\":\"meeting.alert\",\"n\":1}");
	struct zoom_event c = read_text(*state, "{\"event\":\"meeting.alert\",\"n\":2}");

	assert_string_equal(a.key, b.key);
	assert_string_not_equal(a.key, c.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(reads_who_joined_what_and_when),
		WITH_ARENA(tells_an_address_of_the_host_alone),
		WITH_ARENA(a_person_is_known_by_either_id),
		WITH_ARENA(without_an_id_a_connection_is_known_by_its_number_in_the_meeting),
		WITH_ARENA(a_lost_moment_is_that_of_the_event),
		WITH_ARENA(is_other_without_meeting_or_moment),
		WITH_ARENA(identifiers_are_plain),
		WITH_ARENA(meeting_ids_have_9_to_11_digits),
		WITH_ARENA(reads_a_challenge),
		WITH_ARENA(repeats_of_anything_share_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
