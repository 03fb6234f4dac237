/* SPDX-License-Identifier: Apache-2.0 */
#include "app/init.h"

#include "app/command.h"
#include "app/privilege.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of all that have ended: whether the one that matters has, and how. */
static bool reap(pid_t child, int *status)
{
	bool ended = false;
	pid_t pid;
	int how;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = WIFEXITED(how) ? WEXITSTATUS(how) : (int)EXIT_STOPPED + WTERMSIG(how);
		ended = true;
	}
	return ended;
}

/* A terminal's signals reach the other process by themselves: they are for the whole group. */
static void pass_on(pid_t child, const siginfo_t *s)
{
	if (s->si_code != SI_KERNEL)
		kill(child, s->si_signo);
}

static _Noreturn void serve(pid_t child, const sigset_t *all)
{
	struct err unused = {0};
	siginfo_t s;
	int status = 0;

	privilege_drop(0, &unused); /* it needs none to signal a process of the same user */
	for (;;) {
		if (sigwaitinfo(all, &s) < 0)
			continue;
		if (s.si_signo != SIGCHLD)
			pass_on(child, &s);
		else if (reap(child, &status))
			_exit(status);
	}
}

void init_if_first(void)
{
	sigset_t all, before;
	pid_t child;

	if (getpid() != 1)
		return;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	child = fork();
	if (child > 0)
		serve(child, &all);
	/* Without another process there is this one, as ever. */
	sigprocmask(SIG_SETMASK, &before, NULL);
}
