#include <inttypes.h>

#include "when.h"

#define US_PER_S   INT64_C(1000000)
#define S_PER_DAY  INT64_C(86400)
#define YEAR_FIRST 1970

struct date {
	int year, month, day;
};

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to January 1 of year, a year from 1970 on. */
static int days_before(int year)
{
	int y = year - 1;

	return 365 * (year - YEAR_FIRST) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static int days_since_1970(const struct date *date)
{
	int days = days_before(date->year) + date->day - 1;

	for (int month = 1; month < date->month; month++)
		days += days_of(date->year, month);
	return days;
}

static struct date date_of(int days)
{
	struct date date = { .year = YEAR_FIRST + days / 366, .month = 1 };

	while (days_before(date.year + 1) <= days)
		date.year++;
	days -= days_before(date.year);
	for (; days >= days_of(date.year, date.month); date.month++)
		days -= days_of(date.year, date.month);
	date.day = days + 1;
	return date;
}

const char *when_text(struct arena *a, int64_t moment_us)
{
	int64_t s = moment_us / US_PER_S, us = moment_us % US_PER_S;
	struct date date;
	const char *text;
	int in_day;

	if (moment_us < 0 || moment_us > WHEN_MAX_US)
		return NULL;
	date = date_of((int)(s / S_PER_DAY));
	in_day = (int)(s % S_PER_DAY);
	text = arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d", date.year, date.month, date.day,
			    in_day / 3600, in_day / 60 % 60, in_day % 60);
	if (us)
		return arena_printf(a, "%s.%06" PRId64 "Z", text, us);
	return arena_printf(a, "%sZ", text);
}

/* Reads n digits at *at into *out, then the character after if there is to be one. */
static bool number(const char **at, int n, char after, int *out)
{
	for (*out = 0; n > 0; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*out = *out * 10 + (**at - '0');
	}
	return !after || *(*at)++ == after;
}

/* Reads YYYY-MM-DD and the character after, a day of the calendar. */
static bool read_date(const char **at, char after, struct date *out)
{
	return number(at, 4, '-', &out->year) && number(at, 2, '-', &out->month) &&
	       number(at, 2, after, &out->day) && out->year >= 1 && out->month >= 1 &&
	       out->month <= 12 && out->day >= 1 && out->day <= days_of(out->year, out->month);
}

/* Reads the decimals behind a point as microseconds; none is 0. */
static bool read_fraction(const char **at, int64_t *us)
{
	int64_t unit = US_PER_S;

	*us = 0;
	if (**at != '.')
		return true;
	for ((*at)++; **at >= '0' && **at <= '9' && unit > 1; (*at)++) {
		unit /= 10;
		*us += (**at - '0') * unit;
	}
	return unit < US_PER_S;
}

enum err when_parse(const char *text, int64_t *out)
{
	struct date date;
	int hour, minute, second, in_day;
	int64_t us;

	*out = 0;
	if (!text || !read_date(&text, 'T', &date) || date.year < YEAR_FIRST)
		return ERR_INVALID;
	if (!number(&text, 2, ':', &hour) || !number(&text, 2, ':', &minute) ||
	    !number(&text, 2, '\0', &second) || hour > 23 || minute > 59 || second > 59)
		return ERR_INVALID;
	if (!read_fraction(&text, &us) || text[0] != 'Z' || text[1] != '\0')
		return ERR_INVALID;
	in_day = hour * 3600 + minute * 60 + second;
	*out = (days_since_1970(&date) * S_PER_DAY + in_day) * US_PER_S + us;
	return OK;
}

bool when_is_date(const char *text)
{
	struct date date;

	return text && read_date(&text, '\0', &date) && *text == '\0';
}
