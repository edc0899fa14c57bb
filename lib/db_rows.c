#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "log.h"

bool db_next(struct db_rows *r)
{
	if (r->row >= 0 && r->row < PQntuples(r->res) && r->col != PQnfields(r->res))
		r->bad = true;
	r->col = 0;
	return ++r->row < PQntuples(r->res);
}

int db_count(const struct db_rows *r)
{
	return PQntuples(r->res);
}

static const char *column(struct db_rows *r)
{
	if (r->col < PQnfields(r->res) && r->row >= 0 && r->row < PQntuples(r->res)) {
		int c = r->col++;

		return PQgetisnull(r->res, r->row, c) ? NULL : PQgetvalue(r->res, r->row, c);
	}
	r->bad = true;
	return NULL;
}

static int64_t to_i64(struct db_rows *r, const char *v)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(v, &end, 10);
	if (errno || end == v || *end)
		r->bad = true;
	return n;
}

int64_t db_i64(struct db_rows *r)
{
	const char *v = column(r);

	if (!v) {
		r->bad = true;
		return 0;
	}
	return to_i64(r, v);
}

int64_t db_i64_or(struct db_rows *r, int64_t if_null)
{
	const char *v = column(r);

	return v ? to_i64(r, v) : if_null;
}

bool db_bool(struct db_rows *r)
{
	const char *v = column(r);

	if (!v || (strcmp(v, "t") != 0 && strcmp(v, "f") != 0))
		r->bad = true;
	return v && *v == 't';
}

const char *db_str(struct db_rows *r)
{
	return column(r);
}

enum err db_end(struct db_rows *r)
{
	if (!r->bad && (r->row >= PQntuples(r->res) || r->col == PQnfields(r->res)))
		return OK;
	log_error("db: a scan does not match its columns (%d of %d read)", r->col,
		  PQnfields(r->res));
	return ERR_INTERNAL;
}

enum err db_one_i64(struct db_rows *r, int64_t *out)
{
	if (!db_next(r))
		return ERR_NOT_FOUND;
	*out = db_i64(r);
	return db_end(r);
}

int64_t db_affected(const struct db_rows *r)
{
	return strtoll(PQcmdTuples(r->res), NULL, 10);
}

const char *db_i64_array(struct arena *a, const int64_t *values, size_t n)
{
	char *text = arena_alloc(a, n * 21 + 3), *p = text;

	*p++ = '{';
	for (size_t i = 0; i < n; i++)
		p += snprintf(p, 22, "%s%lld", i ? "," : "", (long long)values[i]);
	*p++ = '}';
	*p = '\0';
	return text;
}

const char *db_text_array(struct arena *a, const char *const *values, size_t n)
{
	size_t size = 3;
	char *text, *p;

	for (size_t i = 0; i < n; i++)
		size += values[i] ? 2 * strlen(values[i]) + 3 : 5;
	p = text = arena_alloc(a, size);
	*p++ = '{';
	for (size_t i = 0; i < n; i++) {
		if (i)
			*p++ = ',';
		if (!values[i]) {
			memcpy(p, "NULL", 4);
			p += 4;
			continue;
		}
		*p++ = '"';
		for (const char *v = values[i]; *v; v++) {
			if (*v == '"' || *v == '\\')
				*p++ = '\\';
			*p++ = *v;
		}
		*p++ = '"';
	}
	*p++ = '}';
	*p = '\0';
	return text;
}
