#ifndef ADDRESS_H
#define ADDRESS_H

#include "arena.h"

/*
 * The network that a client's address lies in, as PostgreSQL reads and writes
 * it: 192.0.2.0/24 or 2001:db8:1::/48. Nothing longer of an address is ever
 * kept. A network given is given back. NULL: no address. Source: design,
 * retention.
 */
const char *address_network(struct arena *a, const char *address);

#endif
