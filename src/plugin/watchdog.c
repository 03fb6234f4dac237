/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/watchdog.h"

#include "base/alloc.h"
#include "base/stop.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOK_MS = 500,	    /* between two looks */
	PATIENCE_MS = 3000, /* then it is told */
	STATUS_HUNG = 1,
};

struct watchdog {
	struct plugin_calls *calls; /* of the event thread */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
};

/* False: stop. */
static bool sleep_a_while(struct watchdog *w)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&w->lock);
	if (!w->stop)
		pthread_cond_timedwait(&w->changed, &w->lock, &until);
	go_on = !w->stop;
	pthread_mutex_unlock(&w->lock);
	return go_on;
}

/* Nobody else can: the thread that tells things is the one that is in the call. */
static void tell(const struct plugin_call *c, const char *what)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "saker: plugin '%.64s' %s plugin_%.64s\n", c->plugin,
			 what, c->function);

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

static void *work(void *arg)
{
	struct watchdog *w = arg;
	uint64_t last = 0, number;
	unsigned ms = 0;
	struct plugin_call c;

	while (sleep_a_while(w)) {
		if (!plugin_calls_look(w->calls, &number, &c) || number != last) {
			last = number;
			ms = 0;
			continue;
		}
		ms += LOOK_MS;
		if (ms == PATIENCE_MS)
			tell(&c, "does not come back from");
		if (ms >= PATIENCE_MS && stop_signal) {
			tell(&c, "was left in");
			_exit(STATUS_HUNG); /* as it would at the end, but for what is lost */
		}
	}
	return NULL;
}

struct watchdog *watchdog_begin(void)
{
	struct watchdog *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t a;

	w->calls = plugin_calls_of_thread();
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, &a);
	pthread_condattr_destroy(&a);
	if (!thread_start(work, w, &w->thread, NULL))
		return w;
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
	return NULL;
}

void watchdog_end(struct watchdog *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}
