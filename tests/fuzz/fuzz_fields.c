/*
 * A body's fields are taken as they are or refused by name, and fields written
 * anew from what was taken are taken as the same.
 */
#include "fuzz.h"

#include <json-c/json.h>

#include "app.h"
#include "fields.h"
#include "utf8.h"
#include "when.h"

#define TEXT_MAX 60 /* characters */

static const char *const words[] = { "end", "cancel", NULL };

struct taken {
	int64_t id, at_us;
	const char *text, *word, *uuid, *money, *flag;
	bool yes;
};

static enum err take(struct arena *a, const char *body, size_t len, const char *query,
		     struct taken *t, struct why *why)
{
	struct req req = { .arena = a, .query = query, .body = body, .body_len = len };
	struct fields f;
	enum err e;

	fields_open(&f, &req);
	t->id = fields_i64(&f, "id", -5, INT64_C(9007199254740991));
	t->text = fields_str_or(&f, "text", 1, TEXT_MAX, NULL);
	t->word = fields_has(&f, "word") ? fields_word(&f, "word", words) : NULL;
	t->uuid = fields_has(&f, "uuid") ? fields_uuid(&f, "uuid") : NULL;
	t->at_us = fields_moment_or(&f, "at", -1);
	t->money = fields_money_or_null(&f, "money");
	t->flag = fields_flag_or_null(&f, "flag");
	t->yes = fields_bool_or(&f, "yes", true);
	e = fields_close(&f);
	*why = req.why;
	return e;
}

static void put(void *o)
{
	json_object_put(o);
}

static void add(struct json_object *o, const char *name, const char *text)
{
	if (text)
		json_object_object_add(o, name, json_object_new_string(text));
}

static const char *rewritten(struct arena *a, const struct taken *t)
{
	struct json_object *o = json_object_new_object();

	arena_defer(a, put, o);
	json_object_object_add(o, "id", json_object_new_int64(t->id));
	add(o, "text", t->text);
	add(o, "word", t->word);
	add(o, "uuid", t->uuid);
	add(o, "at", t->at_us < 0 ? NULL : when_text(a, t->at_us));
	add(o, "money", t->money);
	if (t->flag)
		json_object_object_add(o, "flag", json_object_new_boolean(*t->flag == 't'));
	json_object_object_add(o, "yes", json_object_new_boolean(t->yes));
	return json_object_to_json_string(o);
}

static void same(const char *one, const char *other)
{
	claim(one && other ? !strcmp(one, other) : one == other);
}

static void claims(struct arena *a, const struct taken *t)
{
	const char *text = rewritten(a, t);
	struct taken again;
	struct why why;

	claim(t->id >= -5 && t->id <= INT64_C(9007199254740991));
	claim(!t->text || (*t->text && strlen(t->text) <= (size_t)4 * TEXT_MAX &&
			   utf8_valid(t->text, strlen(t->text))));
	claim(!t->word || t->word == words[0] || t->word == words[1]);
	claim(!t->uuid || strlen(t->uuid) == 36);
	claim(!t->money ||
	      (strlen(t->money) <= 13 && strspn(t->money, "0123456789.") == strlen(t->money)));
	claim(take(a, text, strlen(text), "", &again, &why) == OK);
	claim(again.id == t->id && again.at_us == t->at_us && again.yes == t->yes);
	same(again.text, t->text);
	same(again.word, t->word);
	same(again.uuid, t->uuid);
	same(again.money, t->money);
	same(again.flag, t->flag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *body = arena_copy(a, (const char *)data, len);
	struct why why;
	struct taken t;
	enum err e = take(a, body, len, "", &t, &why);

	claim(e == OK || e == ERR_INVALID);
	if (e)
		claim(why.field && why.detail && utf8_valid(why.field, strlen(why.field)));
	else
		claims(a, &t);
	claim(take(a, body, len, "a=1", &t, &why) == ERR_INVALID);
	arena_free(a);
	return 0;
}
