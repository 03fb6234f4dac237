/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>
#include <string.h>

int thread_start(void *(*work)(void *arg), void *arg, pthread_t *ret, struct err *e)
{
	static const int own[] = {SIGSYS, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	sigset_t blocked, before;
	int r;

	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&blocked, own[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	r = pthread_create(ret, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? err_set(e, -r, "starting a thread: %s", strerror(r)) : 0;
}
