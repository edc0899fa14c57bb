#ifndef STUDENT_H
#define STUDENT_H

#include <stdint.h>

#include "db.h"
#include "listing.h"

/*
 * Students: who they learn with, what they booked, where their links go. Owns
 * the SQL for "students". A student never signs in and is never deleted, only
 * disabled, since past classes name them.
 *
 * Ownership  the caller owns the JSON it gets.
 */
#define STUDENT_NAME_MAX 200  /* characters */
#define STUDENT_NOTE_MAX 2000 /* characters */

/* Telegram's ids have at most 52 significant bits. Source: Bot API, "Chat". */
#define STUDENT_CHAT_ID_MAX ((INT64_C(1) << 52) - 1)

/* A new student, or what to change; NULL and -1: leave as it is. */
struct student_fields {
	int64_t id; /* of the one to change */
	const char *name;
	int64_t teacher_id;
	bool set_package;
	const char *package_id; /* NULL: none */
	const char *language;
	bool set_chat;
	int64_t telegram_chat_id; /* 0: none */
	bool set_zoom_url;
	const char *zoom_url; /* NULL: none; else one that zoom_url_check() let through */
	const char *note;
	const char *request_id; /* of a new one: makes it safe to repeat; NULL: it is not */
	const char *disabled;	/* "true", "false" */
};

/* Students by name, of one teacher or of all (0), as {"students": [...]}. */
MUST_CHECK enum err student_list(struct db *db, struct arena *a, const struct listing *listing,
				 int64_t teacher_id, struct json_object **out);

/*
 * What a teacher sees of the own students, and of the last class of each. Those
 * of own classes that are sent or active are among them, whoever teaches them now.
 */
MUST_CHECK enum err student_list_own(struct db *db, struct arena *a, const struct listing *listing,
				     int64_t teacher_id, struct json_object **out);

/*
 * The same request_id again gives the student that it made.
 *
 * ERR_NOT_FOUND  naming teacher_id or package_id: there is none
 * ERR_CONFLICT   naming teacher_id or package_id: disabled, retired; or request_id: it made another
 * ERR_INVALID    naming what cannot be so
 */
MUST_CHECK enum err student_create(struct db *db, struct arena *a,
				   const struct student_fields *want, struct json_object **out,
				   struct why *why);

/*
 * As student_create(); ERR_NOT_FOUND may name id. What a student has already is
 * never refused. Links that still wait for Telegram follow them to another chat.
 */
MUST_CHECK enum err student_change(struct db *db, struct arena *a,
				   const struct student_fields *want, struct json_object **out,
				   struct why *why);

#endif
