#ifndef REQ_VISITOR_H
#define REQ_VISITOR_H

#include "app.h"
#include "visitor.h"

/* Who follows the link of this request, by its method and headers. */
enum visitor req_visitor(const struct req *req);

#endif
