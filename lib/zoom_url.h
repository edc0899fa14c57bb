#ifndef ZOOM_URL_H
#define ZOOM_URL_H

#include <stdint.h>

#include "err.h"

/*
 * The links we send students to: an allow-list, asked when a link is saved and
 * again when it is sent. What passes is safe in a Location header, leads to
 * Zoom over https and gives nobody the host's rights. The text itself is kept
 * byte for byte; nothing here rewrites it.
 */

/* Longest link, bytes (design §4). */
#define ZOOM_URL_MAX 600

/* Longest host name, bytes. Source: RFC 1035 §2.3.4. */
#define ZOOM_URL_HOST_MAX 253

enum zoom_url_kind {
	ZOOM_URL_JOIN,	     /* /j/ID, /w/ID, /launch/jc/ID */
	ZOOM_URL_WEB_CLIENT, /* /wc/join/ID, /wc/ID/join */
	ZOOM_URL_PERSONAL,   /* /my/NAME: Zoom's events tell the id */
	ZOOM_URL_REGISTER,   /* /meeting/register/TOKEN, /webinar/register/TOKEN */
};

struct zoom_url {
	enum zoom_url_kind kind;
	int64_t meeting_id;		  /* 9 to 11 digits; 0 if the link holds none */
	char host[ZOOM_URL_HOST_MAX + 1]; /* lower case, without port and closing dot */
};

/*
 * Fills *out from text (may be NULL).
 *
 * ERR_INVALID  not a link for students; *why names zoom_url and says what is wrong
 */
MUST_CHECK enum err zoom_url_parse(const char *text, struct zoom_url *out, struct why *why);

/* The same answer for those who only need to know. */
MUST_CHECK enum err zoom_url_check(const char *text, struct why *why);

#endif
