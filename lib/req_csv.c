#include <string.h>

#include "req_csv.h"

static const char *name_of_days(struct arena *a, const char *from, const char *to)
{
	if (from && to)
		return strcmp(from, to) != 0 ? arena_printf(a, "-%s-to-%s", from, to)
					     : arena_printf(a, "-%s", from);
	if (from || to)
		return arena_printf(a, "-%s-%s", from ? "from" : "to", from ? from : to);
	return "";
}

void req_csv_name(struct req *req, const char *what, const char *from, const char *to)
{
	const char *days = name_of_days(req->arena, from, to);

	req_add_header(req, "Content-Disposition",
		       arena_printf(req->arena, "attachment; filename=\"%s%s.csv\"", what, days));
}

enum err req_csv_send(void *to, const char *bytes, size_t len)
{
	struct req *req = to;
	enum err e = OK;

	if (!req->streaming)
		e = req_stream_open(req, "text/csv; charset=utf-8; header=present");
	return e ? e : req_stream(req, bytes, len);
}
