#ifndef TRENDS_H
#define TRENDS_H

#include "csv.h"
#include "db.h"

struct json_object;

/*
 * What happened in a range of days, and what pay is made from.
 *
 *   a session counts on  academy_day() of its clicked_at, else of its sent_at
 *   classes              those that were opened: active, ended, timeout
 *   minutes              sum of session_duration_minutes
 *   timeouts, missed     sessions in that state; missed ones are no classes
 *   hours                classes by the academy's weekday and hour of clicked_at
 *   pay                  ended and timeout only, by the month of that day, teacher and
 *                        currency; estimated_minutes are those of the estimated among them,
 *                        without_rate counts classes that sum_rate knows nothing of
 *
 * A range that begins or ends inside a month holds that part of its pay, as it does of a month that
 * is not over.
 */
#define TRENDS_DAYS_DEFAULT 30
#define TRENDS_DAYS_MAX	    400
/* Rows of an answer's teachers and pay at most; "more" says that there are others. */
#define TRENDS_ROWS_MAX 2000

/* Academy days, inclusive, YYYY-MM-DD. */
struct trends_range {
	const char *from, *to;
};

/*
 * Says which days are meant where range has NULL: to is today, from TRENDS_DAYS_DEFAULT days of it.
 *
 * ERR_INVALID  naming from: after to, or more than TRENDS_DAYS_MAX days
 */
MUST_CHECK enum err trends_days(struct db *db, struct arena *a, struct trends_range *range,
				struct why *why);

/*
 * {"from", "to", "time_zone", "days", "teachers", "hours", "pay", "more"}; days has every day of
 * the range, which trends_days() has made, the other lists what there was. The caller owns *out.
 */
MUST_CHECK enum err trends(struct db *db, struct arena *a, const struct trends_range *range,
			   struct json_object **out);

/*
 * The pay table as CSV (RFC 4180, UTF-8 with BOM), all of it; beside the month stand the first and
 * the last day of it that the sums are of.
 */
MUST_CHECK enum err trends_csv(struct db *db, struct arena *a, const struct trends_range *range,
			       csv_sink *sink, void *to);

#endif
