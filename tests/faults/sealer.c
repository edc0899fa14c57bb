/*
 * sealer: join links under AUTH_SECRET (environment) for sessions that a test has put into the
 * table.
 *
 * Standard input   lines of: session id, link_id (32 hex digits), moment sent and expiry (us), Zoom
 * URL Standard output  the token of each
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "join_link.h"

#define ID_DIGITS (2 * (size_t)JOIN_LINK_ID_BYTES)

/* Fills *link from a line; its URL stays in it. */
static int read_line(char *line, struct join_link *link)
{
	char *rest = line;
	size_t len;

	line[strcspn(line, "\n")] = '\0';
	link->session_id = strtoll(rest, &rest, 10);
	rest += *rest == ' ';
	if (strlen(rest) < ID_DIGITS ||
	    sodium_hex2bin(link->link_id, sizeof link->link_id, rest, ID_DIGITS, NULL, &len, NULL))
		return 0;
	rest += ID_DIGITS;
	link->sent_us = strtoll(rest, &rest, 10);
	link->expires_us = strtoll(rest, &rest, 10);
	link->zoom_url = rest + (*rest == ' ');
	return *rest == ' ';
}

int main(void)
{
	const char *secret = getenv("AUTH_SECRET");
	struct arena *a = arena_new();
	struct join_link link;
	struct keys keys;
	char line[1024];

	if (sodium_init() < 0 || !secret || keys_load(secret, &keys, NULL))
		return EXIT_FAILURE;
	while (fgets(line, sizeof line, stdin) && read_line(line, &link)) {
		puts(join_link_seal(a, &keys, &link));
		arena_reset(a);
	}
	arena_free(a);
	return EXIT_SUCCESS;
}
