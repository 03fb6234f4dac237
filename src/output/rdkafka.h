/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka, loaded when alerts go to Kafka. */
#pragma once

#include <librdkafka/rdkafka.h>

#define RDKAFKA_FUNCTIONS(X)                                                                       \
	X(conf_new)                                                                                \
	X(conf_dup)                                                                                \
	X(conf_destroy)                                                                            \
	X(conf_set)                                                                                \
	X(conf_set_opaque)                                                                         \
	X(conf_set_dr_msg_cb)                                                                      \
	X(conf_set_error_cb)                                                                       \
	X(conf_set_log_cb)                                                                         \
	X(conf_interceptor_add_on_new)                                                             \
	X(interceptor_add_on_thread_start)                                                         \
	X(new)                                                                                     \
	X(destroy)                                                                                 \
	X(producev)                                                                                \
	X(poll)                                                                                    \
	X(purge)                                                                                   \
	X(err2str)

struct rdkafka {
#define RDKAFKA_MEMBER(name) __typeof__(rd_kafka_##name) *name;
	RDKAFKA_FUNCTIONS(RDKAFKA_MEMBER)
#undef RDKAFKA_MEMBER
};

/* The functions; NULL when there is no librdkafka of version 1's interface. */
const struct rdkafka *rdkafka_load(void);
