/* Reads agents, one a line, and prints what each is taken for, for tests/ui/visitor.test.js. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "visitor.h"

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) >= 0) {
		struct visit visit = { .method = "GET", .user_agent = line };

		line[strcspn(line, "\n")] = '\0';
		puts(visitor_name(visitor_of(&visit)));
	}
	free(line);
	return 0;
}
