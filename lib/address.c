#include <arpa/inet.h>
#include <string.h>

#include "address.h"

const char *address_network(struct arena *a, const char *address)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;

	if (!address)
		return NULL;
	address = arena_copy(a, address, strcspn(address, "/"));
	/* An IPv4 client on an IPv6 socket. */
	if (!strncmp(address, "::ffff:", 7))
		address += 7;
	if (inet_pton(AF_INET, address, &v4) == 1) {
		v4.s_addr &= htonl(0xffffff00);
		inet_ntop(AF_INET, &v4, text, sizeof text);
		return arena_printf(a, "%s/24", text);
	}
	if (inet_pton(AF_INET6, address, &v6) == 1) {
		memset(v6.s6_addr + 6, 0, 10);
		inet_ntop(AF_INET6, &v6, text, sizeof text);
		return arena_printf(a, "%s/48", text);
	}
	return NULL;
}
