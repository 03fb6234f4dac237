/* SPDX-License-Identifier: Apache-2.0 */
#include "app/stop.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t signalled;
static uint64_t start_ns, end_ns; /* monotonic */

static void on_signal(int sig)
{
	(void)sig;
	signalled = 1;
}

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void stop_prepare(uint64_t seconds)
{
	struct sigaction a = {.sa_handler = on_signal};

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	start_ns = monotonic_ns();
	end_ns = UINT64_MAX;
	if (seconds && seconds < (UINT64_MAX - start_ns) / 1000000000)
		end_ns = start_ns + seconds * 1000000000;
}

bool stop_wanted(void)
{
	return signalled;
}

bool stop_due(void)
{
	return signalled || monotonic_ns() >= end_ns;
}

double stop_seconds(void)
{
	return (double)(monotonic_ns() - start_ns) / 1e9;
}
