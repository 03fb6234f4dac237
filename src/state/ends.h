/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a socket: as records tell them, as descriptors keep them, as text. */
#pragma once

#include "state/private.h"

/* Address families as records number them. */
enum { AF_PORTABLE_UNIX = 1, AF_PORTABLE_INET = 2, AF_PORTABLE_INET6 = 10 };

struct ends {
	uint8_t family;		 /* AF_PORTABLE_*; pairs of IPv4-mapped addresses are INET */
	struct sock_tuple tuple; /* its l4 is left alone */
	uint64_t src, dst;	 /* UNIX */
	struct str path;
};

/* A socket tuple parameter; false when it is empty, of another family or misshapen. */
bool ends_parse(struct str param, struct ends *ret);
/* A socket address parameter, as the destination; mapped and unspecified addresses are INET. */
bool ends_parse_address(struct str param, struct ends *ret);

/* Client and server change places. */
void ends_swap(struct sock_tuple *t);
/* An end without an address gets that of an interface that could reach the other one. */
void ends_complete(const struct state *s, struct sock_tuple *t, bool is_v6);

/* Whether the descriptor has exactly these. */
bool ends_equal(const struct fd *fd, const struct ends *e);
/*
 * The descriptor takes over the ends, and the type that goes with them; its l4 stays.  Its name
 * is made when somebody asks.  False when nothing changed.
 */
bool ends_store(struct state *s, struct fd *fd, const struct ends *e);
