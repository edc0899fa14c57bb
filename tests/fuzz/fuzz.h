#ifndef FUZZ_H
#define FUZZ_H

/* What every fuzzer needs: the entry point, claims, and an arena. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

/* Stops the fuzzer here unless the claim holds; unlike assert() in every build. */
static inline void claim(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
