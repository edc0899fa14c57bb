#include "req_csv.h"

void req_csv_name(struct req *req, const char *name)
{
	req_add_header(req, "Content-Disposition",
		       arena_printf(req->arena, "attachment; filename=\"%s\"", name));
}

enum err req_csv_send(void *to, const char *bytes, size_t len)
{
	struct req *req = to;
	enum err e = OK;

	if (!req->streaming)
		e = req_stream_open(req, "text/csv; charset=utf-8; header=present");
	return e ? e : req_stream(req, bytes, len);
}
