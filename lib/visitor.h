#ifndef VISITOR_H
#define VISITOR_H

/*
 * Who follows a link: a person, whose click counts, or a program that fetches
 * it for its own ends. Only what says of itself that it is one is taken for a
 * program (design §4):
 *
 * - An unknown, empty or tool-like agent (curl, a library, HeadlessChrome) is
 *   a person: mail programs, old phones and checks of ours look like that, and
 *   a missed start costs a teacher's minutes.
 * - Sec-Fetch-Mode, Sec-Fetch-Dest and Accept are not read: web views leave
 *   them out or fill them in oddly, and a doubtful browser is a person.
 */
enum visitor {
	VISITOR_HUMAN,
	VISITOR_HEAD,	  /* any method but GET: wants the headers only */
	VISITOR_PREFETCH, /* a browser that loads the page in case it will be needed */
	VISITOR_CRAWLER,  /* a previewer, search engine or scanner that gives its name */
	VISITOR__MAX
};

/* What is read of a request; a header that was not sent is NULL. */
struct visit {
	const char *method;
	const char *user_agent;
	const char *sec_purpose; /* Sec-Purpose: Chromium, Firefox */
	const char *purpose;	 /* Purpose: older Chromium, Safari */
	const char *x_purpose;	 /* X-Purpose: older Safari */
	const char *x_moz;	 /* X-Moz: older Firefox */
};

enum visitor visitor_of(const struct visit *visit);

/* "human", "head", "prefetch", "crawler". */
const char *visitor_name(enum visitor visitor);

#endif
