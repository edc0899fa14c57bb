#include "req_visitor.h"

enum visitor req_visitor(const struct req *req)
{
	const struct visit visit = {
		.method = req->method,
		.user_agent = req_header(req, "User-Agent"),
		.sec_purpose = req_header(req, "Sec-Purpose"),
		.purpose = req_header(req, "Purpose"),
		.x_purpose = req_header(req, "X-Purpose"),
		.x_moz = req_header(req, "X-Moz"),
	};

	return visitor_of(&visit);
}
