/* SPDX-License-Identifier: Apache-2.0 */
#include "base/curl.h"

#include "base/library.h"

#include <pthread.h>

static struct curl functions;
static bool loaded;

static const struct library_symbol symbols[] = {
#define CURL_SYMBOL(name) {"curl_" #name, &functions.name},
	CURL_FUNCTIONS(CURL_SYMBOL)
#undef CURL_SYMBOL
};

static void load(void)
{
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};

	loaded = library_load(names, symbols, sizeof(symbols) / sizeof(symbols[0]));
	if (loaded)
		functions.global_init(CURL_GLOBAL_DEFAULT);
}

const struct curl *curl_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
