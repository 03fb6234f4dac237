/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/isolate.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "plugin/life.h"
#include "plugin/lines.h"
#include "plugin/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { CHILD_FD = 3, SCHEMA_TEXT_MAX = 64 };

/* What a plugin said of itself, for as long as plugin_open() reads it. */
static _Thread_local struct who {
	struct buf bytes;
	const char *texts[WIRE_TEXTS];
	uint32_t id;
	plugin_api api;
} asked;

struct isolated {
	struct life *life;
	char *path, *config, *params; /* params: NULL: its source is not open */
	uint64_t memory_max;
	pthread_t thread;
	pthread_mutex_t lock; /* of the conversation; the thread's while the process is started */
	pthread_cond_t changed;
	atomic_bool is_up;
	bool stop, is_open;
	int fd;
	pid_t pid;
	struct buf question, answer;
	struct buf batch; /* whose events are out: nothing else is written there meanwhile */
	char schema[SCHEMA_TEXT_MAX];
	uint16_t *types; /* of events that it gives fields of; n 0: all */
	uint32_t n_types;
	ss_plugin_event **events;
	struct isolate_values values;
	char error[LIFE_ERROR_MAX];
	atomic_uint_least64_t n_restarts;
	ss_plugin_metric metric;
};

static uint64_t memory_of_new; /* of isolate_api(), for who begins next; one thread loads */

/* ---- a process ---- */

/* Its file descriptors are the standard ones and the socket. */
static int start_process(const char *path, uint64_t memory_max, pid_t *ret_pid, int *ret_fd)
{
	char number[24];
	char *argv[] = {(char *)(uintptr_t) "saker", (char *)(uintptr_t) "plugin-process",
			(char *)(uintptr_t)path, number, NULL};
	posix_spawn_file_actions_t files;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)memory_max);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, 2, 1);
	posix_spawn_file_actions_adddup2(&files, pair[1], CHILD_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, CHILD_FD + 1);
	r = posix_spawn(ret_pid, "/proc/self/exe", &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	close(pair[1]);
	if (r) {
		close(pair[0]);
		return -r;
	}
	*ret_fd = pair[0];
	return 0;
}

static void end_process(pid_t pid, int fd)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(fd);
}

/* ---- who it is ---- */

static const char *text_of(enum wire_text t)
{
	return asked.texts[t];
}

#define SAYS(function, text)                                                                       \
	static const char *function(void)                                                          \
	{                                                                                          \
		return text_of(text);                                                              \
	}
SAYS(get_api_version, WIRE_API_VERSION)
SAYS(get_name, WIRE_NAME)
SAYS(get_description, WIRE_DESCRIPTION)
SAYS(get_contact, WIRE_CONTACT)
SAYS(get_version, WIRE_VERSION)
SAYS(get_source, WIRE_SOURCE)
SAYS(get_fields, WIRE_FIELDS)
SAYS(get_extract_sources, WIRE_EXTRACT_SOURCES)

static const char *get_schema(ss_plugin_schema_type *type)
{
	*type = text_of(WIRE_SCHEMA) ? SS_PLUGIN_SCHEMA_JSON : SS_PLUGIN_SCHEMA_NONE;
	return text_of(WIRE_SCHEMA);
}

static uint32_t get_id(void)
{
	return asked.id;
}

/* Each text that there is ends within the answer. */
static bool read_who(struct wire_who *w)
{
	struct str rest = buf_str(&asked.bytes);

	if (rest.n < sizeof(*w))
		return false;
	memcpy(w, rest.p, sizeof(*w));
	rest = str_from(rest, sizeof(*w));
	for (unsigned i = 0; i < WIRE_TEXTS; i++) {
		size_t n = strnlen(rest.p, rest.n);

		asked.texts[i] = NULL;
		if (!(w->texts >> i & 1))
			continue;
		if (n == rest.n)
			return false;
		asked.texts[i] = rest.p;
		rest = str_from(rest, n + 1);
	}
	asked.id = w->id;
	return true;
}

/* ---- conversation; under the lock ---- */

/* What is wrong with the process is told and mended by its thread. */
static void give_up(struct isolated *s, const char *doing, const char *why)
{
	if (!atomic_exchange(&s->is_up, false))
		return;
	atomic_fetch_add(&s->n_restarts, 1);
	kill(s->pid, SIGKILL);
	lines_add(plugins_lines(s->life->host),
		  "plugin '%.64s': its process %s while it was to %s; it is started anew (%llu "
		  "times so far)",
		  s->life->plugin->name, why, doing,
		  (unsigned long long)atomic_load(&s->n_restarts));
	pthread_cond_signal(&s->changed);
}

static const char *reason(int error)
{
	return error == -ETIMEDOUT ? "did not answer in time"
	       : error == -E2BIG   ? "answered too much"
				   : "ended";
}

/* SS_PLUGIN_... as it answered; s->answer.  -errno: it did not. */
static int ask(struct isolated *s, enum wire_question q, const void *p, size_t n, int ms)
{
	int64_t until = wire_now_ms() + ms;
	int32_t rc = 0;
	int r = wire_send(s->fd, (int32_t)q, p, n, until);

	if (!r)
		r = wire_receive(s->fd, &rc, &s->answer, until);
	return r ? r : rc < SS_PLUGIN_TIMEOUT || rc > SS_PLUGIN_NOT_SUPPORTED ? -EPROTO : rc;
}

static void keep_error(struct isolated *s, int r)
{
	snprintf(s->error, sizeof(s->error), "%s", r < 0 ? reason(r) : buf_z(&s->answer));
}

/* ---- the thread that keeps it alive ---- */

/* The version of the events that it knows, and the types that it wants; said once. */
static void take_wishes(struct isolated *s)
{
	struct str all = buf_str(&s->answer), rest;
	size_t n = strnlen(all.p, all.n);

	if (n < sizeof(s->schema))
		memcpy(s->schema, all.p, n);
	rest = str_from(all, n + 1);
	s->n_types = (uint32_t)(rest.n / sizeof(*s->types));
	s->types = xcalloc(s->n_types + 1, sizeof(*s->types));
	memcpy(s->types, rest.p, s->n_types * sizeof(*s->types));
}

static int start(struct isolated *s)
{
	int r = start_process(s->path, s->memory_max, &s->pid, &s->fd);

	if (r)
		return r;
	r = ask(s, WIRE_INIT, s->config, strlen(s->config), ISOLATE_START_MS);
	if (!r && !s->types)
		take_wishes(s);
	if (!r && s->is_open)
		r = ask(s, WIRE_OPEN, s->params, strlen(s->params), ISOLATE_START_MS);
	if (!r)
		return 0;
	keep_error(s, r);
	end_process(s->pid, s->fd);
	s->fd = -1;
	return r < 0 ? r : -EIO;
}

/* False: stop. */
static bool nap(struct isolated *s, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!s->stop && !pthread_cond_timedwait(&s->changed, &s->lock, &until))
		;
	return !s->stop;
}

static void *keep_alive(void *arg)
{
	struct isolated *s = arg;
	unsigned wait_ms = ISOLATE_BACKOFF_LEAST_MS;
	int64_t since = wire_now_ms();

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		if (atomic_load(&s->is_up)) {
			pthread_cond_wait(&s->changed, &s->lock);
			continue;
		}
		if (s->fd >= 0)
			end_process(s->pid, s->fd);
		s->fd = -1;
		/* One that has run well for long begins with the shortest wait. */
		if (wire_now_ms() - since > ISOLATE_BACKOFF_MOST_MS)
			wait_ms = ISOLATE_BACKOFF_LEAST_MS;
		if (!nap(s, wait_ms))
			break;
		wait_ms = wait_ms * 2 < ISOLATE_BACKOFF_MOST_MS ? wait_ms * 2
								: ISOLATE_BACKOFF_MOST_MS;
		if (!start(s)) {
			since = wire_now_ms();
			atomic_store(&s->is_up, true);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- the functions ---- */

static ss_plugin_t *init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	struct isolated *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t a;

	s->life = in->owner;
	s->path = xstrdup(s->life->plugin->path);
	s->config = xstrdup(in->config ? in->config : "");
	s->memory_max = memory_of_new;
	s->fd = -1;
	s->events = xcalloc(ISOLATE_EVENTS_MAX, sizeof(*s->events));
	buf_init(&s->question, ISOLATE_REPLY_MAX + 4096);
	buf_init(&s->answer, ISOLATE_REPLY_MAX);
	buf_init(&s->batch, ISOLATE_REPLY_MAX);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &a);
	pthread_condattr_destroy(&a);
	*rc = SS_PLUGIN_FAILURE;
	if (start(s))
		return s;
	atomic_store(&s->is_up, true);
	if (thread_start(keep_alive, s, &s->thread, NULL)) {
		snprintf(s->error, sizeof(s->error), "no thread can be started for it");
		return s;
	}
	*rc = SS_PLUGIN_SUCCESS;
	return s;
}

static void destroy(ss_plugin_t *state)
{
	struct isolated *s = state;

	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->thread)
		pthread_join(s->thread, NULL);
	if (s->fd >= 0)
		end_process(s->pid, s->fd);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	buf_done(&s->question);
	buf_done(&s->answer);
	buf_done(&s->batch);
	free(s->events);
	free(s->types);
	free(s->params);
	free(s->config);
	free(s->path);
	free(s);
}

static const char *get_last_error(ss_plugin_t *state)
{
	return ((struct isolated *)state)->error;
}

static uint16_t *get_types(uint32_t *n, ss_plugin_t *state)
{
	struct isolated *s = state;

	*n = s->n_types;
	return s->types;
}

static const char *get_schema_version(ss_plugin_t *state)
{
	struct isolated *s = state;

	return *s->schema ? s->schema : NULL;
}

static ss_instance_t *open_source(ss_plugin_t *state, const char *params, ss_plugin_rc *rc)
{
	struct isolated *s = state;
	int r;

	pthread_mutex_lock(&s->lock);
	s->params = xstrdup(params);
	r = atomic_load(&s->is_up)
		    ? ask(s, WIRE_OPEN, s->params, strlen(s->params), ISOLATE_START_MS)
		    : -EPIPE;
	s->is_open = !r;
	if (r)
		keep_error(s, r);
	if (r < 0)
		give_up(s, "open its source", reason(r));
	pthread_mutex_unlock(&s->lock);
	*rc = r ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
	return r ? NULL : s;
}

/* The process is of no use any more: it begins anew when it is needed. */
static void close_source(ss_plugin_t *state, ss_instance_t *instance)
{
	struct isolated *s = state;

	pthread_mutex_lock(&s->lock);
	s->is_open = false;
	pthread_mutex_unlock(&s->lock);
}

static int64_t take_batch(struct isolated *s)
{
	struct buf old = s->batch;

	s->batch = s->answer;
	s->answer = old;
	return isolate_split_events((uint8_t *)s->batch.p, s->batch.n, s->events,
				    ISOLATE_EVENTS_MAX);
}

static ss_plugin_rc next_batch(ss_plugin_t *state, ss_instance_t *instance, uint32_t *n,
			       ss_plugin_event ***events)
{
	struct isolated *s = state;
	int64_t count = 0;
	int r;

	*n = 0;
	if (!atomic_load(&s->is_up))
		return SS_PLUGIN_TIMEOUT;
	pthread_mutex_lock(&s->lock);
	r = ask(s, WIRE_BATCH, NULL, 0, ISOLATE_BATCH_MS);
	if (r == SS_PLUGIN_FAILURE)
		keep_error(s, r);
	else if (r >= SS_PLUGIN_TIMEOUT)
		count = take_batch(s);
	if (r < SS_PLUGIN_TIMEOUT || count < 0)
		give_up(s, "give events", count < 0 ? "gave none" : reason(r));
	pthread_mutex_unlock(&s->lock);
	if (r < SS_PLUGIN_TIMEOUT || count < 0)
		return SS_PLUGIN_TIMEOUT;
	*n = (uint32_t)count;
	*events = s->events;
	return (ss_plugin_rc)r;
}

/* ---- fields ---- */

/* False: the process is not there, or its thread is at it. */
static bool begin_quickly(struct isolated *s)
{
	struct timespec until;

	if (!atomic_load(&s->is_up))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ISOLATE_EXTRACT_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (pthread_mutex_clocklock(&s->lock, CLOCK_MONOTONIC, &until))
		return false;
	if (atomic_load(&s->is_up))
		return true;
	pthread_mutex_unlock(&s->lock);
	return false;
}

static int ask_of_event(struct isolated *s, enum wire_question what, struct wire_extract *w,
			const ss_plugin_event_input *in, const char *key)
{
	w->number = in->evtnum;
	w->n_source = (uint32_t)strlen(in->evtsrc) + 1;
	w->has_key = key != NULL;
	w->n_key = key ? (uint32_t)strlen(key) + 1 : 0;
	buf_reset(&s->question);
	buf_add(&s->question, w, sizeof(*w));
	buf_add(&s->question, in->evtsrc, w->n_source);
	if (key)
		buf_add(&s->question, key, w->n_key);
	buf_add(&s->question, in->evt, in->evt->len);
	if (s->question.truncated)
		return SS_PLUGIN_FAILURE;
	return ask(s, what, s->question.p, s->question.n, ISOLATE_EXTRACT_MS);
}

static void set_values(struct isolate_values *v, ss_plugin_extract_field *x)
{
	if (x->ftype == FTYPE_STRING)
		x->res.str = v->texts;
	else if (x->ftype == FTYPE_IPADDR || x->ftype == FTYPE_IPNET)
		x->res.buf = v->buffers;
	else if (x->ftype == FTYPE_BOOL)
		x->res.boolean = v->flags;
	else
		x->res.u64 = v->numbers;
	x->res_len = v->n;
}

static ss_plugin_rc extract_fields(ss_plugin_t *state, const ss_plugin_event_input *in,
				   const ss_plugin_field_extract_input *asked_for)
{
	struct isolated *s = state;
	ss_plugin_extract_field *x = asked_for->fields;
	struct wire_extract w = {.index = x->arg_index,
				 .field = x->field_id,
				 .type = x->ftype,
				 .is_list = x->flist,
				 .has_argument = x->arg_present};
	int r;

	x->res_len = 0;
	if (asked_for->num_fields != 1 || !begin_quickly(s))
		return SS_PLUGIN_SUCCESS;
	r = ask_of_event(s, WIRE_EXTRACT, &w, in, x->arg_key);
	if (r < 0)
		give_up(s, "give a field", reason(r));
	else if (!isolate_read_values((const uint8_t *)buf_str(&s->answer).p, s->answer.n, x->ftype,
				      &s->values))
		give_up(s, "give a field", "gave none");
	else
		set_values(&s->values, x);
	pthread_mutex_unlock(&s->lock);
	return SS_PLUGIN_SUCCESS;
}

static const char *event_to_string(ss_plugin_t *state, const ss_plugin_event_input *in)
{
	struct isolated *s = state;
	struct wire_extract w = {.index = 0};
	int r;

	if (!begin_quickly(s))
		return NULL;
	r = ask_of_event(s, WIRE_DESCRIBE, &w, in, NULL);
	if (r < 0)
		give_up(s, "describe an event", reason(r));
	pthread_mutex_unlock(&s->lock);
	return r ? NULL : buf_z(&s->answer);
}

static ss_plugin_metric *get_metrics(ss_plugin_t *state, uint32_t *n)
{
	struct isolated *s = state;

	*n = 1;
	s->metric = (ss_plugin_metric){.name = "process_restarts",
				       .type = SS_PLUGIN_METRIC_TYPE_MONOTONIC,
				       .value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64};
	s->metric.value.u64 = atomic_load(&s->n_restarts);
	return &s->metric;
}

/* ---- who it is: asked of a process that then ends ---- */

static void set_functions(plugin_api *a, const struct wire_who *w)
{
	*a = (plugin_api){.get_required_api_version = get_api_version,
			  .get_init_schema = get_schema,
			  .init = init,
			  .destroy = destroy,
			  .get_last_error = get_last_error,
			  .get_name = get_name,
			  .get_description = get_description,
			  .get_contact = get_contact,
			  .get_version = get_version,
			  .event_to_string = event_to_string,
			  .get_metrics = get_metrics,
			  .get_required_event_schema_version = get_schema_version};
	if (w->has_source) {
		a->get_id = w->id ? get_id : NULL;
		a->get_event_source = asked.texts[WIRE_SOURCE] ? get_source : NULL;
		a->open = open_source;
		a->close = close_source;
		a->next_batch = next_batch;
	}
	if (w->has_fields) {
		a->get_fields = get_fields;
		a->extract_fields = extract_fields;
		a->get_extract_event_types = get_types;
		if (asked.texts[WIRE_EXTRACT_SOURCES])
			a->get_extract_event_sources = get_extract_sources;
	}
}

static int ask_who(int fd, struct wire_who *w, struct err *e)
{
	int64_t until = wire_now_ms() + ISOLATE_START_MS;
	int32_t rc = 0;
	int r = wire_send(fd, WIRE_WHO, NULL, 0, until);

	if (!r)
		r = wire_receive(fd, &rc, &asked.bytes, until);
	if (r < 0)
		return err_set(e, r, "its process %s", reason(r));
	if (rc != SS_PLUGIN_SUCCESS)
		return err_set(e, -EINVAL, "%s", buf_z(&asked.bytes));
	if (!read_who(w))
		return err_set(e, -EPROTO, "its process does not say who it is");
	if (w->has_others)
		return err_set(e, -ENOTSUP,
			       "it parses events, sends some of its own accord or listens to "
			       "captures, which it can't in a process of its own");
	return 0;
}

int isolate_api(const char *path, uint64_t memory_max, const plugin_api **ret, struct err *e)
{
	struct wire_who w;
	pid_t pid;
	int fd, r;

	if (!asked.bytes.max)
		buf_init(&asked.bytes, PLUGIN_TEXT_MAX * 2);
	memory_of_new = memory_max;
	r = start_process(path, memory_max, &pid, &fd);
	if (r < 0)
		return err_set(e, r, "plugin %s: its process: %s", path, strerror(-r));
	r = ask_who(fd, &w, e);
	end_process(pid, fd);
	if (r < 0)
		return err_prepend(e, "plugin %s: ", path);
	set_functions(&asked.api, &w);
	*ret = &asked.api;
	return 0;
}
