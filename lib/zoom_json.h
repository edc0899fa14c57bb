#ifndef ZOOM_JSON_H
#define ZOOM_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

struct json_object;

/*
 * Reads what Zoom writes, leniently: what is missing or of another type is
 * simply not there. Objects belong to the arena they were read with.
 */

/* NULL: no JSON, or nested too deep. Text in it need not be UTF-8. */
struct json_object *zoom_json(struct arena *a, const char *text, size_t len);

/* The member of an object; NULL if there is none, or o is none. */
struct json_object *zoom_json_member(struct json_object *o, const char *name);

/* A string member of 1 to max printable ASCII characters without blanks, else NULL. */
const char *zoom_json_plain(struct json_object *o, const char *name, size_t max);

/* An integer member, else fallback. Beyond 64 bits it is the nearest that fits. */
int64_t zoom_json_i64(struct json_object *o, const char *name, int64_t fallback);

/* A meeting's id: 9 to 11 digits, as a number or as text; 0 if it is none. */
int64_t zoom_json_meeting_id(struct json_object *o, const char *name);

#endif
