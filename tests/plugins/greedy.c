/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that uses tables as it should not; how, the environment variable WRONG says.  What came
 * of it is the field "greedy.said": "ok", or what it was refused with.
 */
#define SAKER_PLUGIN
#include <saker/plugin.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct greedy {
	ss_plugin_owner_t *owner;
	ss_plugin_get_owner_last_error_t why;
	const ss_plugin_init_tables_input *tables;
	ss_plugin_init_tables_input tables_copy;
	ss_plugin_table_t *threads, *census;
	ss_plugin_table_field_t *comm, *pid, *fds, *args, *own, *fd_own, *census_runs, *census_name,
		*fd_name, *fd_type, *value;
	ss_plugin_table_entry_t *kept;
	ss_plugin_table_t *kept_fds;
	ss_plugin_table_reader_vtable_ext *reader;
	ss_plugin_table_writer_vtable_ext *writer;
	ss_plugin_async_event_handler_t send;
	ss_plugin_state_data tid;
	char said[512];
	const char *text;
};

static struct greedy g;

static int is(const char *what)
{
	const char *wrong = getenv("WRONG");

	return wrong && !strcmp(wrong, what);
}

static int begins(const char *what)
{
	const char *wrong = getenv("WRONG");

	return wrong && !strncmp(wrong, what, strlen(what));
}

static void say(const char *text)
{
	snprintf(g.said, sizeof(g.said), "%s", text);
}

/* What came of something that gives a pointer, or 0 for success. */
static void result(int ok)
{
	if (ok)
		say("ok");
	else
		snprintf(g.said, sizeof(g.said), "refused: %.400s", g.why(g.owner));
}

const char *plugin_get_required_api_version(void)
{
	return is("old api") ? "3.0.0" : "3.12.0";
}

const char *plugin_get_name(void)
{
	return "greedy";
}

const char *plugin_get_description(void)
{
	return "Takes what is not its own";
}

const char *plugin_get_contact(void)
{
	return "nobody";
}

const char *plugin_get_version(void)
{
	return "0.0.1";
}

const char *plugin_get_last_error(ss_plugin_t *s)
{
	return g.said;
}

/* ---- tables of its own, most of them broken ---- */

static const char *a_name(ss_plugin_table_t *t)
{
	return "greed";
}

static uint64_t a_size(ss_plugin_table_t *t)
{
	return 1;
}

static ss_plugin_table_entry_t *an_entry(ss_plugin_table_t *t, const ss_plugin_state_data *key)
{
	return &g;
}

static ss_plugin_rc a_value(ss_plugin_table_t *t, ss_plugin_table_entry_t *e,
			    const ss_plugin_table_field_t *f, ss_plugin_state_data *out)
{
	out->str = NULL;
	return SS_PLUGIN_SUCCESS;
}

static void a_release(ss_plugin_table_t *t, ss_plugin_table_entry_t *e)
{
}

static ss_plugin_bool an_iteration(ss_plugin_table_t *t, ss_plugin_table_iterator_func_t it,
				   ss_plugin_table_iterator_state_t *s)
{
	return it(s, NULL);
}

static ss_plugin_rc a_clear(ss_plugin_table_t *t)
{
	return SS_PLUGIN_FAILURE;
}

static ss_plugin_rc an_erase(ss_plugin_table_t *t, const ss_plugin_state_data *key)
{
	return SS_PLUGIN_FAILURE;
}

static ss_plugin_table_entry_t *a_create(ss_plugin_table_t *t)
{
	return NULL;
}

static ss_plugin_table_entry_t *an_add(ss_plugin_table_t *t, const ss_plugin_state_data *key,
				       ss_plugin_table_entry_t *e)
{
	return NULL;
}

static ss_plugin_rc a_write(ss_plugin_table_t *t, ss_plugin_table_entry_t *e,
			    const ss_plugin_table_field_t *f, const ss_plugin_state_data *in)
{
	return SS_PLUGIN_FAILURE;
}

static const ss_plugin_table_fieldinfo *a_list(ss_plugin_table_t *t, uint32_t *n)
{
	*n = UINT32_MAX;
	return (const ss_plugin_table_fieldinfo *)&g;
}

static ss_plugin_table_field_t *a_field(ss_plugin_table_t *t, const char *name,
					ss_plugin_state_type type)
{
	return &g;
}

static void add_table(const char *name, ss_plugin_state_type type)
{
	static ss_plugin_table_reader_vtable_ext reader = {a_name,  a_size,    an_entry,
							   a_value, a_release, an_iteration};
	static ss_plugin_table_writer_vtable_ext writer = {a_clear,   an_erase, a_create,
							   a_release, an_add,	a_write};
	static ss_plugin_table_fields_vtable_ext fields = {a_list, a_field, a_field};
	ss_plugin_table_input in = {
		.name = name,
		.key_type = type,
		.table = &g,
		.reader = {a_name, a_size, an_entry, a_value},
		.writer = {a_clear, an_erase, a_create, a_release, an_add, a_write},
		.fields = {a_list, a_field, a_field},
		.reader_ext = &reader,
		.writer_ext = &writer,
		.fields_ext = &fields};

	if (is("table reader null"))
		in.reader_ext = NULL;
	if (is("table writer hole"))
		in.writer_ext->add_table_entry = NULL;
	if (is("table fields differ"))
		in.fields.list_table_fields = NULL;
	if (is("table reader differs"))
		in.reader.get_table_size = (uint64_t(*)(ss_plugin_table_t *))(void *)a_name;
	if (is("table handle null"))
		in.table = NULL;
	if (is("old api"))
		in.reader_ext = NULL;
	result(g.tables->add_table(g.owner, is("table null") ? NULL : &in) == SS_PLUGIN_SUCCESS);
}

/* ---- beginning ---- */

static void *field_of(ss_plugin_table_t *t, const char *name, ss_plugin_state_type type)
{
	return g.tables->fields_ext->get_table_field(t, name, type);
}

/* As those do who want fields of the tables below threads before there is any thread. */
static void look_below(void)
{
	ss_plugin_table_entry_t *e = g.tables->writer_ext->create_table_entry(g.threads);
	ss_plugin_state_data v;

	g.tables->reader_ext->read_entry_field(g.threads, e, g.fds, &v);
	g.fd_name = field_of(v.table, "name", SS_PLUGIN_ST_STRING);
	g.fd_type = field_of(v.table, "type", SS_PLUGIN_ST_UINT8);
	g.fd_own = g.tables->fields_ext->add_table_field(v.table, "greedy.fd", SS_PLUGIN_ST_STRING);
	g.tables->reader_ext->read_entry_field(g.threads, e, g.args, &v);
	g.value = field_of(v.table, "value", SS_PLUGIN_ST_STRING);
	g.tables->writer_ext->destroy_table_entry(g.threads, e);
}

static void add_many_fields(void)
{
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "greedy.%d", i);
		if (!g.tables->fields_ext->add_table_field(g.threads, name, SS_PLUGIN_ST_INT8))
			break;
	}
	result(0);
}

static void begin_wrongly(void)
{
	static char long_name[100000];

	memset(long_name, 'x', sizeof(long_name) - 1);
	if (is("field type"))
		result(field_of(g.threads, "comm", SS_PLUGIN_ST_INT64) != NULL);
	if (is("field unknown"))
		result(field_of(g.threads, "nobody", SS_PLUGIN_ST_INT64) != NULL);
	if (is("field null"))
		result(field_of(g.threads, NULL, SS_PLUGIN_ST_INT64) != NULL);
	if (is("field long"))
		result(g.tables->fields_ext->add_table_field(g.threads, long_name,
							     SS_PLUGIN_ST_INT64) != NULL);
	if (is("field table"))
		result(g.tables->fields_ext->add_table_field(g.threads, "t", SS_PLUGIN_ST_TABLE) !=
		       NULL);
	if (is("field odd"))
		result(g.tables->fields_ext->add_table_field(g.threads, "t",
							     (ss_plugin_state_type)77) != NULL);
	if (is("field taken"))
		result(g.tables->fields_ext->add_table_field(g.threads, "greedy.own",
							     SS_PLUGIN_ST_INT8) != NULL);
	if (is("fields many"))
		add_many_fields();
	if (is("handle made up"))
		result(field_of((void *)0x7fffdeadbeef, "comm", SS_PLUGIN_ST_STRING) != NULL);
	if (is("table unknown"))
		result(g.tables->get_table(g.owner, "nobody", SS_PLUGIN_ST_INT64) != NULL);
	if (is("table key"))
		result(g.tables->get_table(g.owner, "threads", SS_PLUGIN_ST_STRING) != NULL);
	if (is("table name"))
		add_table(NULL, SS_PLUGIN_ST_INT64);
	if (is("table empty name"))
		add_table("", SS_PLUGIN_ST_INT64);
	if (is("table taken"))
		add_table("threads", SS_PLUGIN_ST_INT64);
	if (is("table key type"))
		add_table("greed", SS_PLUGIN_ST_TABLE);
	if (is("entry early")) {
		g.tid.s64 = 1;
		result(g.tables->reader_ext->get_table_entry(g.threads, &g.tid) != NULL);
	}
}

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	while (is("init hangs"))
		pause();
	g.owner = in->owner;
	g.why = in->get_owner_last_error;
	g.tables_copy = *in->tables;
	g.tables = &g.tables_copy;
	g.threads = g.tables->get_table(g.owner, "threads", SS_PLUGIN_ST_INT64);
	g.comm = field_of(g.threads, "comm", SS_PLUGIN_ST_STRING);
	g.pid = field_of(g.threads, "pid", SS_PLUGIN_ST_INT64);
	g.fds = field_of(g.threads, "file_descriptors", SS_PLUGIN_ST_TABLE);
	g.args = field_of(g.threads, "args", SS_PLUGIN_ST_TABLE);
	g.own = g.tables->fields_ext->add_table_field(g.threads, "greedy.own", SS_PLUGIN_ST_STRING);
	g.census = g.tables->get_table(g.owner, "census", SS_PLUGIN_ST_STRING);
	if (g.census) {
		g.census_runs = field_of(g.census, "runs", SS_PLUGIN_ST_UINT64);
		g.census_name = field_of(g.census, "name", SS_PLUGIN_ST_STRING);
	}
	look_below();
	begin_wrongly();
	if (!*g.said)
		add_table("greed", SS_PLUGIN_ST_INT64);
	*rc = SS_PLUGIN_SUCCESS;
	return &g;
}

void plugin_destroy(ss_plugin_t *s)
{
}

/* ---- while events are parsed ---- */

static ss_plugin_table_entry_t *the_thread(void)
{
	return g.reader->get_table_entry(g.threads, &g.tid);
}

static ss_plugin_table_t *the_fds(ss_plugin_table_entry_t *thread)
{
	ss_plugin_state_data v = {.table = NULL};

	g.reader->read_entry_field(g.threads, thread, g.fds, &v);
	return v.table;
}

static void read_text(ss_plugin_table_t *t, ss_plugin_table_entry_t *e, ss_plugin_table_field_t *f)
{
	ss_plugin_state_data v;

	if (g.reader->read_entry_field(t, e, f, &v) == SS_PLUGIN_SUCCESS)
		say(v.str);
	else
		result(0);
}

static void write_text(ss_plugin_table_t *t, ss_plugin_table_entry_t *e, ss_plugin_table_field_t *f,
		       const char *text)
{
	ss_plugin_state_data v = {.str = text};

	result(g.writer->write_entry_field(t, e, f, &v) == SS_PLUGIN_SUCCESS);
}

static ss_plugin_bool count_one(ss_plugin_table_iterator_state_t *s, ss_plugin_table_entry_t *e)
{
	++*(unsigned *)s;
	return 1;
}

static ss_plugin_bool erase_all(ss_plugin_table_iterator_state_t *s, ss_plugin_table_entry_t *e)
{
	++*(unsigned *)s;
	g.writer->clear_table(g.threads);
	return 1;
}

static ss_plugin_bool nest(ss_plugin_table_iterator_state_t *s, ss_plugin_table_entry_t *e)
{
	unsigned *n = s;

	if (++*n < 50)
		g.reader->iterate_entries(g.census, nest, n);
	return 0;
}

static void iterate(ss_plugin_table_t *t, ss_plugin_table_iterator_func_t it)
{
	unsigned n = 0;
	ss_plugin_bool all = g.reader->iterate_entries(t, it, &n);

	snprintf(g.said, sizeof(g.said), "%u, %s", n, all ? "all" : "not all");
}

static void use_threads(void)
{
	ss_plugin_table_entry_t *e = the_thread();
	ss_plugin_state_data v = {.s64 = 4242};

	if (is("write own")) {
		write_text(g.threads, e, g.own, "mine");
		read_text(g.threads, e, g.own);
	}
	if (is("write comm")) {
		write_text(g.threads, e, g.comm, "renamed");
		read_text(g.threads, e, g.comm);
	}
	if (is("write null"))
		write_text(g.threads, e, g.comm, NULL);
	if (is("write pid"))
		result(g.writer->write_entry_field(g.threads, e, g.pid, &v) == SS_PLUGIN_SUCCESS);
	if (is("write table"))
		result(g.writer->write_entry_field(g.threads, e, g.fds, &v) == SS_PLUGIN_SUCCESS);
	if (is("entry unknown"))
		result(g.reader->get_table_entry(g.threads, &v) != NULL);
	if (is("entry null"))
		read_text(g.threads, NULL, g.comm);
	if (is("entry made up"))
		read_text(g.threads, &g, g.comm);
	if (is("entry twice")) {
		g.reader->release_table_entry(g.threads, e);
		g.reader->release_table_entry(g.threads, e);
		read_text(g.threads, e, g.comm);
	}
	if (is("entry erased")) {
		g.writer->erase_table_entry(g.threads, &g.tid);
		read_text(g.threads, e, g.comm);
	}
	if (is("field made up"))
		read_text(g.threads, e, (ss_plugin_table_field_t *)&g);
	if (is("field of another"))
		read_text(g.threads, e, g.fd_name);
	if (is("key null"))
		result(g.reader->get_table_entry(g.threads, NULL) != NULL);
	if (is("out null"))
		say(g.reader->read_entry_field(g.threads, e, g.comm, NULL) ? "refused" : "ok");
	if (is("entries many")) {
		for (int i = 0; i < 100000 && e; i++)
			e = the_thread();
		result(e != NULL);
	}
	if (is("clear"))
		result(g.writer->clear_table(g.threads) == SS_PLUGIN_SUCCESS);
	if (is("iterate"))
		iterate(g.threads, count_one);
	if (is("iterate erasing"))
		iterate(g.threads, erase_all);
	if (is("iterate null"))
		say(g.reader->iterate_entries(g.threads, NULL, NULL) ? "ok" : "refused");
}

static void use_another_time(void)
{
	if (!is("entry of another time") && !is("table of another time"))
		return;
	if (!g.kept) {
		g.kept = the_thread();
		g.kept_fds = the_fds(g.kept);
	} else if (is("entry of another time")) {
		read_text(g.threads, g.kept, g.comm);
	} else {
		result(g.reader->get_table_size(g.kept_fds) != UINT64_MAX);
	}
}

static void make_thread(void)
{
	ss_plugin_table_entry_t *e = g.writer->create_table_entry(g.threads), *fd;
	ss_plugin_state_data key = {.s64 = 777777}, v;
	ss_plugin_table_t *fds = the_fds(e);

	if (is("thread made") || is("thread made twice")) {
		write_text(g.threads, e, g.comm, "made");
		fd = g.writer->create_table_entry(fds);
		write_text(fds, fd, g.fd_name, "/made");
		v.s64 = 5;
		g.writer->add_table_entry(fds, &v, fd);
		e = g.writer->add_table_entry(g.threads, &key, e);
		read_text(fds, fd, g.fd_name);
	}
	if (is("thread made twice"))
		result(g.writer->add_table_entry(g.threads, &key, e) != NULL);
	if (is("thread negative")) {
		key.s64 = -5;
		result(g.writer->add_table_entry(g.threads, &key, e) != NULL);
	}
	if (is("thread left")) {
		for (int i = 0; i < 1000; i++)
			g.writer->create_table_entry(g.threads);
		result(1);
	}
	if (is("thread destroyed")) {
		g.writer->destroy_table_entry(g.threads, e);
		write_text(g.threads, e, g.comm, "x");
	}
	if (is("destroy a known one")) {
		g.writer->destroy_table_entry(g.threads, the_thread());
		result(0);
	}
}

static void use_fds(void)
{
	ss_plugin_table_entry_t *thread = the_thread(), *fd, *made;
	ss_plugin_state_data v = {.s64 = 3000};
	ss_plugin_table_t *fds = the_fds(thread);

	made = g.writer->create_table_entry(fds);
	write_text(fds, made, g.fd_name, "/tmp/made");
	fd = g.writer->add_table_entry(fds, &v, made);
	if (is("fd made")) {
		write_text(fds, fd, g.fd_own, "of mine");
		read_text(fds, fd, g.fd_own);
	}
	if (is("fd type")) {
		v.u8 = 200;
		result(g.writer->write_entry_field(fds, fd, g.fd_type, &v) == SS_PLUGIN_SUCCESS);
	}
	if (is("fd types")) {
		for (int i = 0; i < 256; i++) {
			v.u8 = (uint8_t)i;
			g.writer->write_entry_field(fds, fd, g.fd_type, &v);
			write_text(fds, fd, g.fd_name, "x");
		}
		read_text(fds, fd, g.fd_name);
	}
	if (is("fd erased")) {
		g.writer->erase_table_entry(fds, &v);
		read_text(fds, fd, g.fd_name);
	}
	if (is("fd wild")) {
		v.s64 = INT64_MAX;
		made = g.writer->create_table_entry(fds);
		result(g.writer->add_table_entry(fds, &v, made) != NULL);
	}
	if (is("fds of a thread let go")) {
		g.reader->release_table_entry(g.threads, thread);
		result(g.reader->get_table_size(fds) != UINT64_MAX);
	}
	if (is("fds cleared")) {
		g.writer->clear_table(fds);
		iterate(fds, count_one);
	}
}

static void use_args(void)
{
	ss_plugin_state_data v = {.u64 = 0};
	ss_plugin_table_entry_t *e;
	ss_plugin_table_t *args;

	g.reader->read_entry_field(g.threads, the_thread(), g.args, &v);
	args = v.table;
	if (is("args iterated"))
		iterate(args, count_one);
	if (is("args wild")) {
		v.u64 = UINT64_MAX;
		result(g.reader->get_table_entry(args, &v) != NULL);
	}
	if (is("args first")) {
		v.u64 = 0;
		e = g.reader->get_table_entry(args, &v);
		read_text(args, e, g.value);
	}
	if (is("args written"))
		result(g.writer->clear_table(args) == SS_PLUGIN_SUCCESS);
}

static void use_census(void)
{
	ss_plugin_state_data key = {.str = "greed"}, v;
	ss_plugin_table_entry_t *e;

	if (!g.census)
		return;
	e = g.writer->create_table_entry(g.census);
	v.u64 = 41;
	if (is("census written")) {
		g.writer->write_entry_field(g.census, e, g.census_runs, &v);
		e = g.writer->add_table_entry(g.census, &key, e);
		g.reader->read_entry_field(g.census, e, g.census_runs, &v);
		read_text(g.census, e, g.census_name);
		snprintf(g.said + strlen(g.said), 32, " %llu", (unsigned long long)v.u64);
	}
	if (is("census null")) {
		key.str = NULL;
		result(g.reader->get_table_entry(g.census, &key) != NULL);
	}
	if (is("census iterated"))
		iterate(g.census, count_one);
	if (is("census nested"))
		iterate(g.census, nest);
	if (is("census foreign entry"))
		read_text(g.census, the_thread(), g.census_name);
}

static void use_greed(void)
{
	ss_plugin_table_t *own = g.tables->get_table(g.owner, "greed", SS_PLUGIN_ST_INT64);
	ss_plugin_table_entry_t *e;
	uint32_t n = 0;

	if (!own)
		return;
	if (is("own text null")) {
		e = g.reader->get_table_entry(own, &g.tid);
		read_text(own, e, field_of(own, "any", SS_PLUGIN_ST_STRING));
	}
	if (is("own iterated"))
		iterate(own, count_one);
	if (is("own created"))
		result(g.writer->create_table_entry(own) != NULL);
	if (is("own listed")) {
		const void *list = g.tables->fields_ext->list_table_fields(own, &n);

		snprintf(g.said, sizeof(g.said), "%u %s", n, list ? "some" : "none");
	}
}

ss_plugin_rc plugin_parse_event(ss_plugin_t *s, const ss_plugin_event_input *evt,
				const ss_plugin_event_parse_input *in)
{
	while (is("parse hangs"))
		pause();
	g.reader = in->table_reader_ext;
	g.writer = in->table_writer_ext;
	g.tid.s64 = (int64_t)evt->evt->tid;
	if (evt->evt->type == PPM_ASYNC_EVENT)
		return SS_PLUGIN_SUCCESS;
	use_threads();
	use_another_time();
	if (begins("thread ") || is("destroy a known one"))
		make_thread();
	if (begins("fd"))
		use_fds();
	if (begins("args "))
		use_args();
	if (begins("census "))
		use_census();
	if (begins("own "))
		use_greed();
	return is("parse fails") ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
}

uint16_t *plugin_get_parse_event_types(uint32_t *n, ss_plugin_t *s)
{
	static uint16_t types[] = {293, 402, 60000};

	*n = is("types many") ? UINT32_MAX : 3;
	return is("types null") || is("types many") ? NULL : types;
}

/* ---- async events ---- */

const char *plugin_get_async_events(void)
{
	if (is("async reserved"))
		return "[\"saker.place\"]";
	return is("async none") ? "[]" : "[\"greedy\"]";
}

const char *plugin_get_async_event_sources(void)
{
	return "[\"syscall\",\"lines\"]";
}

static void send(const char *name, uint32_t name_bytes, uint32_t data_bytes, uint16_t type,
		 uint32_t len)
{
	static uint8_t bytes[4096];
	uint32_t lengths[3] = {4, name_bytes, data_bytes};
	ss_plugin_event ev = {.ts = UINT64_MAX, .tid = 1, .type = type, .nparams = 3};
	char err[PLUGIN_MAX_ERRLEN] = "nothing";

	ev.len = len ? len : (uint32_t)sizeof(ev) + 16 + name_bytes + data_bytes;
	memcpy(bytes, &ev, sizeof(ev));
	memcpy(bytes + sizeof(ev), lengths, sizeof(lengths));
	memcpy(bytes + sizeof(ev) + 16, name, strlen(name) + 1);
	if (g.send(g.owner, (ss_plugin_event *)bytes, err) == SS_PLUGIN_SUCCESS)
		say("ok");
	else
		say(err);
}

ss_plugin_rc plugin_set_async_event_handler(ss_plugin_t *s, ss_plugin_owner_t *owner,
					    const ss_plugin_async_event_handler_t handler)
{
	char err[PLUGIN_MAX_ERRLEN] = "nothing";

	if (is("async fails") && handler)
		return SS_PLUGIN_FAILURE;
	if (!handler) { /* too late */
		send("greedy", 7, 0, 402, 0);
		fprintf(stderr, "greedy: %s\n", g.said);
		return SS_PLUGIN_SUCCESS;
	}
	g.send = handler;
	if (is("async name"))
		send("other", 6, 0, 402, 0);
	if (is("async no end"))
		send("greedy", 6, 0, 402, 0);
	if (is("async lengths"))
		send("greedy", 7, 5000, 402, 100);
	if (is("async wild"))
		send("greedy", UINT32_MAX, UINT32_MAX, 402, 60);
	if (is("async type"))
		send("greedy", 7, 0, 322, 0);
	if (is("async short"))
		send("greedy", 7, 0, 402, 3);
	if (is("async long"))
		send("greedy", 7, 0, 402, UINT32_MAX);
	if (is("async null")) {
		handler(owner, NULL, err);
		say(err);
	}
	for (int i = 0; is("async floods") && i < 10000; i++)
		send("greedy", 7, 4, 402, 0);
	if (!getenv("WRONG"))
		send("greedy", 7, 4, 402, 0);
	fprintf(stderr, "greedy: %s\n", g.said);
	return SS_PLUGIN_SUCCESS;
}

/* ---- listening, routines, metrics ---- */

static const ss_plugin_routine_vtable *routine;
static ss_plugin_table_reader_vtable_ext *routines_reader; /* set before there is any */
static _Atomic(ss_plugin_routine_t *) mine;
static atomic_int n_calls;

static ss_plugin_bool count_calls(ss_plugin_t *s, ss_plugin_routine_state_t *i)
{
	int n = ++n_calls;

	usleep(100);
	if (is("routine uses tables"))
		routines_reader->iterate_entries(g.threads, count_one, i);
	if (is("routine of itself"))
		routine->unsubscribe(g.owner, mine);
	if (is("routine hangs"))
		pause();
	if (is("routine crashes"))
		*(volatile int *)(uintptr_t)strlen(g.said) = 1;
	return n < 10 || !is("routine ends");
}

ss_plugin_rc plugin_capture_open(ss_plugin_t *s, const ss_plugin_capture_listen_input *in)
{
	static unsigned unused;
	unsigned n = 0;

	if (is("listen fails")) {
		say("on purpose");
		return SS_PLUGIN_FAILURE;
	}
	g.reader = in->table_reader_ext;
	g.writer = in->table_writer_ext;
	if (is("listen iterates")) {
		iterate(g.threads, count_one);
		fprintf(stderr, "greedy: %s\n", g.said);
	}
	if (!begins("routine"))
		return SS_PLUGIN_SUCCESS;
	routine = in->routine;
	routines_reader = in->table_reader_ext;
	g.said[0] = '\0';
	if (is("routine null"))
		n += routine->subscribe(in->owner, NULL, NULL) != NULL;
	for (int i = 0; is("routine many") && i < 100; i++)
		n += routine->subscribe(in->owner, count_calls, &unused) != NULL;
	if (is("routine made up"))
		n += routine->unsubscribe(in->owner, (void *)&n) == SS_PLUGIN_SUCCESS;
	mine = routine->subscribe(in->owner, count_calls, &unused);
	if (is("routine twice")) {
		n += routine->unsubscribe(in->owner, mine) == SS_PLUGIN_SUCCESS;
		n += routine->unsubscribe(in->owner, mine) == SS_PLUGIN_SUCCESS;
	}
	for (int i = 0; !n_calls && !is("routine twice") && i < 60000; i++)
		usleep(1000);
	fprintf(stderr, "greedy: %u, %s\n", n, n_calls ? "called" : "not called");
	return SS_PLUGIN_SUCCESS;
}

ss_plugin_rc plugin_capture_close(ss_plugin_t *s, const ss_plugin_capture_listen_input *in)
{
	return is("close fails") ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
}

ss_plugin_metric *plugin_get_metrics(ss_plugin_t *s, uint32_t *n)
{
	static ss_plugin_metric list[2000];

	*n = 0;
	if (is("metrics null")) {
		*n = 5;
		return NULL;
	}
	for (int i = 0; i < 2000; i++)
		list[i] = (ss_plugin_metric){is("metrics nameless") ? NULL : "m",
					     SS_PLUGIN_METRIC_TYPE_MONOTONIC,
					     {.u32 = 3},
					     SS_PLUGIN_METRIC_VALUE_TYPE_U32};
	if (is("metrics odd"))
		list[0].value_type = (ss_plugin_metric_value_type)99;
	if (begins("metrics"))
		*n = is("metrics many") ? 2000 : 1;
	return list;
}

const char *plugin_get_required_event_schema_version(ss_plugin_t *s)
{
	if (is("schema null"))
		return NULL;
	if (is("schema text"))
		return "four";
	if (is("schema old"))
		return "3.9.9";
	return is("schema new") ? "4.99.0" : "4.0.0";
}

/* ---- fields ---- */

const char *plugin_get_fields(void)
{
	return "[{\"name\":\"greedy.said\",\"type\":\"string\",\"desc\":\"What came of it.\"}]";
}

const char *plugin_get_extract_event_sources(void)
{
	return "[\"syscall\"]";
}

const char *plugin_get_parse_event_sources(void)
{
	return "[\"syscall\"]";
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *evt,
				   const ss_plugin_field_extract_input *in)
{
	if (is("extract writes"))
		result(g.writer->clear_table(g.threads) == SS_PLUGIN_SUCCESS);
	static uint32_t starts[1], lengths[1];

	if (in->value_offsets && begins("offsets")) {
		starts[0] = is("offsets wild") ? UINT32_MAX : 26;
		lengths[0] = is("offsets long") ? UINT32_MAX : 2;
		in->value_offsets->start = is("offsets null") ? NULL : starts;
		in->value_offsets->length = lengths;
	}
	g.text = g.said;
	in->fields[0].res.str = &g.text;
	in->fields[0].res_len = 1;
	return SS_PLUGIN_SUCCESS;
}
