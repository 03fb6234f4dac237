/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

static struct curl functions;
static bool loaded;

static void *open_library(void)
{
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
	void *library = NULL;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]) && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return library;
}

static void load(void)
{
	void *library = open_library();

	if (!library)
		return;
	loaded = true;
#define CURL_LOOK_UP(name)                                                                         \
	functions.name = (__typeof__(functions.name))dlsym(library, "curl_" #name);                \
	loaded = loaded && functions.name;
	CURL_FUNCTIONS(CURL_LOOK_UP)
#undef CURL_LOOK_UP
	if (loaded)
		functions.global_init(CURL_GLOBAL_DEFAULT);
}

const struct curl *curl_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
