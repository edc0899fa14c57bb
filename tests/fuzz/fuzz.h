#ifndef FUZZ_H
#define FUZZ_H

/* What every fuzzer needs: the entry point's prototype, and a claim that survives NDEBUG. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

#define CLAIM(holds)                                                                               \
	do {                                                                                       \
		if (!(holds))                                                                      \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
