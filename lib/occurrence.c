#include "occurrence.h"

static bool is_known_other(int a, int b)
{
	return a >= 0 && b >= 0 && a != b;
}

/* Whether Zoom had been heard of by t, but of other occurrences only. */
static bool only_others_seen(const struct evidence *events, size_t n, int occurrence, int64_t t)
{
	bool others = false;

	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &events[i];

		if (!kind_is_zoom(e->kind) || e->happened_us > t)
			continue;
		if (e->occurrence == occurrence)
			return false;
		others |= is_known_other(e->occurrence, occurrence);
	}
	return others;
}

bool occurrence_follows(const struct evidence *events, size_t n, const struct evidence *end,
			int64_t until_us)
{
	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &events[i];

		if (e->happened_us <= end->happened_us || e->happened_us >= until_us)
			continue;
		if (e->kind == KIND_ZOOM_STARTED)
			return true;
		if (e->kind != KIND_ZOOM_JOINED)
			continue;
		if (end->kind == KIND_ZOOM_ENDED
			    ? is_known_other(e->occurrence, end->occurrence)
			    : only_others_seen(events, n, e->occurrence, end->happened_us))
			return true;
	}
	return false;
}

static bool closes(const struct evidence *e, const struct evidence *join)
{
	if (e->kind == KIND_ZOOM_LEFT)
		return is_same_connection(e, join) && e->happened_us > join->happened_us;
	return e->kind == KIND_ZOOM_ENDED && e->occurrence == join->occurrence &&
	       e->happened_us >= join->happened_us;
}

static bool is_closed_by(const struct evidence *events, size_t n, const struct evidence *join,
			 int64_t until_us)
{
	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &events[i];

		if (e->happened_us <= until_us && closes(e, join))
			return true;
	}
	return false;
}

bool occurrence_holds_teacher(const struct evidence *events, size_t n, int64_t until_us)
{
	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &events[i];

		if (e->kind == KIND_ZOOM_JOINED && e->happened_us <= until_us &&
		    is_teachers(events, n, e) && !is_closed_by(events, n, e, until_us))
			return true;
	}
	return false;
}

/* As far as is known. */
static bool can_run_at(const struct evidence *events, size_t n, int occurrence, int64_t t)
{
	bool has_begun = false, is_beginning_known = false;

	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &events[i];

		if (!kind_is_zoom(e->kind) || e->occurrence != occurrence)
			continue;
		if (e->kind == KIND_ZOOM_ENDED && e->happened_us < t)
			return false;
		if (e->kind == KIND_ZOOM_STARTED || e->kind == KIND_ZOOM_JOINED) {
			is_beginning_known = true;
			has_begun |= e->happened_us <= t;
		}
	}
	return has_begun || !is_beginning_known;
}

bool occurrence_ran_at(const struct evidence *events, size_t n, int64_t t_us)
{
	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &events[i];

		if (kind_is_zoom(e->kind) && e->happened_us >= t_us &&
		    can_run_at(events, n, e->occurrence, t_us))
			return true;
	}
	return false;
}
