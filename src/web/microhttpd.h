/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd, loaded when a web server is wanted: with the TLS library behind it it is as large
 * as Saker, and most commands serve nobody.
 */
#pragma once

#include <microhttpd.h>

#define MICROHTTPD_FUNCTIONS(X)                                                                    \
	X(start_daemon)                                                                            \
	X(stop_daemon)                                                                             \
	X(get_daemon_info)                                                                         \
	X(create_response_from_buffer_with_free_callback_cls)                                      \
	X(add_response_header)                                                                     \
	X(queue_response)                                                                          \
	X(lookup_connection_value)                                                                 \
	X(destroy_response)                                                                        \
	X(is_feature_supported)

struct microhttpd {
#define MICROHTTPD_MEMBER(name) __typeof__(MHD_##name) *name;
	MICROHTTPD_FUNCTIONS(MICROHTTPD_MEMBER)
#undef MICROHTTPD_MEMBER
};

/* The functions; NULL when there is no libmicrohttpd of version 0.9.7x. */
const struct microhttpd *microhttpd_load(void);
