/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host names that addresses are compared with, and the addresses that they have.
 *
 * A thread of its own asks the resolver, once a minute, or sooner and then less and less often
 * where it has no answer.  Everything below is for one other thread, the event thread, which
 * neither locks nor allocates to compare.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct hostnames;
struct hostname;

enum {
	HOSTNAMES_MAX = 1024,
	HOSTNAME_ADDRESSES_MAX = 4096, /* of one name: what an answer of 64 KiB has room for */
	HOST_ADDRESS_BYTES = 16,       /* IPv4 addresses as IPv6 maps them: ::ffff:1.2.3.4 */
};

struct hostnames_config {
	/*
	 * The addresses of a name, how many; 0: there is no such name; negative: nobody knows at
	 * the moment.
	 */
	int (*resolve)(const char *name, uint8_t ret[HOSTNAME_ADDRESSES_MAX][HOST_ADDRESS_BYTES]);
	unsigned refresh_ms; /* after an answer, and the longest wait without one */
	unsigned retry_ms;   /* after the first try without one; doubled each time */
};
#define HOSTNAMES_CONFIG_DEFAULT                                                                   \
	((struct hostnames_config){                                                                \
		.resolve = hostname_resolve, .refresh_ms = 60000, .retry_ms = 1000})

/* As the machine is set up to: /etc/hosts, DNS, ... */
int hostname_resolve(const char *name, uint8_t ret[HOSTNAME_ADDRESSES_MAX][HOST_ADDRESS_BYTES]);

struct hostnames *hostnames_new(const struct hostnames_config *cfg);
/* Ends the thread; one that is waiting for an answer is left alone and ends by itself. */
void hostnames_free(struct hostnames *h); /* NULL is fine */

/*
 * By one thread at a time.  *ret lives as long as h, and is the same for the same name.  -ENOSPC:
 * there are HOSTNAMES_MAX already.
 */
int hostnames_add(struct hostnames *h, struct str name, struct hostname **ret, struct err *e);
size_t hostnames_count(const struct hostnames *h);
/* Whether hostnames_start() has begun to ask. */
bool hostnames_asks(const struct hostnames *h);
/*
 * Begin to ask; nothing is started without a name.  patience_ms: how long all comparisons
 * together may wait for first answers; 0 where time does not wait for us.
 */
int hostnames_start(struct hostnames *h, unsigned patience_ms, struct err *e);

/* Whether it is an address (4 or 16 bytes, in network order) of that name. */
bool hostname_has(struct hostname *n, struct str address);
/* The first name added that has it.  False: there is none. */
bool hostnames_find(struct hostnames *h, struct str address, struct str *ret);

/* Names that addresses were compared with although no answer had come, by number; NULL behind. */
const char *hostnames_missed(const struct hostnames *h, unsigned i);
