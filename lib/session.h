#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "keys.h"

struct json_object;

/*
 * One class of one teacher and one student. This module sends it and shows it;
 * lib/evidence.h decides its row, lib/session_action.h is what people do to it.
 */

/* What every answer shows of a session, and the tables it comes from. Needs no further alias than
 * s, t, st. */
#define SESSION_COLUMNS                                                                            \
	"s.id, t.id AS \"teacher.id\", t.name AS \"teacher.name\", st.id AS \"student.id\","       \
	" st.name AS \"student.name\", s.package_id, s.package_rate, s.currency,"                  \
	" s.session_status, s.sent_at, s.clicked_at, s.times_out_at, s.session_ended_at,"          \
	" s.session_duration_minutes, s.ended_by, s.estimated, " SESSION_PROVISIONAL               \
	" AS provisional, s.attendance, s.attendance_note, " SESSION_PRESENCE                      \
	", " SESSION_DELIVERY
#define SESSION_TABLES " sessions s" SESSION_PEOPLE
#define SESSION_PEOPLE                                                                             \
	" JOIN accounts t ON t.id = s.teacher_id JOIN students st ON st.id = s.student_id "

/*
 * Ended, but Zoom may still know better: a meeting that starts again goes on
 * with the class until its deadline, and what happened by then is told for 85
 * minutes more, first by a minute and a half late. No end by an admin changes.
 * Source: facts of Zoom, 3 and 4.
 */
#define SESSION_PROVISIONAL                                                                        \
	"(s.session_status IN ('ended', 'timeout') AND s.zoom_seen"                                \
	" AND s.ended_by IS DISTINCT FROM 'admin'"                                                 \
	" AND clock_now() < s.times_out_at + interval '87 minutes')"

/* Unknown is null, not zero. */
#define SESSION_PRESENCE                                                                           \
	"round(s.teacher_seconds / 60.0)::integer AS \"presence.teacher_minutes\","                \
	" round(s.student_seconds / 60.0)::integer AS \"presence.student_minutes\","               \
	" round(s.both_seconds / 60.0)::integer AS \"presence.both_minutes\""

/*
 * What became of the message with the link; none without a chat or a bot. Why,
 * where a teacher can do something about it: as a word of lib/telegram.h, and
 * in words.
 */
#define SESSION_DELIVERY                                                                           \
	"coalesce((SELECT CASE m.state WHEN 'sending' THEN 'queued' WHEN 'dropped' THEN 'none'"    \
	"  ELSE m.state END FROM messages m WHERE m.session_id = s.id AND m.kind = 'join_link'),"  \
	" 'none') AS delivery, (SELECT m.outcome FROM messages m WHERE m.session_id = s.id"        \
	"  AND m.kind = 'join_link' AND m.detail IS NOT NULL) AS delivery_outcome,"                \
	" (SELECT m.detail FROM messages m WHERE m.session_id = s.id"                              \
	"  AND m.kind = 'join_link') AS delivery_detail"

/* A teacher's wish to send a class. request_id makes it safe to repeat. */
struct session_want {
	int64_t teacher_id;
	int64_t student_id;
	const char *zoom_url;
	const char *start_url; /* of a meeting made for this class (lib/zoom_create.h), else NULL */
	bool is_made;	       /* zoom_url was made for this class, nobody pasted it */
	const char *request_id;
	bool by_telegram; /* a bot is configured: the link goes to the student's chat */
};

/*
 * Sends a class: makes the session, its evidence and the message with its link
 * (lib/outbox_send.h sends that), and supersedes links to the same student
 * that nobody has opened. Repeated with the same content it
 * changes nothing. *id is the session.
 *
 * ERR_NOT_FOUND  no such student of this teacher
 * ERR_INVALID    the Zoom link is not one we send people to
 * ERR_CONFLICT   the request_id was used for something else
 * ERR_IN_DOUBT   repeat with the same request_id
 */
MUST_CHECK enum err session_send(struct db *db, struct arena *a, const struct session_want *want,
				 int64_t *id, struct why *why);

/* Session id as every answer shows it. The caller owns *out. ERR_NOT_FOUND: no such session. */
MUST_CHECK enum err session_json(struct db *db, struct arena *a, int64_t id,
				 struct json_object **out);

/* The links of a session. Strings belong to the arena. */
struct session_links {
	const char *join_url;  /* the student's */
	const char *start_url; /* what the teacher opens: Zoom's start link, while it is surely
				  good, else the join link, where Zoom knows its host */
	const char *leave_url; /* the teacher's "End class" */
};

/* ERR_NOT_FOUND: no such session. */
MUST_CHECK enum err session_links(struct db *db, struct arena *a, const struct conf *conf,
				  const struct keys *keys, int64_t id, struct session_links *out);

#endif
