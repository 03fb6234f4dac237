/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t stop_signal;
static uint64_t start_ns, end_ns = UINT64_MAX; /* monotonic */

/* Of two, the first is the one that asked. */
static void on_signal(int signal)
{
	if (!stop_signal)
		stop_signal = signal;
}

void stop_on_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction old, action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* When a terminal goes away, both the kernel and the shell may say so. */
		action.sa_flags = signals[i] == SIGHUP ? 0 : (int)SA_RESETHAND;
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

static volatile sig_atomic_t hangups_fd = -1;

static void on_hangup(int signal, siginfo_t *info, void *context)
{
	static const uint64_t one = 1;
	int saved = errno;

	(void)context;
	if (info->si_code == SI_KERNEL || hangups_fd < 0)
		on_signal(signal);
	else
		(void)!write(hangups_fd, &one, sizeof(one));
	errno = saved;
}

void stop_pass_hangups(int event_fd)
{
	struct sigaction old, action = {.sa_sigaction = on_hangup, .sa_flags = SA_SIGINFO};

	hangups_fd = event_fd;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void stop_after(uint64_t seconds)
{
	start_ns = monotonic_ns();
	end_ns = UINT64_MAX;
	if (seconds && seconds < (UINT64_MAX - start_ns) / 1000000000)
		end_ns = start_ns + seconds * 1000000000;
}

double stop_seconds(void)
{
	return (double)(monotonic_ns() - start_ns) / 1e9;
}

uint64_t stop_left_ns(uint64_t most)
{
	uint64_t now = monotonic_ns(), left = now < end_ns ? end_ns - now : 0;

	return left < most ? left : most;
}

bool stop_due(void)
{
	return stop_signal || !stop_left_ns(1);
}
