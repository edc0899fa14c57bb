#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* The first allocation, bytes. */
#define FIRST_SIZE 256

void buf_init(struct buf *b, size_t cap)
{
	*b = (struct buf){ .cap = cap };
}

/* Makes room for len more bytes and the NUL: doubles, so that adding stays cheap. */
static enum err grow(struct buf *b, size_t len)
{
	size_t size = b->size ? b->size : FIRST_SIZE;
	char *data;

	if (len > b->cap - b->len)
		return ERR_TOO_LARGE;
	while (size <= b->len + len)
		size *= 2;
	if (size == b->size)
		return OK;
	data = realloc(b->data, size);
	if (!data)
		return ERR_UNAVAILABLE;
	b->data = data;
	b->size = size;
	return OK;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (!b->err)
		b->err = grow(b, len);
	if (b->err)
		return;
	if (len)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->err = OK;
	if (b->data)
		b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->cap);
}
