/*
 * Join links for sessions that a benchmark put into the table by numbers.
 *
 *   seal FIRST COUNT SENT_US EXPIRES_US ZOOM_URL    a target a line, for tests/bench/load.c
 *   seal key                                        the key they are sealed with, in hex, for the
 * peers
 *
 * AUTH_SECRET comes from the environment. A session's link_id is its id as a number of 16 bytes.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "join_link.h"

static void print_targets(const struct keys *keys, int64_t first, int64_t count,
			  struct join_link *link)
{
	struct arena *a = arena_new();

	for (int64_t id = first; id < first + count; id++) {
		link->session_id = id;
		for (int i = 0; i < 8; i++)
			link->link_id[15 - i] = (unsigned char)(id >> (8 * i));
		printf("/api/zoom/track?token=%s\n", join_link_seal(a, keys, link));
		arena_reset(a);
	}
	arena_free(a);
}

int main(int argc, char **argv)
{
	struct keys keys;
	struct join_link link = { 0 };
	char hex[2 * KEY_BYTES + 1];

	if (keys_load(getenv("AUTH_SECRET"), &keys, NULL))
		return EXIT_FAILURE;
	if (argc == 2 && !strcmp(argv[1], "key")) {
		puts(sodium_bin2hex(hex, sizeof hex, keys.key[KEY_JOIN_LINK][0], KEY_BYTES));
		return EXIT_SUCCESS;
	}
	if (argc != 6) {
		fputs("usage: seal FIRST COUNT SENT_US EXPIRES_US ZOOM_URL | seal key\n", stderr);
		return EXIT_FAILURE;
	}
	link.sent_us = strtoll(argv[3], NULL, 10);
	link.expires_us = strtoll(argv[4], NULL, 10);
	link.zoom_url = argv[5];
	print_targets(&keys, strtoll(argv[1], NULL, 10), strtoll(argv[2], NULL, 10), &link);
	return EXIT_SUCCESS;
}
