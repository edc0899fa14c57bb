#ifndef PAGE_H
#define PAGE_H

#include "app.h"

/*
 * The small pages that a link answers with when it does not redirect: short,
 * kind, and in the language of the browser (English, Arabic, Amharic).
 */
enum page {
	PAGE_NOT_A_LINK,  /* 404: forged or mistyped */
	PAGE_EXPIRED,	  /* 410 */
	PAGE_CANCELLED,	  /* 410 */
	PAGE_TRY_AGAIN,	  /* 503: the class could not be opened, tap again */
	PAGE_OPEN_CLASS,  /* 200: a button that opens the class */
	PAGE_TEACHER,	  /* 200: this is the student's link */
	PAGE_CLASS_ENDED, /* 200: what a teacher sees after "End class" */
	PAGE_NOT_ENDED,	  /* 503: the class could not be ended, tap again */
	PAGE_BAD_LEAVE,	  /* 400, 403: an "End class" link that is not ours */
	PAGE__MAX
};

/* Answers with page; url is where PAGE_OPEN_CLASS's button leads, else NULL. */
MUST_CHECK enum err page_answer(struct req *req, int status, enum page page, const char *url);

#endif
