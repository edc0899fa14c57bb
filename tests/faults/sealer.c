/*
 * sealer: join links under AUTH_SECRET (environment) for sessions that a test has put into the
 * table.
 *
 * Standard input   lines of: session id, link_id (32 hex digits), moment sent and expiry (us), Zoom
 * URL Standard output  the token of each
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "join_link.h"

int main(void)
{
	const char *secret = getenv("AUTH_SECRET");
	char id[2 * JOIN_LINK_ID_BYTES + 1], url[JOIN_LINK_URL_MAX + 1];
	struct join_link link = { .zoom_url = url };
	struct arena *a = arena_new();
	struct keys keys;

	if (sodium_init() < 0 || !secret || keys_load(secret, &keys, NULL))
		return EXIT_FAILURE;
	while (scanf("%" SCNd64 " %32s %" SCNd64 " %" SCNd64 " %600s", &link.session_id, id,
		     &link.sent_us, &link.expires_us, url) == 5) {
		size_t len;

		if (sodium_hex2bin(link.link_id, sizeof link.link_id, id, 32, NULL, &len, NULL) ||
		    len != JOIN_LINK_ID_BYTES)
			return EXIT_FAILURE;
		puts(join_link_seal(a, &keys, &link));
		arena_reset(a);
	}
	arena_free(a);
	return EXIT_SUCCESS;
}
