#include <string.h>

#include "evidence.h"
#include "explain.h"

/* Whether some evidence of that kind (and field) speaks of a moment. */
#define TELLS(condition, column)                                                                   \
	"EXISTS (SELECT FROM session_events e WHERE e.session_id = s.id AND e.happened_at "        \
	"= " column " AND " condition ")"

/*
 * A moment as people read it here; the day is told when it is not the day of
 * sending, seconds where $4 says so.
 */
#define LOCAL(column)                                                                              \
	"to_char(" column " AT TIME ZONE z.time_zone, CASE WHEN academy_day(" column               \
	") = academy_day(s.sent_at) THEN '' ELSE 'YYYY-MM-DD ' END ||"                             \
	" CASE WHEN $4::boolean THEN 'HH24:MI:SS' ELSE 'HH24:MI' END)"

static const char SQL_SPAN[] =
	"SELECT us(clicked_at), us(session_ended_at), estimated FROM sessions"
	" WHERE id = $1::bigint AND teacher_seconds IS NOT NULL";

/* clang-format off */
static const char SQL_FACTS[] =
	"SELECT CASE WHEN " TELLS("e.kind = 'clicked'", "s.clicked_at") " THEN NULL"
	"  WHEN s.corrected AND " TELLS("e.detail->>'field' = 'clicked_at'", "s.clicked_at") " THEN 'corrected'"
	"  WHEN " TELLS("e.kind = 'reopened'", "s.clicked_at") " THEN 'reopened' END AS began_by,"
	" at_us($2::bigint) AS together_from, at_us($3::bigint) AS together_to,"
	" s.corrected AND " TELLS("e.detail->>'field' = 'session_ended_at'", "s.session_ended_at")
	"  AS end_corrected,"
	" EXISTS (SELECT FROM session_events e WHERE e.session_id = s.id AND e.kind = 'reopened') AS reopened,"
	" CASE WHEN s.session_status = 'cancelled' THEN coalesce((SELECT"
	"   CASE e.source WHEN 'admin' THEN 'admin' ELSE 'teacher' END FROM session_events e"
	"   WHERE e.session_id = s.id AND e.kind = 'cancelled' ORDER BY e.id DESC LIMIT 1), 'newer_link')"
	"  END AS withdrawn_by,"
	" s.link_hours, s.duration_minutes, s.buffer_minutes,"
	" coalesce(extract(epoch FROM date_trunc('minute', s.session_ended_at)"
	"  - date_trunc('minute', s.clicked_at)) / 60 <> s.session_duration_minutes, false) AS with_seconds,"
	" s.corrected"
	" FROM sessions s WHERE s.id = $1::bigint";

static const char SQL_SESSION[] =
	"SELECT s.session_status, " LOCAL("s.sent_at") ", " LOCAL("s.clicked_at") ", "
	LOCAL("s.session_ended_at") ", " LOCAL("s.times_out_at") ", "
	LOCAL("at_us($2::bigint)") ", " LOCAL("at_us($3::bigint)") ","
	" s.session_duration_minutes, s.ended_by, s.estimated, s.teacher_seconds IS NOT NULL, s.both_seconds"
	" FROM sessions s CROSS JOIN academy z WHERE s.id = $1::bigint";
/* clang-format on */

struct facts {
	const char *status, *sent, *clicked, *ended, *times_out, *ended_by;
	const char *together, *apart; /* from when to when both were there; see explain.h */
	const char *began_by, *withdrawn_by;
	const char *with_seconds; /* as SQL takes it */
	int64_t minutes, link_hours, duration, buffer, both_s;
	bool estimated, reopened, presence_known, end_corrected;
};

/* From when to when both were there, as arguments of SQL; NULL when never, or with no known end. */
static enum err read_together(struct db *db, struct arena *a, int64_t id, const char **from,
			      const char **to)
{
	const char *args[] = { arena_int(a, id) };
	int64_t clicked, ended, first, last;
	struct evidence *events;
	struct db_rows r;
	bool estimated;
	size_t n;
	enum err e = db_read(db, a, SQL_SPAN, 1, args, &r);

	if (e || !db_next(&r))
		return e;
	clicked = db_i64(&r);
	ended = db_i64(&r);
	estimated = db_bool(&r);
	e = evidence_read(db, a, id, &events, &n);
	if (!e && presence_together(a, events, n, clicked, ended, &first, &last)) {
		*from = arena_int(a, first);
		*to = estimated && last == ended ? NULL : arena_int(a, last);
	}
	return e;
}

/* The rest of *f is read by read_session(). */
static enum err read_facts(struct db *db, struct arena *a, int n, const char *const *args,
			   struct db_rows *r, struct facts *f)
{
	enum err e = db_read(db, a, SQL_FACTS, n, args, r);

	if (e)
		return e;
	if (!db_next(r))
		return ERR_NOT_FOUND;
	f->began_by = db_str(r);
	db_str(r); /* together_from and together_to: read_session() has them as people read them */
	db_str(r);
	f->end_corrected = db_bool(r);
	f->reopened = db_bool(r);
	f->withdrawn_by = db_str(r);
	f->link_hours = db_i64(r);
	f->duration = db_i64(r);
	f->buffer = db_i64(r);
	f->with_seconds = db_str(r);
	db_str(r); /* corrected, which the sentence does not tell */
	return db_end(r);
}

static enum err read_session(struct db *db, struct arena *a, int n, const char *const *args,
			     struct facts *f)
{
	struct db_rows r;
	enum err e = db_read(db, a, SQL_SESSION, n, args, &r);

	if (e)
		return e;
	if (!db_next(&r))
		return ERR_NOT_FOUND;
	f->status = db_str(&r);
	f->sent = db_str(&r);
	f->clicked = db_str(&r);
	f->ended = db_str(&r);
	f->times_out = db_str(&r);
	f->together = db_str(&r);
	f->apart = db_str(&r);
	f->minutes = db_i64_or(&r, 0);
	f->ended_by = db_str(&r);
	f->estimated = db_bool(&r);
	f->presence_known = db_bool(&r);
	f->both_s = db_i64_or(&r, 0);
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

/* ", both present 10:03 to 10:50", with the time that they were when it has gaps. */
static const char *presence(struct arena *a, const struct facts *f)
{
	if (!f->presence_known)
		return "";
	if (!f->together)
		return ", never both present";
	if (!f->apart)
		return arena_printf(a, ", both present from %s", f->together);
	return arena_printf(a, ", both present %s to %s (%lld min)", f->together, f->apart,
			    (long long)((f->both_s + 30) / 60));
}

/* "opened 10:02 by the student", or by whose word it began. */
static const char *start(struct arena *a, const struct facts *f)
{
	if (!f->began_by)
		return arena_printf(a, "opened %s by the student", f->clicked);
	return arena_printf(a, "began %s by an admin (%s)", f->clicked, f->began_by);
}

static const char *timed_out(struct arena *a, const struct facts *f)
{
	const char *limit = f->reopened
				    ? "as reopened"
				    : arena_printf(a, "%lld + %lld minutes", (long long)f->duration,
						   (long long)f->buffer);

	return arena_printf(a, "%lld min%s: %s%s, %s, timed out %s (%s).", (long long)f->minutes,
			    f->estimated ? ", estimated" : "", start(a, f), presence(a, f),
			    f->estimated ? "no end was seen" : "Zoom shows it still ran",
			    f->times_out, limit);
}

static const char *cancelled(struct arena *a, const struct facts *f)
{
	if (!strcmp(f->withdrawn_by, "newer_link"))
		return arena_printf(
			a, "Sent %s, replaced by a newer link before anybody opened it.", f->sent);
	return arena_printf(a, "Sent %s, cancelled by %s.", f->sent,
			    !strcmp(f->withdrawn_by, "admin") ? "an admin" : "the teacher");
}

static const char *sentence(struct arena *a, const struct facts *f)
{
	if (!strcmp(f->status, "sent"))
		return arena_printf(a, "Sent %s, nobody has opened it yet.", f->sent);
	if (!strcmp(f->status, "missed"))
		return arena_printf(a, "Sent %s, nobody opened it within %lld hours.", f->sent,
				    (long long)f->link_hours);
	if (!strcmp(f->status, "cancelled"))
		return cancelled(a, f);
	if (!strcmp(f->status, "active"))
		return arena_printf(a, "Running: %s, times out %s.", start(a, f), f->times_out);
	if (!strcmp(f->status, "timeout"))
		return timed_out(a, f);
	return arena_printf(a, "%lld min: %s%s, ended %s %s%s.", (long long)f->minutes, start(a, f),
			    presence(a, f), f->ended, ender(f->ended_by),
			    f->end_corrected ? " (corrected)" : "");
}

enum err explain(struct db *db, struct arena *a, int64_t session_id, struct explanation *out)
{
	const char *args[] = { arena_int(a, session_id), NULL, NULL, NULL };
	struct facts f;
	enum err e = read_together(db, a, session_id, &args[1], &args[2]);

	if (!e)
		e = read_facts(db, a, 3, args, &out->facts, &f);
	if (e)
		return e;
	args[3] = f.with_seconds;
	e = read_session(db, a, 4, args, &f);
	if (!e)
		out->sentence = sentence(a, &f);
	return e;
}
