#include <json-c/json.h>

#include "cursor_rows.h"
#include "delivery.h"

static const char SQL_LIST[] =
	"SELECT d.id, d.happened_at, d.state, d.outcome, d.status, d.detail, d.attempt,"
	" m.id AS \"message.id\", m.kind AS \"message.kind\", m.state AS \"message.state\","
	" m.next_at AS \"message.next_at\", m.session_id, st.id AS \"student.id\","
	" st.name AS \"student.name\", t.id AS \"teacher.id\", t.name AS \"teacher.name\","
	" us(d.happened_at)::text AS _at"
	" FROM deliveries d JOIN messages m ON m.id = d.message_id"
	" LEFT JOIN sessions s ON s.id = m.session_id"
	" LEFT JOIN students st ON st.id = coalesce(s.student_id, m.student_id)"
	" LEFT JOIN accounts t ON t.id = s.teacher_id"
	" WHERE ($1::bigint IS NULL OR m.session_id = $1::bigint)"
	" AND ($2::bigint IS NULL OR st.id = $2::bigint) AND ($3::text IS NULL OR d.state = $3)"
	" AND ($4::bigint IS NULL OR (d.happened_at, d.id) < (at_us($4::bigint), $5::bigint))"
	" ORDER BY d.happened_at DESC, d.id DESC LIMIT $6::bigint + 1";

enum err delivery_list(struct db *db, struct arena *a, const struct keys *keys,
		       const struct delivery_filter *filter, int64_t limit,
		       const struct cursor *after, struct json_object **out)
{
	const char *args[] = { filter->session_id ? arena_int(a, filter->session_id) : NULL,
			       filter->student_id ? arena_int(a, filter->student_id) : NULL,
			       filter->state,
			       after ? arena_int(a, after->us) : NULL,
			       after ? arena_int(a, after->id) : NULL,
			       arena_int(a, limit) };
	struct json_object *rows;
	struct db_rows r;
	const char *next;
	enum err e = db_read(db, a, SQL_LIST, 6, args, &r);

	if (e)
		return e;
	rows = cursor_rows_json(a, keys, &r, limit, &next);
	*out = json_object_new_object();
	json_object_object_add(*out, "deliveries", rows);
	json_object_object_add(*out, "next_cursor", next ? json_object_new_string(next) : NULL);
	return OK;
}
