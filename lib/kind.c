#include <string.h>

#include "kind.h"

/* Source of the spellings: design, States, and who decides. */
static const struct {
	const char *name;
	const char *field;
} kinds[KIND__MAX] = {
	[KIND_SENT] = { "sent", NULL },
	[KIND_CLICKED] = { "clicked", NULL },
	[KIND_CLICK_IGNORED] = { "click_ignored", NULL },
	[KIND_TEACHER_LEFT] = { "teacher_left", NULL },
	[KIND_TEACHER_ENDED] = { "teacher_ended", NULL },
	[KIND_ADMIN_ENDED] = { "admin_ended", NULL },
	[KIND_ZOOM_STARTED] = { "zoom_started", NULL },
	[KIND_ZOOM_JOINED] = { "zoom_joined", NULL },
	[KIND_ZOOM_LEFT] = { "zoom_left", NULL },
	[KIND_ZOOM_ENDED] = { "zoom_ended", NULL },
	[KIND_TIMED_OUT] = { "timed_out", NULL },
	[KIND_MISSED] = { "missed", NULL },
	[KIND_CANCELLED] = { "cancelled", NULL },
	[KIND_SUPERSEDED] = { "superseded", NULL },
	[KIND_CORRECTED_CLICK] = { "corrected", "clicked_at" },
	[KIND_CORRECTED_END] = { "corrected", "session_ended_at" },
	[KIND_REOPENED] = { "reopened", NULL },
	[KIND_RELEASED] = { "released", NULL },
	[KIND_OTHER] = { "other", NULL },
};

bool kind_is_zoom(enum kind kind)
{
	return kind == KIND_ZOOM_STARTED || kind == KIND_ZOOM_JOINED || kind == KIND_ZOOM_LEFT ||
	       kind == KIND_ZOOM_ENDED;
}

const char *kind_name(enum kind kind)
{
	return kinds[kind].name;
}

const char *kind_field(enum kind kind)
{
	return kinds[kind].field;
}

bool kind_of(const char *name, const char *field, enum kind *out)
{
	for (enum kind k = 0; k < KIND_OTHER; k++) {
		if (strcmp(kinds[k].name, name) != 0)
			continue;
		if (kinds[k].field && (!field || strcmp(kinds[k].field, field) != 0))
			continue;
		*out = k;
		return true;
	}
	*out = KIND_OTHER;
	return false;
}

bool is_same_connection(const struct evidence *a, const struct evidence *b)
{
	if (a->participant >= 0 || b->participant >= 0)
		return a->participant == b->participant;
	return a->role == b->role && a->occurrence == b->occurrence;
}

bool is_teachers(const struct evidence *events, size_t n, const struct evidence *e)
{
	if (e->role == ROLE_TEACHER || e->participant < 0)
		return e->role == ROLE_TEACHER;
	for (size_t i = 0; i < n; i++) {
		if (events[i].participant == e->participant && events[i].role == ROLE_TEACHER)
			return true;
	}
	return false;
}
