/* SPDX-License-Identifier: Apache-2.0 */
#include "output/rdkafka.h"

#include "base/library.h"

#include <pthread.h>

static struct rdkafka functions;
static bool loaded;

static const struct library_symbol symbols[] = {
#define RDKAFKA_SYMBOL(name) {"rd_kafka_" #name, &functions.name},
	RDKAFKA_FUNCTIONS(RDKAFKA_SYMBOL)
#undef RDKAFKA_SYMBOL
};

static void load(void)
{
	static const char *const names[] = {"librdkafka.so.1", NULL};

	loaded = library_load(names, symbols, sizeof(symbols) / sizeof(symbols[0]));
}

const struct rdkafka *rdkafka_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
