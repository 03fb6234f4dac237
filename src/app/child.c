/* SPDX-License-Identifier: Apache-2.0 */
#include "app/child.h"

#include "app/report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

/* What Saker ignores for itself is the command's own business. */
static void restore_signals(void)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
}

__attribute__((noreturn)) static void be_child(int go, char **args, bool keep_stdout)
{
	char c;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!keep_stdout)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	if (read(go, &c, 1) != 1)
		_exit(STATUS_NOT_FOUND);
	restore_signals();
	execvp(args[0], args);
	report("%s: %s", args[0], strerror(errno));
	_exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

int child_prepare(struct child *c, char **args, bool keep_stdout, struct err *e)
{
	int go[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(e, -errno, "pipe: %s", strerror(errno));
	c->pid = fork();
	if (!c->pid) {
		close(go[1]);
		be_child(go[0], args, keep_stdout);
	}
	close(go[0]);
	c->go = go[1];
	if (c->pid > 0)
		return 0;
	c->pid = 0;
	return err_set(e, -errno, "fork: %s", strerror(errno));
}

int child_begin(struct child *c, struct err *e)
{
	if (c->pid && write(c->go, "", 1) != 1)
		return err_set(e, -errno, "starting the command: %s", strerror(errno));
	return 0;
}

bool child_has_ended(struct child *c)
{
	int status;

	if (!c->pid || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	c->status = WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

void child_done(struct child *c)
{
	if (c->go >= 0)
		close(c->go);
}
