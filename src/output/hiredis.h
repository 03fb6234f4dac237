/* SPDX-License-Identifier: Apache-2.0 */
/* libhiredis, loaded when alerts go to Redis. */
#pragma once

#include <hiredis/hiredis.h>

#define HIREDIS_FUNCTIONS(X)                                                                       \
	X(redisConnectWithTimeout)                                                                 \
	X(redisConnectUnixWithTimeout)                                                             \
	X(redisSetTimeout)                                                                         \
	X(redisFree)                                                                               \
	X(redisAppendCommandArgv)                                                                  \
	X(redisBufferWrite)                                                                        \
	X(redisBufferRead)                                                                         \
	X(redisGetReplyFromReader)                                                                 \
	X(freeReplyObject)

struct hiredis {
#define HIREDIS_MEMBER(name) __typeof__(name) *name;
	HIREDIS_FUNCTIONS(HIREDIS_MEMBER)
#undef HIREDIS_MEMBER
};

/* The functions; NULL when there is no libhiredis of the version that we are built with. */
const struct hiredis *hiredis_load(void);
