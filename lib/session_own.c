#include <string.h>

#include "evidence.h"
#include "session_own.h"
#include "zoom_url.h"

static const char SQL_CHANGE_URL[] =
	"UPDATE sessions SET zoom_url = $2, meeting_id = $3::bigint, start_url = NULL"
	" WHERE id = $1::bigint";

/* What session_send() remembers too: not in place of a meeting that was made for this class. */
static const char SQL_REMEMBER_URL[] =
	"UPDATE students st SET zoom_url = $2 FROM sessions s WHERE s.id = $1::bigint"
	" AND s.teacher_id = $3::bigint AND st.id = s.student_id AND st.teacher_id = s.teacher_id"
	" AND st.zoom_url IS DISTINCT FROM $2 AND NOT EXISTS (SELECT FROM zoom_creates c"
	"  WHERE c.request_id = s.request_id AND (c.meeting_id = s.meeting_id"
	"   OR EXISTS (SELECT FROM session_events e WHERE e.session_id = s.id"
	"    AND e.kind = 'zoom_url' AND e.detail->>'was' = c.meeting_id::text)))";

static const char SQL_ATTENDANCE[] =
	"UPDATE sessions SET attendance = $2, attendance_note = coalesce($3, attendance_note)"
	" WHERE id = $1::bigint AND (attendance, attendance_note)"
	" IS DISTINCT FROM ($2, coalesce($3, attendance_note))";

/* Locks one of the teacher's sessions. */
static enum err lock_own(struct db *db, struct arena *a, int64_t session_id, int64_t teacher_id,
			 struct session_row *row, struct why *why)
{
	enum err e = session_lock(db, a, session_id, row);

	if (!e && row->teacher_id != teacher_id)
		e = ERR_NOT_FOUND;
	return e == ERR_NOT_FOUND ? session_none(why) : e;
}

static enum err change_url_locked(struct db *db, struct arena *a, int64_t session_id,
				  int64_t teacher_id, const char *zoom_url, int64_t meeting_id,
				  struct why *why)
{
	const char *args[] = { arena_int(a, session_id), zoom_url,
			       meeting_id ? arena_int(a, meeting_id) : NULL };
	struct observation seen = { .kind = "zoom_url",
				    .happened_us = HAPPENED_NOW,
				    .source = SOURCE_TEACHER,
				    .account_id = teacher_id };
	const char *remember[] = { args[0], zoom_url, arena_int(a, teacher_id) };
	struct session_row row;
	struct zoom_url was;
	/* The student first, as who sends locks them; a refusal takes it back. */
	enum err e = db_write(db, a, SQL_REMEMBER_URL, 3, remember, NULL);

	if (!e)
		e = lock_own(db, a, session_id, teacher_id, &row, why);
	if (e)
		return e;
	/* What Zoom tells of the meeting before is still this class's: lib/zoom_meeting.h. */
	if (!zoom_url_parse(row.zoom_url, &was, NULL) && was.meeting_id)
		seen.detail = arena_printf(a, "{\"was\":%lld}", (long long)was.meeting_id);
	if (row.decided.status != STATUS_SENT && row.decided.status != STATUS_ACTIVE)
		return why_not(
			why, ERR_CONFLICT, "action",
			arena_printf(a, "This class is %s: it cannot be given another Zoom link.",
				     status_name(row.decided.status)));
	if (!strcmp(row.zoom_url, zoom_url))
		return OK;
	e = db_write(db, a, SQL_CHANGE_URL, 3, args, NULL);
	return e ? e : evidence_add(db, a, session_id, &seen, NULL);
}

enum err session_change_url(struct db *db, struct arena *a, int64_t session_id, int64_t teacher_id,
			    const char *zoom_url, struct why *why)
{
	struct zoom_url url;
	enum err e = zoom_url_parse(zoom_url, &url, why);

	if (!e)
		e = db_begin(db);
	return e ? e
		 : db_finish(db, change_url_locked(db, a, session_id, teacher_id, zoom_url,
						   url.meeting_id, why));
}

static enum err attendance_locked(struct db *db, struct arena *a, int64_t session_id,
				  int64_t teacher_id, const char *attendance, const char *note,
				  struct why *why)
{
	const char *args[] = { arena_int(a, session_id), attendance, note };
	const struct observation seen = { .kind = "attendance",
					  .happened_us = HAPPENED_NOW,
					  .source = SOURCE_TEACHER,
					  .account_id = teacher_id,
					  .detail = arena_printf(a, "{\"attendance\":\"%s\"}",
								 attendance) };
	struct session_row row;
	struct db_rows r;
	enum err e = lock_own(db, a, session_id, teacher_id, &row, why);

	if (!e)
		e = db_write(db, a, SQL_ATTENDANCE, 3, args, &r);
	return e || !db_affected(&r) ? e : evidence_add(db, a, session_id, &seen, NULL);
}

enum err session_attendance(struct db *db, struct arena *a, int64_t session_id, int64_t teacher_id,
			    const char *attendance, const char *note, struct why *why)
{
	enum err e = db_begin(db);

	return e ? e
		 : db_finish(db, attendance_locked(db, a, session_id, teacher_id, attendance, note,
						   why));
}
