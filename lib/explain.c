#include <string.h>

#include "explain.h"

/* A moment as people read it here; the day is told when it is not the day of sending. */
#define LOCAL(column)                                                                              \
	"to_char(" column " AT TIME ZONE z.time_zone, CASE WHEN academy_day(" column               \
	") = academy_day(s.sent_at) THEN 'HH24:MI' ELSE 'YYYY-MM-DD HH24:MI' END)"

static const char SQL[] =
	"SELECT s.session_status, " LOCAL("s.sent_at") ", " LOCAL("s.clicked_at") ", " LOCAL(
		"s.session_ended_at") ", " LOCAL("s.times_out_at") ", s.session_duration_minutes,"
								   " s.ended_by, s.estimated, "
								   "s.corrected, s.link_hours, "
								   "s.duration_minutes, "
								   "s.buffer_minutes,"
								   " EXISTS (SELECT FROM "
								   "session_events e WHERE "
								   "e.session_id = s.id AND e.kind "
								   "= 'reopened')"
								   " FROM sessions s CROSS JOIN "
								   "academy z WHERE s.id = "
								   "$1::bigint";

struct facts {
	const char *status, *sent, *clicked, *ended, *times_out, *ended_by;
	int64_t minutes, link_hours, duration, buffer;
	bool estimated, corrected, reopened;
};

static enum err read_facts(struct db *db, struct arena *a, int64_t id, struct facts *f)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows r;
	enum err e = db_read(db, a, SQL, 1, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	f->status = db_str(&r);
	f->sent = db_str(&r);
	f->clicked = db_str(&r);
	f->ended = db_str(&r);
	f->times_out = db_str(&r);
	f->minutes = db_i64_or(&r, 0);
	f->ended_by = db_str(&r);
	f->estimated = db_bool(&r);
	f->corrected = db_bool(&r);
	f->link_hours = db_i64(&r);
	f->duration = db_i64(&r);
	f->buffer = db_i64(&r);
	f->reopened = db_bool(&r);
	return db_end(&r);
}

static const char *ender(const char *ended_by)
{
	static const struct {
		const char *ended_by, *words;
	} enders[] = {
		{ "admin", "by an admin" },
		{ "zoom", "by Zoom" },
		{ "teacher_left", "when the teacher left" },
		{ "teacher", "by the teacher" },
	};

	for (size_t i = 0; ended_by && i < sizeof enders / sizeof *enders; i++)
		if (!strcmp(enders[i].ended_by, ended_by))
			return enders[i].words;
	return "";
}

static const char *timed_out(struct arena *a, const struct facts *f)
{
	const char *limit = f->reopened
				    ? "as reopened"
				    : arena_printf(a, "%lld + %lld minutes", (long long)f->duration,
						   (long long)f->buffer);

	return arena_printf(a, "%lld min%s: opened %s by the student, %s, timed out %s (%s).",
			    (long long)f->minutes, f->estimated ? ", estimated" : "", f->clicked,
			    f->estimated ? "no end was seen" : "Zoom shows it still ran",
			    f->times_out, limit);
}

static const char *sentence(struct arena *a, const struct facts *f)
{
	if (!strcmp(f->status, "sent"))
		return arena_printf(a, "Sent %s, nobody has opened it yet.", f->sent);
	if (!strcmp(f->status, "missed"))
		return arena_printf(a, "Sent %s, nobody opened it within %lld hours.", f->sent,
				    (long long)f->link_hours);
	if (!strcmp(f->status, "cancelled"))
		return arena_printf(a, "Sent %s, cancelled.", f->sent);
	if (!strcmp(f->status, "active"))
		return arena_printf(a, "Running: opened %s by the student, times out %s.",
				    f->clicked, f->times_out);
	if (!strcmp(f->status, "timeout"))
		return timed_out(a, f);
	return arena_printf(a, "%lld min: opened %s by the student, ended %s %s%s.",
			    (long long)f->minutes, f->clicked, f->ended, ender(f->ended_by),
			    f->corrected ? " (corrected)" : "");
}

enum err explain(struct db *db, struct arena *a, int64_t session_id, const char **out)
{
	struct facts f;
	enum err e = read_facts(db, a, session_id, &f);

	if (!e)
		*out = sentence(a, &f);
	return e;
}
