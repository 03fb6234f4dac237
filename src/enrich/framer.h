/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages out of a stream of bytes: lines of JSON, or gRPC's length-prefixed messages.
 */
#pragma once

#include "base/buf.h"

enum framing { FRAMING_LINES, FRAMING_GRPC };

struct framer {
	enum framing kind;
	struct buf rest; /* of a message whose end has not come; its limit is a message's */
};

void framer_init(struct framer *f, enum framing kind, size_t max_bytes);
void framer_done(struct framer *f);
/*
 * Take n bytes in and call `message` for each that is complete.  -EMSGSIZE for one that is longer
 * than the limit, -EPROTO for what is not of the form (a compressed message: none was asked for).
 */
int framer_feed(struct framer *f, struct str bytes, void (*message)(void *arg, struct str m),
		void *arg);

/* The message of a whole gRPC reply; -EPROTO when it is not exactly one. */
int grpc_unwrap(struct str body, struct str *ret);
void grpc_wrap(struct buf *out, struct str message);
