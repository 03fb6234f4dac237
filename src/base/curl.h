/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when the first runtime is to be asked or the first alert to be sent: with all
 * that it brings along it is larger than the rest of Saker, and most commands ask nobody.
 */
#pragma once

#include <curl/curl.h>

#define CURL_FUNCTIONS(X)                                                                          \
	X(global_init)                                                                             \
	X(easy_init)                                                                               \
	X(easy_cleanup)                                                                            \
	X(easy_setopt)                                                                             \
	X(easy_getinfo)                                                                            \
	X(easy_perform)                                                                            \
	X(easy_strerror)                                                                           \
	X(slist_append)                                                                            \
	X(slist_free_all)                                                                          \
	X(multi_init)                                                                              \
	X(multi_cleanup)                                                                           \
	X(multi_setopt)                                                                            \
	X(multi_add_handle)                                                                        \
	X(multi_remove_handle)                                                                     \
	X(multi_poll)                                                                              \
	X(multi_perform)                                                                           \
	X(multi_info_read)

struct curl {
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/* The functions, from any thread; NULL when there is no libcurl of version 4's interface. */
const struct curl *curl_load(void);
