#include <json-c/json.h>
#include <string.h>

#include "app.h"
#include "fields.h"
#include "utf8.h"
#include "when.h"

#define DEPTH_MAX 8

static void put(void *o)
{
	json_object_put(o);
}

void fields_refuse(struct fields *f, const char *name, const char *detail)
{
	if (!f->err)
		f->err = req_refuse(f->req, ERR_INVALID, name, detail);
}

/* Whether text begins with the escape of one half of a surrogate pair: \uD, then one of these. */
static bool is_half(const char *text, const char *digits)
{
	return text[0] == '\\' && text[1] == 'u' && (text[2] == 'd' || text[2] == 'D') && text[3] &&
	       strchr(digits, text[3]);
}

/*
 * Whether text that json-c takes is JSON: even when strict it takes single
 * quotes, comments and NaN, invalid UTF-8 of some kinds, and makes U+FFFD of
 * half a surrogate pair.
 */
static bool is_json(const char *text, size_t len)
{
	bool quoted = false;

	for (const char *p = text; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && !strchr(" \t\r\n{}[]:,+-.0123456789Eaeflnrstu", *p))
			return false;
		if (*p != '\\')
			continue;
		if (is_half(p, "cdefCDEF"))
			return false;
		if (!is_half(p, "89abAB"))
			p++; /* over what is escaped */
		else if (is_half(p + 6, "cdefCDEF"))
			p += 11;
		else
			return false;
	}
	return utf8_valid(text, len);
}

void fields_open(struct fields *f, struct req *req)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
	const char *text = req->body_len ? req->body : "{}";
	int len = req->body_len ? (int)req->body_len : 2;

	*f = (struct fields){ .req = req };
	if (!t) {
		f->err = ERR_UNAVAILABLE;
		return;
	}
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	f->body = json_tokener_parse_ex(t, text, len);
	arena_defer(req->arena, put, f->body);
	if (json_tokener_get_error(t) != json_tokener_success ||
	    json_tokener_get_parse_end(t) != (size_t)len ||
	    !json_object_is_type(f->body, json_type_object) || !is_json(text, (size_t)len)) {
		f->body = NULL;
		fields_refuse(f, "body", "Send one JSON object in UTF-8.");
	} else if (json_object_object_length(f->body) > FIELDS_MAX) {
		fields_refuse(f, "body", "It has too many fields.");
	} else if (*req->query) {
		fields_refuse(f, "query", "This call takes no parameters behind a ?.");
	}
	json_tokener_free(t);
}

bool fields_has(const struct fields *f, const char *name)
{
	return f->body && json_object_object_get_ex(f->body, name, NULL);
}

/* The member, counted as asked for. False: absent or null. */
static bool take(struct fields *f, const char *name, struct json_object **v)
{
	*v = NULL;
	if (!f->body || !json_object_object_get_ex(f->body, name, v))
		return false;
	if (f->asked < FIELDS_MAX)
		f->taken[f->asked++] = name;
	return *v != NULL;
}

static int64_t check_i64(struct fields *f, const char *name, struct json_object *v, int64_t min,
			 int64_t max)
{
	int64_t n = json_object_get_int64(v);

	/* json-c clamps silently, so its own limits cannot be told from an overflow. */
	if (json_object_is_type(v, json_type_int) && n >= min && n <= max && n != INT64_MAX &&
	    n != INT64_MIN)
		return n;
	fields_refuse(f, name,
		      arena_printf(f->req->arena, "It must be a whole number from %lld to %lld.",
				   (long long)min, (long long)max));
	return min;
}

int64_t fields_i64(struct fields *f, const char *name, int64_t min, int64_t max)
{
	struct json_object *v;

	take(f, name, &v);
	return check_i64(f, name, v, min, max);
}

int64_t fields_i64_or(struct fields *f, const char *name, int64_t min, int64_t max,
		      int64_t fallback)
{
	struct json_object *v;

	return take(f, name, &v) ? check_i64(f, name, v, min, max) : fallback;
}

bool fields_bool_or(struct fields *f, const char *name, bool fallback)
{
	struct json_object *v;

	if (!take(f, name, &v))
		return fallback;
	if (!json_object_is_type(v, json_type_boolean))
		fields_refuse(f, name, "It must be true or false.");
	return json_object_get_boolean(v);
}

static const char *check_str(struct fields *f, const char *name, struct json_object *v, size_t min,
			     size_t max)
{
	const char *s = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;

	/* An embedded NUL would end the text early in libpq. */
	if (s && strlen(s) == (size_t)json_object_get_string_len(v) && utf8_length(s) >= min &&
	    utf8_length(s) <= max)
		return s;
	fields_refuse(
		f, name,
		arena_printf(f->req->arena, "It must be text of %zu to %zu characters.", min, max));
	return "";
}

const char *fields_str(struct fields *f, const char *name, size_t min, size_t max)
{
	struct json_object *v;

	take(f, name, &v);
	return check_str(f, name, v, min, max);
}

const char *fields_str_or(struct fields *f, const char *name, size_t min, size_t max,
			  const char *fallback)
{
	struct json_object *v;

	return take(f, name, &v) ? check_str(f, name, v, min, max) : fallback;
}

const char *fields_name(struct fields *f, const char *name, size_t max)
{
	const char *s = fields_str(f, name, 1, max);

	if (!s[strspn(s, " \t\r\n")])
		fields_refuse(f, name, "It must not be blank.");
	return s;
}

const char *fields_flag_or_null(struct fields *f, const char *name)
{
	struct json_object *v;

	if (!fields_has(f, name))
		return NULL;
	take(f, name, &v);
	if (!json_object_is_type(v, json_type_boolean))
		fields_refuse(f, name, "It must be true or false.");
	return json_object_get_boolean(v) ? "true" : "false";
}

const char *fields_word(struct fields *f, const char *name, const char *const *words)
{
	const char *s = fields_str(f, name, 1, 40);
	const char *known = "";

	for (size_t i = 0; words[i]; i++) {
		if (!strcmp(s, words[i]))
			return words[i];
		known = arena_printf(f->req->arena, "%s%s%s", known, i ? ", " : "", words[i]);
	}
	fields_refuse(f, name, arena_printf(f->req->arena, "It must be one of: %s.", known));
	return words[0];
}

static bool is_uuid(const char *s)
{
	size_t i;

	for (i = 0; s[i] && i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !strchr("0123456789abcdefABCDEF", s[i]))
			return false;
	}
	return i == 36 && !s[i];
}

const char *fields_uuid(struct fields *f, const char *name)
{
	const char *s = fields_str(f, name, 36, 36);

	if (!is_uuid(s))
		fields_refuse(f, name, "It must be a UUID.");
	return s;
}

int64_t fields_moment_or(struct fields *f, const char *name, int64_t fallback)
{
	const char *s = fields_str_or(f, name, 20, 27, NULL);
	int64_t us = fallback;

	if (s && when_parse(s, &us))
		fields_refuse(f, name, "It must be a moment such as 2026-01-31T09:30:00Z.");
	return us;
}

const char *fields_money_or_null(struct fields *f, const char *name)
{
	const char *s = fields_str_or(f, name, 1, 13, NULL);
	size_t whole, cents = 0;

	if (!s)
		return NULL;
	whole = strspn(s, "0123456789");
	if (s[whole] == '.')
		cents = strspn(s + whole + 1, "0123456789");
	if (whole < 1 || whole > 10 || cents > 2 || (s[whole] == '.' && !cents) ||
	    s[whole + (cents ? cents + 1 : 0)])
		fields_refuse(f, name, "It must be an amount such as \"10.00\", not negative.");
	return s;
}

static bool was_taken(const struct fields *f, const char *name)
{
	for (int i = 0; i < f->asked; i++)
		if (!strcmp(f->taken[i], name))
			return true;
	return false;
}

enum err fields_close(struct fields *f)
{
	struct json_object_iterator at, end;

	if (f->err || !f->body)
		return f->err;
	at = json_object_iter_begin(f->body);
	end = json_object_iter_end(f->body);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *name = json_object_iter_peek_name(&at);

		if (!was_taken(f, name))
			fields_refuse(f, arena_copy(f->req->arena, name, strlen(name)),
				      "This call does not know such a field.");
	}
	return f->err;
}
