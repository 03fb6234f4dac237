/* SPDX-License-Identifier: Apache-2.0 */
/* A crash in a plugin is told by the plugin's name. */
#include "plugin/library.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

enum { N_FATAL = sizeof(fatal) / sizeof(fatal[0]), LINE_MAX_BYTES = 256 };

static struct sigaction old_actions[N_FATAL];
static pthread_once_t once = PTHREAD_ONCE_INIT;
/* The call that a thread is in, for itself and for who looks after it. */
struct plugin_calls {
	_Atomic(const char *) plugin, function; /* NULL: in none */
	atomic_uint_fast64_t number;		/* changes with each call that begins or ends */
};

static _Thread_local struct plugin_calls calling;

static struct plugin_call now_calling(void)
{
	return (struct plugin_call){atomic_load_explicit(&calling.plugin, memory_order_relaxed),
				    atomic_load_explicit(&calling.function, memory_order_relaxed)};
}

/* Only its own thread writes it. */
static void set_calling(struct plugin_call c)
{
	uint64_t n = atomic_load_explicit(&calling.number, memory_order_relaxed);

	atomic_store_explicit(&calling.plugin, c.plugin, memory_order_relaxed);
	atomic_store_explicit(&calling.function, c.function, memory_order_relaxed);
	atomic_store_explicit(&calling.number, n + 1, memory_order_release);
}

struct plugin_call plugin_call_begin(const char *plugin, const char *function)
{
	struct plugin_call before = now_calling();

	set_calling((struct plugin_call){plugin, function});
	return before;
}

void plugin_call_end(struct plugin_call before)
{
	set_calling(before);
}

struct plugin_calls *plugin_calls_of_thread(void)
{
	return &calling;
}

bool plugin_calls_look(struct plugin_calls *c, uint64_t *ret_number, struct plugin_call *ret)
{
	*ret_number = atomic_load(&c->number);
	ret->function = atomic_load(&c->function);
	ret->plugin = atomic_load(&c->plugin);
	return ret->plugin && ret->function;
}

static void add(char line[LINE_MAX_BYTES], const char *text)
{
	size_t n = strlen(line), more = strnlen(text, LINE_MAX_BYTES - 2 - n);

	memcpy(line + n, text, more);
	line[n + more] = '\0';
}

/* In one piece, as other threads may have something to say; with what a handler may call. */
static void tell(struct plugin_call c)
{
	char line[LINE_MAX_BYTES] = "saker: plugin '";
	size_t n;

	add(line, c.plugin);
	add(line, "' crashed in plugin_");
	add(line, c.function);
	n = strlen(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nobody is left to be told */
}

/* What was to happen before happens now: the instruction fails again. */
static void crashed(int signal)
{
	struct plugin_call c = now_calling();

	if (c.plugin)
		tell(c);
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
