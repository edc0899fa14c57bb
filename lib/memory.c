/*
 * Memory that ends, ends the program, whichever library asked for it; a worker
 * is replaced by its parent. json-c, for one, would go on: it leaves out the
 * member of an object that it has no memory for, in what it reads as in what it
 * writes. Takes the place of the C library's functions for all of the program.
 */
#ifndef MEMORY_IS_WATCHED /* by AddressSanitizer, which needs their place and ends it too */
#define _GNU_SOURCE	  /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"

static void *must(void *p, size_t size)
{
	if (!p && size) {
		log_error("out of memory");
		_exit(EXIT_FAILURE);
	}
	return p;
}

/* The function that this one stands before. Asked more than once at first, it answers the same. */
#define NEXT(name)                                                                                 \
	static __typeof__(&(name)) next;                                                           \
                                                                                                   \
	if (!next)                                                                                 \
	next = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)

void *malloc(size_t size)
{
	NEXT(malloc);
	return must(next(size), size);
}

void *calloc(size_t n, size_t size)
{
	NEXT(calloc);
	return must(next(n, size), n && size);
}

void *realloc(void *p, size_t size)
{
	NEXT(realloc);
	return must(next(p, size), size);
}
#endif
