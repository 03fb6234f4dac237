/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a plugin that follows events: it counts how often each program was begun.
 *
 *   saker run --plugin libcensus.so --rules census_rules.yaml
 *
 * It parses the ends of execve(2), keeps a table of its own, "census", which other plugins may
 * read, and gives each thread the field "census.runs".  A new program is told by an async event,
 * "census.new", whose text is its name; with the configuration {"every_ms": N} a thread sends
 * "census.beat" every N milliseconds.
 *
 * It is built against saker/plugin.h alone.
 */
#define SAKER_PLUGIN
#include <saker/plugin.h>

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXECVE_EXIT = 293, EXECVEAT_EXIT = 331, PROGRAMS_MAX = 4096, NAME_MAX_BYTES = 64 };

/* What the table "census" has: how often a program was begun, by its name. */
struct program {
	char name[NAME_MAX_BYTES];
	uint64_t runs;
};

struct state {
	char error[256];
	ss_plugin_get_owner_last_error_t why;
	ss_plugin_owner_t *owner;

	/* "threads", and what is used of it. */
	ss_plugin_table_t *threads;
	ss_plugin_table_field_t *comm, *descriptors, *runs;

	struct program programs[PROGRAMS_MAX];
	uint64_t n_programs, n_runs, n_at_start;
	ss_plugin_metric metrics[3];

	/* The thread that sends beats, and whoever takes async events. */
	pthread_t beater;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ss_plugin_async_event_handler_t send;
	unsigned every_ms;
	int beats, stop;

	/* What the last extraction gave. */
	uint64_t number;
	const char *text;
};

/* ---- who it is ---- */

const char *plugin_get_required_api_version(void)
{
	return "3.1.0";
}

const char *plugin_get_required_event_schema_version(ss_plugin_t *state)
{
	return "4.0.0";
}

const char *plugin_get_name(void)
{
	return "census";
}

const char *plugin_get_description(void)
{
	return "How often each program was begun";
}

const char *plugin_get_contact(void)
{
	return "the Saker project";
}

const char *plugin_get_version(void)
{
	return "0.1.0";
}

const char *plugin_get_init_schema(ss_plugin_schema_type *type)
{
	*type = SS_PLUGIN_SCHEMA_JSON;
	return "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
	       "{\"every_ms\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":3600000}}}";
}

const char *plugin_get_last_error(ss_plugin_t *state)
{
	return state ? ((struct state *)state)->error : "out of memory";
}

/* ---- its table ---- */

static const ss_plugin_table_fieldinfo census_fields[] = {{"name", SS_PLUGIN_ST_STRING, 1},
							  {"runs", SS_PLUGIN_ST_UINT64, 0}};

static struct program *find_program(struct state *s, const char *name)
{
	for (uint64_t i = 0; i < s->n_programs; i++)
		if (!strncmp(s->programs[i].name, name, NAME_MAX_BYTES - 1))
			return &s->programs[i];
	return NULL;
}

static struct program *add_program(struct state *s, const char *name)
{
	struct program *p;

	if (s->n_programs == PROGRAMS_MAX)
		return NULL;
	p = &s->programs[s->n_programs++];
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->runs = 0;
	return p;
}

static const char *census_name(ss_plugin_table_t *t)
{
	return "census";
}

static uint64_t census_size(ss_plugin_table_t *t)
{
	return ((struct state *)t)->n_programs;
}

static ss_plugin_table_entry_t *census_get(ss_plugin_table_t *t, const ss_plugin_state_data *key)
{
	return find_program(t, key->str);
}

static ss_plugin_rc census_read(ss_plugin_table_t *t, ss_plugin_table_entry_t *e,
				const ss_plugin_table_field_t *f, ss_plugin_state_data *out)
{
	const struct program *p = e;

	if (f == &census_fields[0])
		out->str = p->name;
	else
		out->u64 = p->runs;
	return SS_PLUGIN_SUCCESS;
}

static void census_release(ss_plugin_table_t *t, ss_plugin_table_entry_t *e)
{
}

static ss_plugin_bool census_iterate(ss_plugin_table_t *t, ss_plugin_table_iterator_func_t it,
				     ss_plugin_table_iterator_state_t *i)
{
	struct state *s = t;

	for (uint64_t n = 0; n < s->n_programs; n++)
		if (!it(i, &s->programs[n]))
			return 0;
	return 1;
}

static ss_plugin_rc census_clear(ss_plugin_table_t *t)
{
	((struct state *)t)->n_programs = 0;
	return SS_PLUGIN_SUCCESS;
}

static ss_plugin_rc census_erase(ss_plugin_table_t *t, const ss_plugin_state_data *key)
{
	struct state *s = t;
	struct program *p = find_program(s, key->str);

	if (!p)
		return SS_PLUGIN_FAILURE;
	*p = s->programs[--s->n_programs];
	return SS_PLUGIN_SUCCESS;
}

static ss_plugin_table_entry_t *census_create(ss_plugin_table_t *t)
{
	return calloc(1, sizeof(struct program));
}

static void census_destroy(ss_plugin_table_t *t, ss_plugin_table_entry_t *e)
{
	free(e);
}

static ss_plugin_table_entry_t *census_add(ss_plugin_table_t *t, const ss_plugin_state_data *key,
					   ss_plugin_table_entry_t *e)
{
	struct program *made = e, *p = find_program(t, key->str);

	if (!p)
		p = add_program(t, key->str);
	if (p)
		p->runs = made->runs;
	free(made);
	return p;
}

static ss_plugin_rc census_write(ss_plugin_table_t *t, ss_plugin_table_entry_t *e,
				 const ss_plugin_table_field_t *f, const ss_plugin_state_data *in)
{
	if (f != &census_fields[1])
		return SS_PLUGIN_FAILURE;
	((struct program *)e)->runs = in->u64;
	return SS_PLUGIN_SUCCESS;
}

static const ss_plugin_table_fieldinfo *census_list(ss_plugin_table_t *t, uint32_t *n)
{
	*n = 2;
	return census_fields;
}

static ss_plugin_table_field_t *census_field(ss_plugin_table_t *t, const char *name,
					     ss_plugin_state_type type)
{
	for (int i = 0; i < 2; i++)
		if (!strcmp(census_fields[i].name, name) && census_fields[i].field_type == type)
			return (ss_plugin_table_field_t *)&census_fields[i];
	return NULL;
}

static ss_plugin_table_field_t *census_add_field(ss_plugin_table_t *t, const char *name,
						 ss_plugin_state_type type)
{
	return census_field(t, name, type); /* it takes no others */
}

static ss_plugin_rc add_census(struct state *s, const ss_plugin_init_input *in)
{
	static ss_plugin_table_reader_vtable_ext reader = {
		census_name, census_size, census_get, census_read, census_release, census_iterate};
	static ss_plugin_table_writer_vtable_ext writer = {census_clear,  census_erase,
							   census_create, census_destroy,
							   census_add,	  census_write};
	static ss_plugin_table_fields_vtable_ext fields = {census_list, census_field,
							   census_add_field};
	const ss_plugin_table_input table = {
		.name = "census",
		.key_type = SS_PLUGIN_ST_STRING,
		.table = s,
		.reader = {census_name, census_size, census_get, census_read},
		.writer = {census_clear, census_erase, census_create, census_destroy, census_add,
			   census_write},
		.fields = {census_list, census_field, census_add_field},
		.reader_ext = &reader,
		.writer_ext = &writer,
		.fields_ext = &fields};

	return in->tables->add_table(in->owner, &table);
}

/* ---- its state ---- */

static int use_threads(struct state *s, const ss_plugin_init_input *in)
{
	const ss_plugin_init_tables_input *t = in->tables;

	s->threads = t->get_table(in->owner, "threads", SS_PLUGIN_ST_INT64);
	if (!s->threads)
		return 0;
	s->comm = t->fields_ext->get_table_field(s->threads, "comm", SS_PLUGIN_ST_STRING);
	s->descriptors =
		t->fields_ext->get_table_field(s->threads, "file_descriptors", SS_PLUGIN_ST_TABLE);
	s->runs = t->fields_ext->add_table_field(s->threads, "census.runs", SS_PLUGIN_ST_UINT64);
	return s->comm && s->descriptors && s->runs;
}

/* The configuration fits the schema, so there is only one number to look for. */
static unsigned read_interval(const char *config)
{
	const char *colon = config ? strchr(config, ':') : NULL;

	return colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
}

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	struct state *s = calloc(1, sizeof(*s));
	pthread_condattr_t a;

	*rc = SS_PLUGIN_FAILURE;
	if (!s)
		return NULL;
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, &a);
	pthread_condattr_destroy(&a);
	s->owner = in->owner;
	s->why = in->get_owner_last_error;
	s->every_ms = read_interval(in->config);
	if (use_threads(s, in) && add_census(s, in) == SS_PLUGIN_SUCCESS)
		*rc = SS_PLUGIN_SUCCESS;
	else
		snprintf(s->error, sizeof(s->error), "%.200s", s->why(s->owner));
	return s;
}

void plugin_destroy(ss_plugin_t *state)
{
	struct state *s = state;

	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s);
}

ss_plugin_rc plugin_set_config(ss_plugin_t *state, const ss_plugin_set_config_input *in)
{
	struct state *s = state;

	pthread_mutex_lock(&s->lock);
	s->every_ms = read_interval(in->config);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return SS_PLUGIN_SUCCESS;
}

/* ---- when the stream of events begins, and what is counted ---- */

static ss_plugin_bool count_thread(ss_plugin_table_iterator_state_t *i, ss_plugin_table_entry_t *e)
{
	++*(uint64_t *)i;
	return 1;
}

/* Those that are there already are no news: they are only counted. */
ss_plugin_rc plugin_capture_open(ss_plugin_t *state, const ss_plugin_capture_listen_input *in)
{
	struct state *s = state;

	s->n_at_start = 0;
	in->table_reader_ext->iterate_entries(s->threads, count_thread, &s->n_at_start);
	return SS_PLUGIN_SUCCESS;
}

ss_plugin_rc plugin_capture_close(ss_plugin_t *state, const ss_plugin_capture_listen_input *in)
{
	return SS_PLUGIN_SUCCESS;
}

ss_plugin_metric *plugin_get_metrics(ss_plugin_t *state, uint32_t *n)
{
	struct state *s = state;

	s->metrics[0] = (ss_plugin_metric){.name = "programs",
					   .type = SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC,
					   .value.u64 = s->n_programs,
					   .value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64};
	s->metrics[1] = (ss_plugin_metric){.name = "runs",
					   .type = SS_PLUGIN_METRIC_TYPE_MONOTONIC,
					   .value.u64 = s->n_runs,
					   .value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64};
	s->metrics[2] = (ss_plugin_metric){.name = "threads_at_start",
					   .type = SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC,
					   .value.u64 = s->n_at_start,
					   .value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64};
	*n = sizeof(s->metrics) / sizeof(s->metrics[0]);
	return s->metrics;
}

/* ---- async events ---- */

const char *plugin_get_async_events(void)
{
	return "[\"census.new\",\"census.beat\"]";
}

const char *plugin_get_async_event_sources(void)
{
	return "[\"syscall\",\"lines\"]";
}

/* Both texts with their NUL. */
static ss_plugin_rc send_event(struct state *s, ss_plugin_async_event_handler_t send,
			       const char *name, const char *text)
{
	uint32_t lengths[3] = {sizeof(uint32_t), (uint32_t)strlen(name) + 1,
			       (uint32_t)strlen(text) + 1};
	uint8_t bytes[512] = {0}, *at = bytes + sizeof(ss_plugin_event);
	ss_plugin_event ev = {.ts = UINT64_MAX,
			      .tid = UINT64_MAX,
			      .type = PPM_ASYNC_EVENT,
			      .nparams = 3,
			      .len = (uint32_t)(sizeof(ev) + sizeof(lengths)) + lengths[0] +
				     lengths[1] + lengths[2]};

	if (!send || ev.len > sizeof(bytes))
		return SS_PLUGIN_FAILURE;
	memcpy(bytes, &ev, sizeof(ev));
	memcpy(at, lengths, sizeof(lengths));
	at += sizeof(lengths) + lengths[0]; /* Saker fills the id in */
	memcpy(at, name, lengths[1]);
	memcpy(at + lengths[1], text, lengths[2]);
	return send(s->owner, (const ss_plugin_event *)bytes, NULL);
}

static struct timespec in_ms(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

static void *beat(void *arg)
{
	struct state *s = arg;
	unsigned n = 0;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct timespec until = in_ms(s->every_ms ? s->every_ms : 1000);
		char text[32];

		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != ETIMEDOUT ||
		    !s->every_ms)
			continue;
		snprintf(text, sizeof(text), "%u", ++n);
		send_event(s, s->send, "census.beat", text);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Once this returns with a handler of NULL nothing is sent any more. */
ss_plugin_rc plugin_set_async_event_handler(ss_plugin_t *state, ss_plugin_owner_t *owner,
					    const ss_plugin_async_event_handler_t handler)
{
	struct state *s = state;

	if (s->beats) {
		pthread_mutex_lock(&s->lock);
		s->stop = 1;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->beater, NULL);
		s->beats = s->stop = 0;
	}
	s->owner = owner;
	s->send = handler;
	if (handler && s->every_ms) {
		if (pthread_create(&s->beater, NULL, beat, s)) {
			snprintf(s->error, sizeof(s->error), "no thread");
			return SS_PLUGIN_FAILURE;
		}
		s->beats = 1;
	}
	return SS_PLUGIN_SUCCESS;
}

/* For whoever begins to record: every program that is known by now. */
ss_plugin_rc plugin_dump_state(ss_plugin_t *state, ss_plugin_owner_t *owner,
			       const ss_plugin_async_event_handler_t handler)
{
	struct state *s = state;

	for (uint64_t i = 0; i < s->n_programs; i++)
		if (send_event(s, handler, "census.new", s->programs[i].name) != SS_PLUGIN_SUCCESS)
			return SS_PLUGIN_FAILURE;
	return SS_PLUGIN_SUCCESS;
}

/* ---- following events ---- */

uint16_t *plugin_get_parse_event_types(uint32_t *n, ss_plugin_t *state)
{
	static uint16_t types[] = {EXECVE_EXIT, EXECVEAT_EXIT, PPM_ASYNC_EVENT};

	*n = sizeof(types) / sizeof(types[0]);
	return types;
}

const char *plugin_get_parse_event_sources(void)
{
	return "[\"syscall\"]";
}

/* The name of an async event's program, if it is one of ours: what another census has told. */
static const char *told_name(const ss_plugin_event *ev)
{
	const char *at = (const char *)(ev + 1);
	uint32_t lengths[3];
	const char *name, *text;

	if (ev->type != PPM_ASYNC_EVENT || ev->nparams != 3)
		return NULL;
	memcpy(lengths, at, sizeof(lengths));
	name = at + sizeof(lengths) + lengths[0];
	text = name + lengths[1];
	if (strncmp(name, "census.new", lengths[1]) != 0 || !lengths[2] || text[lengths[2] - 1])
		return NULL;
	return text;
}

static void count_run(struct state *s, const ss_plugin_event_input *evt,
		      const ss_plugin_event_parse_input *in)
{
	ss_plugin_state_data tid = {.s64 = (int64_t)evt->evt->tid}, value;
	ss_plugin_table_entry_t *thread = in->table_reader_ext->get_table_entry(s->threads, &tid);
	struct program *p = NULL;

	if (!thread)
		return;
	if (in->table_reader_ext->read_entry_field(s->threads, thread, s->comm, &value) ==
	    SS_PLUGIN_SUCCESS) {
		p = find_program(s, value.str);
		if (!p) {
			p = add_program(s, value.str);
			send_event(s, s->send, "census.new", value.str);
		}
	}
	if (p) {
		s->n_runs++;
		value.u64 = ++p->runs;
		in->table_writer_ext->write_entry_field(s->threads, thread, s->runs, &value);
	}
	in->table_reader_ext->release_table_entry(s->threads, thread);
}

ss_plugin_rc plugin_parse_event(ss_plugin_t *state, const ss_plugin_event_input *evt,
				const ss_plugin_event_parse_input *in)
{
	struct state *s = state;
	const char *told;

	if (evt->evt->type != PPM_ASYNC_EVENT) {
		count_run(s, evt, in);
		return SS_PLUGIN_SUCCESS;
	}
	told = told_name(evt->evt);
	if (told && !find_program(s, told))
		add_program(s, told);
	return SS_PLUGIN_SUCCESS;
}

/* ---- fields ---- */

enum field { RUNS, PROGRAMS, DESCRIPTORS };

const char *plugin_get_fields(void)
{
	return "[{\"name\":\"census.runs\",\"type\":\"uint64\","
	       "\"desc\":\"How often the thread's program had been begun when it was.\"},"
	       "{\"name\":\"census.programs\",\"type\":\"uint64\","
	       "\"desc\":\"How many programs are known.\"},"
	       "{\"name\":\"census.fds\",\"type\":\"uint64\","
	       "\"desc\":\"How many descriptors the thread's process has.\"}]";
}

const char *plugin_get_extract_event_sources(void)
{
	return "[\"syscall\"]";
}

static int read_thread(const struct state *s, const ss_plugin_event_input *evt,
		       const ss_plugin_field_extract_input *in,
		       const ss_plugin_table_field_t *field, ss_plugin_state_data *ret)
{
	ss_plugin_state_data tid = {.s64 = (int64_t)evt->evt->tid};
	ss_plugin_table_entry_t *thread = in->table_reader_ext->get_table_entry(s->threads, &tid);

	/* What is not released is let go when this extraction ends, and a table below with it. */
	return thread && in->table_reader_ext->read_entry_field(s->threads, thread, field, ret) ==
				 SS_PLUGIN_SUCCESS;
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *state, const ss_plugin_event_input *evt,
				   const ss_plugin_field_extract_input *in)
{
	struct state *s = state;
	ss_plugin_extract_field *f = &in->fields[0]; /* one at a time is asked for */
	ss_plugin_state_data value = {.u64 = 0};

	f->res_len = 0;
	switch ((enum field)f->field_id) {
	case RUNS:
		if (!read_thread(s, evt, in, s->runs, &value) || !value.u64)
			return SS_PLUGIN_SUCCESS;
		break;
	case PROGRAMS:
		value.u64 = s->n_programs;
		break;
	case DESCRIPTORS:
		if (!read_thread(s, evt, in, s->descriptors, &value))
			return SS_PLUGIN_SUCCESS;
		value.u64 = in->table_reader_ext->get_table_size(value.table);
		break;
	}
	s->number = value.u64;
	f->res.u64 = &s->number;
	f->res_len = 1;
	return SS_PLUGIN_SUCCESS;
}
