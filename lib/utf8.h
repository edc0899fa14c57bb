#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

/*
 * Whether the len bytes at s are UTF-8 as RFC 3629 has it: shortest forms
 * only, no surrogates, nothing above U+10FFFF. NUL counts as a character.
 */
bool utf8_valid(const char *s, size_t len);

/* How many characters (code points) s has, which is valid UTF-8. */
size_t utf8_length(const char *s);

/* s as UTF-8 without control characters, each offending byte a "?", cut to at most max bytes. */
char *utf8_clean(struct arena *a, const char *s, size_t max);

#endif
