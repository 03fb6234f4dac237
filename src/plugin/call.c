/* SPDX-License-Identifier: Apache-2.0 */
/* A crash in a plugin is told by the plugin's name. */
#include "plugin/library.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

enum { N_FATAL = sizeof(fatal) / sizeof(fatal[0]) };

static struct sigaction old_actions[N_FATAL];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct plugin_call calling;

struct plugin_call plugin_call_begin(const char *plugin, const char *function)
{
	struct plugin_call before = calling;

	calling = (struct plugin_call){plugin, function};
	return before;
}

void plugin_call_end(struct plugin_call before)
{
	calling = before;
}

static void say(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n; /* nobody is left to be told */
}

/* What was to happen before happens now: the instruction fails again. */
static void crashed(int signal)
{
	if (calling.plugin) {
		say("saker: plugin '");
		say(calling.plugin);
		say("' crashed in plugin_");
		say(calling.function);
		say("\n");
	}
	for (unsigned i = 0; i < N_FATAL; i++)
		if (fatal[i] == signal)
			sigaction(signal, &old_actions[i], NULL);
}

static void install(void)
{
	struct sigaction a = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};

	for (unsigned i = 0; i < N_FATAL; i++)
		sigaction(fatal[i], &a, &old_actions[i]);
}

void plugin_tell_crashes(void)
{
	pthread_once(&once, install);
}
