/* SPDX-License-Identifier: Apache-2.0 */
#include "web/microhttpd.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

static struct microhttpd functions;
static bool loaded;

static void load(void)
{
	void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	loaded = true;
#define MICROHTTPD_LOOK_UP(name)                                                                   \
	functions.name = (__typeof__(functions.name))dlsym(library, "MHD_" #name);                 \
	loaded = loaded && functions.name;
	MICROHTTPD_FUNCTIONS(MICROHTTPD_LOOK_UP)
#undef MICROHTTPD_LOOK_UP
}

const struct microhttpd *microhttpd_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
