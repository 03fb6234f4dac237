/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of messages: a byte for the form, one for how many bytes come at a time.  However they
 * come, the messages must be the same.
 */
#include "enrich/framer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MESSAGE_MAX = 4096 };

static void add_hash(void *arg, struct str m)
{
	uint64_t *h = arg;

	*h = hash_bytes(m.p, m.n, *h + 1);
}

static int feed(enum framing kind, struct str all, size_t at_once, uint64_t *hash)
{
	struct framer f;
	int r = 0;

	framer_init(&f, kind, MESSAGE_MAX);
	while (all.n && !r) {
		r = framer_feed(&f, str_head(all, at_once), add_hash, hash);
		all = str_from(all, at_once);
	}
	framer_done(&f);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum framing kind = n && data[0] % 2 ? FRAMING_GRPC : FRAMING_LINES;
	uint64_t whole = 0, pieces = 0;
	struct str all, message;

	if (n < 2)
		return 0;
	all = (struct str){(const char *)data + 2, n - 2};
	if (feed(kind, all, all.n + !all.n, &whole) != feed(kind, all, data[1] % 64 + 1, &pieces) ||
	    whole != pieces)
		abort();
	grpc_unwrap(all, &message);
	return 0;
}
