/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stop.h"

#include <stddef.h>

volatile sig_atomic_t stop_signal;

static void on_signal(int signal)
{
	stop_signal = signal;
}

void stop_on_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM};
	struct sigaction old, action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}
