#include <string.h>

#include "cursor_rows.h"
#include "decide.h"
#include "params.h"
#include "session_filter.h"

/* Source: design, HTTP contract. */
#define LIMIT_DEFAULT 50
#define LIMIT_MAX     200

#define NAME_BYTES_MAX 400
#define DAYS_MAX       366

static const char *const formats[] = { "json", "csv", NULL };

static void read_days(struct params *p, struct session_filter *f)
{
	const char *date = params_day_or_null(p, "date");

	f->from = params_day_or_null(p, "from");
	f->to = params_day_or_null(p, "to");
	f->days = params_i64_or(p, "days", 1, DAYS_MAX, 0);
	if (date && (f->from || f->to))
		params_refuse(p, "date", "Give date, or from and to, not both.");
	if (f->days && (date || f->from || f->to))
		params_refuse(p, "days", "Give days, or which, not both.");
	if (f->from && f->to && strcmp(f->from, f->to) > 0)
		params_refuse(p, "from", "The first day lies after the last one.");
	if (date)
		f->from = f->to = date;
}

enum err session_page_read(struct req *req, enum page_of whose, struct session_page *out,
			   bool *as_csv)
{
	struct session_filter *f = &out->filter;
	struct params p;

	*out = (struct session_page){ 0 };
	params_open(&p, req);
	read_days(&p, f);
	f->status = params_word_or_null(&p, "status", status_names);
	f->student_id = params_i64_or(&p, "student_id", 1, INT64_MAX - 1, 0);
	f->package_id = params_str_or(&p, "package_id", 1, NAME_BYTES_MAX, NULL);
	f->q = params_str_or(&p, "q", 0, NAME_BYTES_MAX, NULL);
	out->limit = params_i64_or(&p, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT);
	out->has_cursor = cursor_param(&p, &out->cursor);
	if (whose == PAGE_OF_ADMIN) {
		const char *format = params_word_or_null(&p, "format", formats);

		f->teacher_id = params_i64_or(&p, "teacher_id", 1, INT64_MAX - 1, 0);
		*as_csv = format && !strcmp(format, "csv");
	}
	return params_close(&p);
}
