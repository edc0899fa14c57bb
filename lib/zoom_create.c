#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "when.h"
#include "zoom_create.h"
#include "zoom_json.h"
#include "zoom_url.h"

#define DB_MS	      3000
#define START_URL_MAX 4000  /* bytes; as schema/0002_zoom.sql */
#define CREATES_A_DAY "100" /* for each of Zoom's users. Source: facts of Zoom, 9 */
#define AWAY_PAUSE_S  20    /* a Zoom that hangs shall not hold every worker in turn */
#define WAIT_MS	      200   /* between looks while another worker makes it */
#define USER_UNKNOWN  1001  /* Zoom's code */
#define PASTE	      " Paste the link of your meeting."

/*
 * Writes the wish down. Its Zoom user is the teacher's own, as Zoom confirmed,
 * else their address. Who taught in somebody's room is tied to that host, and a
 * start link lets its holder in as the host: so no host is anybody's own
 * because of a class. A request_id that a session has already is no wish.
 */
static const char SQL_WANT[] =
	"INSERT INTO zoom_creates (request_id, account_id, zoom_user, topic, minutes, leased_until)"
	" SELECT $1::uuid, t.id, coalesce((SELECT min(own.host_id) FROM zoom_hosts own"
	"   WHERE own.account_id = t.id AND own.confirmed HAVING count(*) = 1), t.email),"
	"  'Class ' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 12),"
	"  coalesce(p.duration_minutes, a.default_duration_minutes), clock_now()"
	" FROM students st JOIN accounts t ON t.id = st.teacher_id CROSS JOIN academy a"
	" LEFT JOIN packages p ON p.id = st.package_id"
	" WHERE st.id = $3::bigint AND t.id = $2::bigint AND st.disabled_at IS NULL"
	"  AND NOT EXISTS (SELECT FROM sessions WHERE request_id = $1::uuid)"
	" ON CONFLICT (request_id) DO NOTHING";

static const char SQL_IS_USED[] = "SELECT count(*) FROM sessions WHERE request_id = $1::uuid";

static const char SQL_FIND[] =
	"SELECT account_id = $2::bigint, zoom_user, topic, minutes, asked_at IS NOT NULL, join_url,"
	" start_url FROM zoom_creates WHERE request_id = $1::uuid";

/* Whoever gets it goes on with it; the lease ends by itself if they die. */
static const char SQL_LEASE[] =
	"UPDATE zoom_creates SET leased_until = clock_now() + interval '25 seconds'"
	" WHERE request_id = $1::uuid AND join_url IS NULL"
	" AND (leased_until IS NULL OR leased_until <= clock_now())";

/* Not to NULL: retention counts from it where Zoom was never asked. */
static const char SQL_RELEASE[] =
	"UPDATE zoom_creates SET leased_until = clock_now() WHERE request_id = $1::uuid";

/* Counted before Zoom is asked, by Zoom's day. */
static const char SQL_ASK[] =
	"UPDATE zoom_creates SET asked_at = clock_now() WHERE request_id = $1::uuid"
	" AND (SELECT count(*) FROM zoom_creates spent WHERE spent.zoom_user = $2"
	"  AND spent.asked_at >= date_trunc('day', clock_now(), 'UTC')) < " CREATES_A_DAY;

static const char SQL_NOT_ASKED[] =
	"UPDATE zoom_creates SET asked_at = NULL WHERE request_id = $1::uuid";

/* Who answers to the address is its own. $1 request  $2 meeting  $3 host  $4 join_url  $5 start_url
 */
static const char SQL_KEEP[] =
	"WITH kept AS (UPDATE zoom_creates SET meeting_id = $2::bigint, host_id = $3, join_url = "
	"$4,"
	"  start_url = $5, leased_until = NULL WHERE request_id = $1::uuid"
	"  RETURNING account_id, host_id, zoom_user)"
	" INSERT INTO zoom_hosts AS h (host_id, account_id, confirmed)"
	" SELECT kept.host_id, a.id, lower(kept.zoom_user) = lower(a.email)"
	" FROM kept JOIN accounts a ON a.id = kept.account_id WHERE kept.host_id IS NOT NULL"
	" ON CONFLICT (host_id, account_id) DO UPDATE SET confirmed = true"
	" WHERE excluded.confirmed AND NOT h.confirmed";

/* A wish as the table has it. */
struct wish {
	const char *request_id, *user, *topic;
	int64_t minutes;
	bool is_own, was_asked;
	struct zoom_created made; /* join_url NULL: not yet */
};

static enum err find(const struct zoom_api *api, const struct zoom_create_want *want,
		     struct wish *out)
{
	const char *args[] = { want->request_id, arena_int(api->arena, want->teacher_id) };
	struct db_rows r;
	enum err e = db_read(api->db, api->arena, SQL_FIND, 2, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	out->request_id = want->request_id;
	out->is_own = db_bool(&r);
	out->user = db_str(&r);
	out->topic = db_str(&r);
	out->minutes = db_i64(&r);
	out->was_asked = db_bool(&r);
	out->made.join_url = db_str(&r);
	out->made.start_url = db_str(&r);
	return db_end(&r);
}

/* One statement about the wish; *touched (may be NULL) says whether it applied. */
static enum err tell(const struct zoom_api *api, const struct wish *wish, const char *sql,
		     bool *touched)
{
	const char *args[] = { wish->request_id, wish->user };
	struct db_rows r;
	enum err e;

	db_deadline(api->db, DB_MS);
	e = db_write(api->db, api->arena, sql, sql == SQL_ASK ? 2 : 1, args, &r);
	if (!e && touched)
		*touched = db_affected(&r) == 1;
	return e;
}

/* --- What Zoom is asked --- */

static const char *json_text(struct arena *a, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	const char *copy = arena_copy(a, text, strlen(text));

	json_object_put(o);
	return copy;
}

/* A fresh meeting, never the teacher's personal room. It begins when the teacher comes. */
static const char *meeting_json(struct arena *a, const struct wish *wish)
{
	struct json_object *o = json_object_new_object(), *settings = json_object_new_object();
	int64_t soon_us = ((int64_t)time(NULL) + 300) * 1000000;

	json_object_object_add(o, "topic", json_object_new_string(wish->topic));
	json_object_object_add(o, "type", json_object_new_int(2));
	json_object_object_add(o, "start_time", json_object_new_string(when_text(a, soon_us)));
	json_object_object_add(o, "duration", json_object_new_int64(wish->minutes));
	json_object_object_add(o, "timezone", json_object_new_string("UTC"));
	json_object_object_add(settings, "join_before_host", json_object_new_boolean(false));
	json_object_object_add(settings, "waiting_room", json_object_new_boolean(false));
	json_object_object_add(settings, "use_pmi", json_object_new_boolean(false));
	json_object_object_add(o, "settings", settings);
	return json_text(a, o);
}

static enum err call(const struct zoom_api *api, const struct wish *wish, const char *method,
		     const char *path, const char *body, struct zoom_answer *out)
{
	const struct zoom_call call = { method, path, body, wish->user };

	return zoom_api_call(api, &call, out);
}

static const char *meetings_path(struct arena *a, const struct wish *wish)
{
	return arena_printf(a, "/users/%s/meetings", zoom_api_escape(a, wish->user));
}

/* What came of asking. */
struct asked {
	struct zoom_answer answer;
	bool is_unusable; /* the meeting is there, but students cannot be sent to it */
};

/* Keeps the meeting that Zoom describes, if students may be sent there. */
static enum err keep(const struct zoom_api *api, const struct wish *wish, struct asked *asked,
		     struct zoom_created *out)
{
	struct json_object *meeting = asked->answer.body;
	int64_t id = zoom_json_meeting_id(meeting, "id");
	const char *args[] = { wish->request_id, id ? arena_int(api->arena, id) : NULL,
			       zoom_json_plain(meeting, "host_id", 128),
			       zoom_json_plain(meeting, "join_url", ZOOM_URL_MAX),
			       zoom_json_plain(meeting, "start_url", START_URL_MAX) };

	asked->is_unusable = !id || zoom_url_check(args[3], NULL);
	if (asked->is_unusable)
		return OK;
	if (args[4] && strncmp(args[4], "https://", 8) != 0)
		args[4] = NULL;
	out->join_url = args[3];
	out->start_url = args[4];
	db_deadline(api->db, DB_MS);
	return db_write(api->db, api->arena, SQL_KEEP, 5, args, NULL);
}

/* The meeting with the wish's topic among the user's, NULL if it is not there. */
static struct json_object *by_topic(const struct wish *wish, struct json_object *list)
{
	struct json_object *meetings = zoom_json_member(list, "meetings");

	for (size_t i = 0; json_object_is_type(meetings, json_type_array) &&
			   i < json_object_array_length(meetings);
	     i++) {
		struct json_object *m = json_object_array_get_idx(meetings, i);
		struct json_object *topic = zoom_json_member(m, "topic");

		if (json_object_is_type(topic, json_type_string) &&
		    !strcmp(json_object_get_string(topic), wish->topic))
			return m;
	}
	return NULL;
}

/* Looks for a meeting whose making was not answered. The list has no start links. */
static enum err look(const struct zoom_api *api, const struct wish *wish, struct asked *out,
		     struct zoom_created *made)
{
	const char *path = arena_printf(api->arena, "%s?type=upcoming&page_size=300",
					meetings_path(api->arena, wish));
	struct json_object *listed;
	int64_t id;
	enum err e = call(api, wish, "GET", path, NULL, &out->answer);

	if (e || out->answer.outcome != ZOOM_DONE)
		return e;
	listed = by_topic(wish, out->answer.body);
	id = zoom_json_meeting_id(listed, "id");
	out->is_unusable = listed && !id;
	if (!id)
		return OK;
	path = arena_printf(api->arena, "/meetings/%lld", (long long)id);
	e = call(api, wish, "GET", path, NULL, &out->answer);
	if (!e && out->answer.outcome == ZOOM_DONE)
		e = keep(api, wish, out, made);
	return e;
}

/* --- Making one --- */

static enum err refuse(const struct wish *wish, struct arena *a, const struct asked *asked,
		       struct why *why)
{
	const struct zoom_answer *answer = &asked->answer;
	static const char *const words[] = {
		[ZOOM_LIMITED] = "Zoom takes no more meetings for now." PASTE,
		[ZOOM_LOCKED] = "Zoom does not accept the academy's app: tell the admin." PASTE,
		[ZOOM_AWAY] = "Zoom does not answer: try again." PASTE,
		[ZOOM_UNKNOWN] = "Zoom does not answer: try again." PASTE,
	};

	/* No conflict: the page then asks for another meeting, where a repeat finds this one. */
	if (asked->is_unusable)
		return why_not(why, ERR_UNAVAILABLE, "zoom_url",
			       "Students cannot be sent to the meeting that Zoom made." PASTE);
	if (answer->outcome != ZOOM_REFUSED)
		return why_not(why, ERR_UNAVAILABLE, "zoom_url",
			       answer->outcome == ZOOM_DONE ? words[ZOOM_UNKNOWN]
							    : words[answer->outcome]);
	if (answer->code == USER_UNKNOWN)
		return why_not(why, ERR_CONFLICT, "zoom_url",
			       arena_printf(a, "Zoom knows nobody as %s." PASTE, wish->user));
	return why_not(why, ERR_CONFLICT, "zoom_url",
		       arena_printf(a, "Zoom made no meeting (code %lld)." PASTE,
				    (long long)answer->code));
}

/* Asks Zoom for the meeting; what may have been made all the same is looked for. */
static enum err make(const struct zoom_api *api, const struct wish *wish, struct asked *out,
		     struct zoom_created *made)
{
	enum err e = call(api, wish, "POST", meetings_path(api->arena, wish),
			  meeting_json(api->arena, wish), &out->answer);

	if (!e && out->answer.outcome == ZOOM_DONE)
		e = keep(api, wish, out, made);
	if (e || made->join_url)
		return e;
	if (out->answer.outcome == ZOOM_UNKNOWN || out->answer.outcome == ZOOM_DONE)
		return look(api, wish, out, made);
	return tell(api, wish, SQL_NOT_ASKED, NULL);
}

/* Holding the lease. */
static enum err pursue(const struct zoom_api *api, const struct wish *wish,
		       struct zoom_created *out, struct why *why)
{
	struct asked asked = { .answer.outcome = ZOOM_DONE };
	bool may_ask = true;
	enum err e = OK;

	if (wish->was_asked)
		e = look(api, wish, &asked, out);
	if (!e && !out->join_url && !asked.is_unusable && asked.answer.outcome == ZOOM_DONE) {
		e = tell(api, wish, SQL_ASK, &may_ask);
		if (!e && may_ask)
			e = make(api, wish, &asked, out);
		else
			asked.answer.outcome = ZOOM_LIMITED;
	}
	if (!e && (asked.answer.outcome == ZOOM_AWAY || asked.answer.outcome == ZOOM_UNKNOWN))
		e = zoom_api_pause(api, "", AWAY_PAUSE_S);
	if (e || out->join_url)
		return e;
	e = tell(api, wish, SQL_RELEASE, NULL);
	return e ? e : refuse(wish, api->arena, &asked, why);
}

static enum err already_used(struct why *why)
{
	return why_not(why, ERR_CONFLICT, "request_id", "It was used before with other content.");
}

/* Why nothing was written down: a session has the request, or there is no such student. */
static enum err no_wish(const struct zoom_api *api, const struct zoom_create_want *want,
			struct why *why)
{
	const char *args[] = { want->request_id };
	int64_t used = 0;
	struct db_rows r;
	enum err e = db_read(api->db, api->arena, SQL_IS_USED, 1, args, &r);

	if (!e)
		e = db_one_i64(&r, &used);
	if (e)
		return e;
	return used ? already_used(why)
		    : why_not(why, ERR_NOT_FOUND, "student_id", "You have no such student.");
}

static enum err want_it(const struct zoom_api *api, const struct zoom_create_want *want,
			struct wish *wish, struct why *why)
{
	const char *args[] = { want->request_id, arena_int(api->arena, want->teacher_id),
			       arena_int(api->arena, want->student_id) };
	enum err e = db_write(api->db, api->arena, SQL_WANT, 3, args, NULL);

	if (!e)
		e = find(api, want, wish);
	if (e == ERR_NOT_FOUND)
		return no_wish(api, want, why);
	return !e && !wish->is_own ? already_used(why) : e;
}

enum err zoom_create(const struct zoom_api *api, const struct zoom_create_want *want,
		     struct zoom_created *out, struct why *why)
{
	const struct timespec pause = { .tv_nsec = WAIT_MS * 1000000L };
	struct wish wish = { 0 };
	bool leased = false;
	enum err e;

	*out = (struct zoom_created){ 0 };
	if (!zoom_api_is_set(api->conf))
		return why_not(why, ERR_INVALID, "zoom_url", "Zoom is not connected." PASTE);
	e = want_it(api, want, &wish, why);
	while (!e && zoom_api_ms(api)) {
		if (wish.made.join_url) {
			*out = wish.made;
			return OK;
		}
		e = tell(api, &wish, SQL_LEASE, &leased);
		if (!e && leased)
			return pursue(api, &wish, out, why);
		nanosleep(&pause, NULL);
		if (!e)
			e = find(api, want, &wish);
	}
	return e ? e : why_not(why, ERR_UNAVAILABLE, "zoom_url", "Zoom does not answer." PASTE);
}
