#include <json-c/json.h>
#include <string.h>

#include "db_input.h"
#include "db_json.h"
#include "outbox.h"
#include "session.h"
#include "student.h"

/* The shape of a student, for admins. */
#define SELECT                                                                                     \
	"SELECT s.id, s.name, s.teacher_id, t.id AS \"teacher.id\", t.name AS \"teacher.name\","   \
	" s.package_id, s.language, s.telegram_chat_id, s.zoom_url, s.note,"                       \
	" s.disabled_at IS NOT NULL AS disabled, s.created_at"                                     \
	" FROM students s JOIN accounts t ON t.id = s.teacher_id"

#define NAMED(s) "($1::text IS NULL OR strpos(lower(" s ".name), lower($1)) > 0)"
#define ORDER(s) " ORDER BY lower(" s ".name), " s ".id LIMIT $2::bigint"

static const char SQL_LIST[] = SELECT
	" WHERE ($3::bigint IS NULL OR s.teacher_id = $3::bigint) AND " NAMED("s") ORDER("s");

static const char SQL_ONE[] = SELECT " WHERE s.id = $1::bigint";

/* Whom teacher $3 may send a class. */
#define IS_TAUGHT "(st.teacher_id = $3::bigint AND st.disabled_at IS NULL)"

/*
 * The class on a card is the one that runs, which nothing else shows its
 * teacher, else the newest. A class goes on when its student is given to
 * another teacher or disabled, so whoever gives it still sees it; not what has
 * since been written about the student. s is the session here, as
 * SESSION_DELIVERY wants it.
 */
static const char SQL_LIST_OWN[] =
	"WITH open AS MATERIALIZED ("
	" SELECT student_id, NULL::bigint AS runs FROM sessions"
	"  WHERE teacher_id = $3::bigint AND session_status = 'sent'"
	" UNION ALL SELECT student_id, id FROM sessions"
	"  WHERE teacher_id = $3::bigint AND session_status = 'active')"
	" SELECT st.id, st.name, st.package_id, st.language,"
	" CASE WHEN " IS_TAUGHT " THEN st.zoom_url ELSE l.zoom_url END AS zoom_url,"
	" st.telegram_chat_id IS NOT NULL AS telegram_linked,"
	" CASE WHEN " IS_TAUGHT " THEN st.note ELSE '' END AS note, " IS_TAUGHT " AS may_send,"
	" l.id AS \"last_session.id\", l.session_status AS \"last_session.session_status\","
	" l.sent_at AS \"last_session.sent_at\", l.clicked_at AS \"last_session.clicked_at\","
	" l.times_out_at AS \"last_session.times_out_at\","
	" l.session_ended_at AS \"last_session.session_ended_at\","
	" l.session_duration_minutes AS \"last_session.session_duration_minutes\","
	" l.duration_minutes AS \"last_session.duration_minutes\","
	" l.estimated AS \"last_session.estimated\","
	" l.attendance AS \"last_session.attendance\","
	" l.attendance_note AS \"last_session.attendance_note\","
	" l.delivery AS \"last_session.delivery\","
	" l.delivery_outcome AS \"last_session.delivery_outcome\","
	" l.delivery_detail AS \"last_session.delivery_detail\""
	" FROM students st LEFT JOIN LATERAL (SELECT s.*, " SESSION_DELIVERY
	" FROM sessions s WHERE s.id = coalesce("
	"  (SELECT max(runs) FROM open WHERE open.student_id = st.id),"
	"  (SELECT n.id FROM sessions n WHERE n.student_id = st.id AND n.teacher_id = $3::bigint"
	"   ORDER BY n.sent_at DESC, n.id DESC LIMIT 1))) l ON true"
	" WHERE (" IS_TAUGHT " OR st.id = ANY (ARRAY(SELECT student_id FROM open)))"
	" AND " NAMED("st") ORDER("st");

/*
 * Whether student $1 (null: a new one) may have teacher $2 and package $3: 1,
 * or 0 when it is disabled or retired; null when there is none. What the
 * student has already may stay.
 */
static const char SQL_MAY_HAVE[] =
	"SELECT (SELECT (t.disabled_at IS NULL OR EXISTS (SELECT FROM students s"
	" WHERE s.id = $1::bigint AND s.teacher_id = t.id))::integer FROM accounts t"
	" WHERE t.id = $2::bigint AND t.role = 'teacher'),"
	" (SELECT (p.retired_at IS NULL OR EXISTS (SELECT FROM students s"
	" WHERE s.id = $1::bigint AND s.package_id = p.id))::integer FROM packages p"
	" WHERE p.id = $3)";

static const char SQL_CREATE[] =
	"INSERT INTO students (name, teacher_id, package_id, language, telegram_chat_id, zoom_url,"
	" note, request_id, request_digest) VALUES ($1, $2::bigint, $3, coalesce($4, 'en'),"
	" nullif($5::bigint, 0), $6, coalesce($7, ''), $8::uuid, $9::bytea)"
	" ON CONFLICT (request_id) DO NOTHING RETURNING id";

static const char SQL_MADE[] =
	"SELECT id, request_digest = $2::bytea FROM students WHERE request_id = $1::uuid";

/* The link that is kept leads to the former teacher's room: who gets another teacher loses it. */
static const char SQL_CHANGE[] =
	"UPDATE students SET name = coalesce($2, name),"
	" teacher_id = coalesce($3::bigint, teacher_id),"
	" package_id = CASE WHEN $4::boolean THEN $5 ELSE package_id END,"
	" language = coalesce($6, language),"
	" telegram_chat_id = CASE WHEN $7::boolean THEN nullif($8::bigint, 0)"
	" ELSE telegram_chat_id END,"
	" zoom_url = CASE WHEN $9::boolean THEN $10"
	" WHEN teacher_id = coalesce($3::bigint, teacher_id) THEN zoom_url END,"
	" note = coalesce($11, note),"
	" disabled_at = CASE $12::boolean WHEN true THEN coalesce(disabled_at, clock_now())"
	" WHEN false THEN NULL ELSE disabled_at END"
	" WHERE id = $1::bigint";

static const struct db_field fields[] = {
	{ "students_language_check", "language", "It must be a language tag, such as en or am." },
	{ 0 },
};

static enum err list(struct db *db, struct arena *a, const char *sql, const struct listing *listing,
		     int64_t teacher_id, struct json_object **out)
{
	const char *args[] = { listing->q, listing_limit(a, listing),
			       teacher_id ? arena_int(a, teacher_id) : NULL };
	struct db_rows rows;
	enum err e = db_read(db, a, sql, 3, args, &rows);

	if (e)
		return e;
	*out = listing_json(listing, "students", &rows);
	return OK;
}

enum err student_list(struct db *db, struct arena *a, const struct listing *listing,
		      int64_t teacher_id, struct json_object **out)
{
	return list(db, a, SQL_LIST, listing, teacher_id, out);
}

enum err student_list_own(struct db *db, struct arena *a, const struct listing *listing,
			  int64_t teacher_id, struct json_object **out)
{
	return list(db, a, SQL_LIST_OWN, listing, teacher_id, out);
}

static enum err show(struct db *db, struct arena *a, int64_t id, struct json_object **out)
{
	const char *args[] = { arena_int(a, id) };
	struct db_rows rows;
	enum err e = db_read(db, a, SQL_ONE, 1, args, &rows);

	if (!e)
		e = db_one_json(&rows, out);
	return e;
}

/* Refuses a teacher or package that is wanted and cannot be had. */
static enum err check_choice(struct db *db, struct arena *a, const struct student_fields *want,
			     struct why *why)
{
	const char *args[] = { want->id ? arena_int(a, want->id) : NULL,
			       db_i64_or_null(a, want->teacher_id), want->package_id };
	struct db_rows rows;
	int64_t teacher, package;
	enum err e = db_read(db, a, SQL_MAY_HAVE, 3, args, &rows);

	if (e || !db_next(&rows))
		return e;
	teacher = db_i64_or(&rows, -1);
	package = db_i64_or(&rows, -1);
	if (want->teacher_id >= 0 && teacher < 0)
		return why_not(why, ERR_NOT_FOUND, "teacher_id", "There is no such teacher.");
	if (want->teacher_id >= 0 && !teacher)
		return why_not(why, ERR_CONFLICT, "teacher_id", "This teacher is disabled.");
	if (want->package_id && package < 0)
		return why_not(why, ERR_NOT_FOUND, "package_id", "There is no such package.");
	if (want->package_id && !package)
		return why_not(why, ERR_CONFLICT, "package_id", "This package is retired.");
	return db_end(&rows);
}

/* What a request asked for, so that a repeat can be told from a different wish. */
static const char *digest(struct arena *a, const struct student_fields *want)
{
	const char *package = want->package_id ? want->package_id : "";

	return db_digest(
		a, arena_printf(
			   a, "%zu%s\n%lld\n%zu%s\n%s\n%lld\n%s\n%s", strlen(want->name),
			   want->name, (long long)want->teacher_id, strlen(package), package,
			   want->language ? want->language : "", (long long)want->telegram_chat_id,
			   want->zoom_url ? want->zoom_url : "", want->note ? want->note : ""));
}

/* The student that the same request made before; 0: none yet. */
static enum err find_made(struct db *db, struct arena *a, const struct student_fields *want,
			  int64_t *id, struct why *why)
{
	const char *args[] = { want->request_id, digest(a, want) };
	struct db_rows rows;
	enum err e;

	*id = 0;
	if (!want->request_id)
		return OK;
	e = db_read(db, a, SQL_MADE, 2, args, &rows);
	if (e || !db_next(&rows))
		return e;
	*id = db_i64(&rows);
	if (!db_bool(&rows))
		return why_not(why, ERR_CONFLICT, "request_id",
			       "It was used before with other content.");
	return db_end(&rows);
}

/* *id stays 0 where the same request has made it meanwhile. */
static enum err insert(struct db *db, struct arena *a, const struct student_fields *want,
		       int64_t *id, struct why *why)
{
	const char *args[] = { want->name,
			       arena_int(a, want->teacher_id),
			       want->package_id,
			       want->language,
			       arena_int(a, want->telegram_chat_id),
			       want->zoom_url,
			       want->note,
			       want->request_id,
			       want->request_id ? digest(a, want) : NULL };
	struct db_rows rows;
	enum err e = db_write(db, a, SQL_CREATE, 9, args, &rows);

	if (e)
		return db_why(db, e, fields, why);
	if (!db_next(&rows))
		return OK;
	*id = db_i64(&rows);
	return db_end(&rows);
}

enum err student_create(struct db *db, struct arena *a, const struct student_fields *want,
			struct json_object **out, struct why *why)
{
	int64_t id;
	enum err e = find_made(db, a, want, &id, why);

	if (!e && !id)
		e = check_choice(db, a, want, why);
	if (!e && !id)
		e = insert(db, a, want, &id, why);
	if (!e && !id)
		e = find_made(db, a, want, &id, why);
	return e ? e : show(db, a, id, out);
}

static enum err change(struct db *db, struct arena *a, const struct student_fields *want,
		       struct json_object **out, struct why *why)
{
	const char *args[] = {
		arena_int(a, want->id),
		want->name,
		db_i64_or_null(a, want->teacher_id),
		want->set_package ? "true" : "false",
		want->package_id,
		want->language,
		want->set_chat ? "true" : "false",
		arena_int(a, want->telegram_chat_id),
		want->set_zoom_url ? "true" : "false",
		want->zoom_url,
		want->note,
		want->disabled,
	};
	enum err e = check_choice(db, a, want, why);

	if (e)
		return e;
	e = db_write(db, a, SQL_CHANGE, 12, args, NULL);
	if (e)
		return db_why(db, e, fields, why);
	e = outbox_settle(db, a, want->id);
	if (!e)
		e = show(db, a, want->id, out);
	return e == ERR_NOT_FOUND ? why_not(why, e, "id", "There is no such student.") : e;
}

enum err student_change(struct db *db, struct arena *a, const struct student_fields *want,
			struct json_object **out, struct why *why)
{
	enum err e = db_begin(db);

	*out = NULL;
	return e ? e : db_finish_json(db, change(db, a, want, out, why), out);
}
