/* SPDX-License-Identifier: Apache-2.0 */
#include "output/hiredis.h"

#include "base/library.h"

#include <pthread.h>

#define TEXT_OF(text) #text
#define LIBRARY(version) "libhiredis.so." TEXT_OF(version)

static struct hiredis functions;
static bool loaded;

static const struct library_symbol symbols[] = {
#define HIREDIS_SYMBOL(name) {#name, &functions.name},
	HIREDIS_FUNCTIONS(HIREDIS_SYMBOL)
#undef HIREDIS_SYMBOL
};

/* The layout of its structs is that of the version in its name. */
static void load(void)
{
	static const char *const names[] = {LIBRARY(HIREDIS_SONAME), NULL};

	loaded = library_load(names, symbols, sizeof(symbols) / sizeof(symbols[0]));
}

const struct hiredis *hiredis_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
