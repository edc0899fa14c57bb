/*
 * keeper JOURNAL_DIR N: keeps N clicks in a journal and says of each, as soon as it is kept, its
 * id. A test kills it, or makes its system calls fail, wherever it likes.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal.h"

int main(int argc, char **argv)
{
	struct arena *a = arena_new();

	if (argc != 3 || sodium_init() < 0)
		return EXIT_FAILURE;
	for (long i = 0; i < strtol(argv[2], NULL, 10); i++) {
		const struct journal_entry entry = { .kind = JOURNAL_CLICK,
						     .id = journal_id(a),
						     .session_id = 1 + i };

		if (!journal_append(argv[1], a, &entry, 1)) {
			puts(entry.id);
			fflush(stdout);
		}
	}
	arena_free(a);
	return EXIT_SUCCESS;
}
