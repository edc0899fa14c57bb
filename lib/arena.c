#include <inttypes.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

struct chunk {
	struct chunk *next;
	alignas(max_align_t) unsigned char data[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *p;
};

struct arena {
	struct chunk *chunks;
	struct deferred *deferred;
};

static void *must(void *p)
{
	if (!p) {
		perror("arena");
		exit(EXIT_FAILURE);
	}
	return p;
}

struct arena *arena_new(void)
{
	return must(calloc(1, sizeof(struct arena)));
}

void arena_reset(struct arena *a)
{
	while (a->deferred) {
		struct deferred *d = a->deferred;

		a->deferred = d->next;
		d->fn(d->p);
	}
	while (a->chunks) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a);
}

/* One malloc each: simple, and ASan sees every overrun. */
void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = must(malloc(sizeof *c + size));

	c->next = a->chunks;
	a->chunks = c;
	return c->data;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, ap2;
	char *s;
	int n;

	va_start(ap, fmt);
	va_copy(ap2, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	s[0] = '\0';
	if (n > 0)
		vsnprintf(s, (size_t)n + 1, fmt, ap2);
	va_end(ap2);
	return s;
}

char *arena_copy(struct arena *a, const char *s, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

const char *arena_int(struct arena *a, int64_t n)
{
	return arena_printf(a, "%" PRId64, n);
}

void arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d;

	if (!p)
		return;
	d = arena_alloc(a, sizeof *d);
	*d = (struct deferred){ a->deferred, fn, p };
	a->deferred = d;
}
