#define _GNU_SOURCE /* readlink of Linux's /proc/self/exe */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_rest.h"
#include "log.h"

#define RESTING	 "../rest/classclock-rest" /* from the folder of the programs */
#define REPLACED " (deleted)"		   /* Linux says so of a file that an update took away */

/* This program's file, or the one that an update has put in its place. Returns its folder's length,
 * 0 for an error. */
static size_t find_program(char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	const char *slash;
	char *end;

	if (len < 0)
		return 0;
	path[len] = '\0';
	slash = strrchr(path, '/');
	end = slash ? strstr(slash, REPLACED) : NULL;
	if (end)
		*end = '\0';
	return slash ? (size_t)(slash + 1 - path) : 0;
}

void app_rest(char **argv)
{
	char program[PATH_MAX], resting[PATH_MAX + sizeof RESTING];
	size_t n = 0, folder = find_program(program, sizeof program);
	char **arguments;

	while (argv[n])
		n++;
	arguments = calloc(n + 3, sizeof *arguments);
	if (arguments && folder) {
		snprintf(resting, sizeof resting, "%.*s%s", (int)folder, program, RESTING);
		arguments[0] = resting;
		arguments[1] = program;
		for (size_t i = 1; i < n; i++)
			arguments[i + 1] = argv[i];
		execv(resting, arguments);
	}
	log_warn("cannot rest as %s: %s", RESTING, strerror(errno));
	free(arguments);
}
