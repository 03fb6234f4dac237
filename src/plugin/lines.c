/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/lines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void lines_init(struct lines *l)
{
	pthread_mutex_init(&l->lock, NULL);
}

void lines_done(struct lines *l)
{
	pthread_mutex_destroy(&l->lock);
}

void lines_add(struct lines *l, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&l->lock);
	if (l->n < LINES_MAX) {
		va_start(ap, fmt);
		vsnprintf(l->list[(l->first + l->n++) % LINES_MAX], PLUGIN_LINE_MAX, fmt, ap);
		va_end(ap);
	} else {
		l->n_dropped++;
	}
	pthread_mutex_unlock(&l->lock);
}

bool lines_take(struct lines *l, char ret[PLUGIN_LINE_MAX])
{
	bool some = true;

	pthread_mutex_lock(&l->lock);
	if (l->n) {
		memcpy(ret, l->list[l->first], PLUGIN_LINE_MAX);
		l->first = (l->first + 1) % LINES_MAX;
		l->n--;
	} else if (l->n_dropped) {
		snprintf(ret, PLUGIN_LINE_MAX, "%" PRIu64 " messages of plugins were too many",
			 l->n_dropped);
		l->n_dropped = 0;
	} else {
		some = false;
	}
	pthread_mutex_unlock(&l->lock);
	return some;
}
