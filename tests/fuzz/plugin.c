/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin hands over: texts that describe it, async events, and handles of tables.  The first
 * byte says which.
 */
#include "plugin/async.h"
#include "plugin/lines.h"
#include "plugin/place.h"

#include "base/alloc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *the_text;
static ss_plugin_async_event_handler_t send_event;
static ss_plugin_owner_t *the_owner;

static const char *get_text(void)
{
	return the_text;
}

static ss_plugin_rc set_handler(ss_plugin_t *s, ss_plugin_owner_t *owner,
				const ss_plugin_async_event_handler_t handler)
{
	send_event = handler;
	the_owner = owner;
	return SS_PLUGIN_SUCCESS;
}

static char *take_text(const uint8_t *data, size_t n)
{
	return xstrndup((const char *)data, n);
}

static void read_texts(const uint8_t *data, size_t n)
{
	struct plugin p = {.name = "fuzz", .api.get_fields = get_text};
	const uint8_t *cut = n ? memchr(data, '\n', n) : NULL;
	char *first = take_text(data, cut ? (size_t)(cut - data) : n);
	char *second = cut ? take_text(cut + 1, n - (size_t)(cut + 1 - data)) : xstrdup("{}");
	struct names names = {0};
	uint32_t version[3];
	struct err e = {0};

	arena_init(&p.arena, 0);
	the_text = first;
	plugin_read_fields(&p, &e);
	plugin_read_names(&p, first, "names", &names, &e);
	plugin_version_parse(first, version);
	schema_validate(first, second, &e);
	arena_done(&p.arena);
	free(first);
	free(second);
}

static void send_events(const uint8_t *data, size_t n)
{
	static const char *const listed[] = {"fuzz"};
	struct plugin p = {.name = "fuzz",
			   .api.set_async_event_handler = set_handler,
			   .async_names = {(const char **)listed, 1}};
	struct plugins *host = plugins_new();
	struct life l = {.plugin = &p, .host = host};
	char why[PLUGIN_MAX_ERRLEN];
	struct bell bell;
	struct record r;
	struct event ev;
	uint8_t *copy = xmalloc(n + sizeof(ss_plugin_event));

	memset(copy, 0, n + sizeof(ss_plugin_event));
	if (n)
		memcpy(copy, data, n);
	bell_init(&bell);
	visit_init(&l.visit, &l, plugins_tables(host));
	async_begin(&l, 0, 0, &bell, NULL);
	/* What lies about its length beyond what there is can't be told from what does not. */
	if (((ss_plugin_event *)copy)->len <= n + sizeof(ss_plugin_event))
		send_event(the_owner, (ss_plugin_event *)copy, why);
	if (async_take(l.async, &r) && event_decode(r.event.p, r.event.n, &ev, NULL) < 0)
		abort();
	async_end(l.async);
	async_free(l.async);
	visit_done(&l.visit);
	bell_done(&bell);
	plugins_free(host);
	free(copy);
}

/* ---- handles: each step takes what earlier ones gave, or bytes of the input for it ---- */

enum { KEPT = 8 };

struct hands {
	const uint8_t *data;
	size_t n;
	void *kept[KEPT];
};

static uint64_t take(struct hands *h, size_t bytes)
{
	uint64_t v = 0;

	if (bytes > h->n)
		bytes = h->n;
	if (bytes)
		memcpy(&v, h->data, bytes);
	h->data += bytes;
	h->n -= bytes;
	return v;
}

static void *pick(struct hands *h)
{
	unsigned which = (unsigned)take(h, 1);

	return which < KEPT * 16 ? h->kept[which % KEPT] : (void *)(uintptr_t)take(h, 8);
}

static void keep(struct hands *h, void *p)
{
	h->kept[take(h, 1) % KEPT] = p;
}

static ss_plugin_bool each(ss_plugin_table_iterator_state_t *s, ss_plugin_table_entry_t *e)
{
	struct hands *h = s;

	keep(h, e);
	return take(h, 1) & 1;
}

static void use(struct hands *h)
{
	static const char *const names[] = {
		"comm", "tid",	"args", "env",	 "cgroups", "file_descriptors",
		"name", "type", "own",	"value", "flags",   ""};
	ss_plugin_table_t *t = pick(h);
	ss_plugin_state_data key = {.s64 = (int64_t)take(h, 2)}, v = {.str = "text"};
	const char *name = names[take(h, 1) % (sizeof(names) / sizeof(names[0]))];
	ss_plugin_state_type type = (ss_plugin_state_type)take(h, 1);
	uint32_t n;

	switch (take(h, 1) % 12) {
	case 0:
		keep(h, table_reader.get_table_entry(t, &key));
		break;
	case 1:
		if (table_reader.read_entry_field(t, pick(h), pick(h), &v) == SS_PLUGIN_SUCCESS)
			keep(h, v.table);
		break;
	case 2:
		table_reader.release_table_entry(t, pick(h));
		break;
	case 3:
		table_reader.iterate_entries(t, each, h);
		break;
	case 4:
		table_writer.erase_table_entry(t, &key);
		break;
	case 5:
		keep(h, table_writer.create_table_entry(t));
		break;
	case 6:
		table_writer.destroy_table_entry(t, pick(h));
		break;
	case 7:
		keep(h, table_writer.add_table_entry(t, &key, pick(h)));
		break;
	case 8:
		table_writer.write_entry_field(t, pick(h), pick(h), &v);
		break;
	case 9:
		keep(h, table_fields.get_table_field(t, name, type));
		break;
	case 10:
		keep(h, table_fields.add_table_field(t, name, type));
		break;
	case 11:
		table_fields.list_table_fields(t, &n);
		table_reader.get_table_size(t);
		break;
	}
}

static void use_tables(const uint8_t *data, size_t n)
{
	struct plugin p = {.name = "fuzz", .api_version = "3.12.0"};
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct plugins *host = plugins_new();
	struct life l = {.plugin = &p, .host = host};
	struct hands h = {.data = data, .n = n};
	struct state *s = state_new(&cfg);
	struct visit *outer;

	plugins_bind(host, s);
	thread_insert(s, thread_make(s), 1);
	thread_insert(s, thread_make(s), 2);
	visit_init(&l.visit, &l, plugins_tables(host));
	while (h.n) {
		visit_begin(&l.visit, take(&h, 1) & 1 ? ACCESS_WRITE : ACCESS_READ, &outer);
		h.kept[0] = tables_for_init()->get_table(NULL, "threads", SS_PLUGIN_ST_INT64);
		for (uint64_t i = take(&h, 1); i > 0 && h.n; i--)
			use(&h);
		visit_end(&l.visit, outer);
	}
	visit_done(&l.visit);
	plugins_bind(host, NULL);
	state_free(s);
	plugins_free(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const kinds[])(const uint8_t *data, size_t n) = {read_texts, send_events,
								       use_tables};

	if (n)
		kinds[*data % 3](data + 1, n - 1);
	return 0;
}
