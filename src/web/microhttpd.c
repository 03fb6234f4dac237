/* SPDX-License-Identifier: Apache-2.0 */
#include "web/microhttpd.h"

#include "base/library.h"

#include <pthread.h>

static struct microhttpd functions;
static bool loaded;

static const struct library_symbol symbols[] = {
#define MICROHTTPD_SYMBOL(name) {"MHD_" #name, &functions.name},
	MICROHTTPD_FUNCTIONS(MICROHTTPD_SYMBOL)
#undef MICROHTTPD_SYMBOL
};

static void load(void)
{
	static const char *const names[] = {"libmicrohttpd.so.12", NULL};

	loaded = library_load(names, symbols, sizeof(symbols) / sizeof(symbols[0]));
}

const struct microhttpd *microhttpd_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
