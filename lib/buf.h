#ifndef BUF_H
#define BUF_H

#include <stddef.h>

#include "err.h"

/*
 * Bytes that grow up to a cap. Additions do not fail: the first that does not
 * fit is remembered, it and all later ones are dropped, and err says so once
 * at the end. Owned by whoever called buf_init, who calls buf_free.
 */
struct buf {
	char *data; /* len bytes and a NUL; NULL before the first addition */
	size_t len;
	size_t size;  /* allocated */
	size_t cap;   /* len at most */
	enum err err; /* OK, ERR_TOO_LARGE, or ERR_UNAVAILABLE when memory ran out */
};

void buf_init(struct buf *b, size_t cap);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
/* Empties b for the next use, error included; keeps the memory. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

#endif
