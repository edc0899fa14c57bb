#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether the len bytes at s are UTF-8 as RFC 3629 has it: shortest forms
 * only, no surrogates, nothing above U+10FFFF. NUL counts as a character.
 */
bool utf8_valid(const char *s, size_t len);

#endif
