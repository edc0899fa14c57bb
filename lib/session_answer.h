#ifndef SESSION_ANSWER_H
#define SESSION_ANSWER_H

#include "app.h"

/* Answers with {"session":{...}}. */
MUST_CHECK enum err session_answer(struct req *req, int status, int64_t id);

/*
 * The same with "join_url", "start_url", "leave_url", "delivery",
 * "delivery_outcome" and "delivery_detail": for the session's own teacher.
 */
MUST_CHECK enum err session_answer_links(struct req *req, int status, int64_t id);

#endif
