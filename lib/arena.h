#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>
#include <stdint.h>

/*
 * Memory that lives as long as one request. Allocation never returns NULL:
 * when the system is out of memory the process logs and exits, and its parent
 * starts a new one. Everything handed out ends with the next reset.
 */
struct arena;

struct arena *arena_new(void);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

void *arena_alloc(struct arena *a, size_t size);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A copy of len bytes of s with a NUL behind them. */
char *arena_copy(struct arena *a, const char *s, size_t len);
/* n in decimal. */
const char *arena_int(struct arena *a, int64_t n);

/* Calls fn(p) at the next reset, last deferred first. p may be NULL. */
void arena_defer(struct arena *a, void (*fn)(void *), void *p);

#endif
