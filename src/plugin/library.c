/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/library.h"

#include "base/alloc.h"
#include "field/eventsource.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *const plugin_ability_names[PLUGIN_ABILITIES] = {"sources events", "extracts fields",
							    "parses events", "sends async events",
							    "listens to captures"};

static const struct symbol {
	const char *name;
	size_t offset;
	bool required;
} symbols[] = {
#define SYMBOL(name, required) {#name, offsetof(plugin_api, name), required},
#include "plugin/symbols.def"
#undef SYMBOL
};

enum { N_SYMBOLS = sizeof(symbols) / sizeof(symbols[0]), SYMBOL_MAX = 64 };

_Static_assert(sizeof(plugin_api) == N_SYMBOLS * sizeof(void *), "a symbol for each member");

static void *symbol_at(const struct plugin *p, const struct symbol *s)
{
	void *f;

	memcpy(&f, (const char *)&p->api + s->offset, sizeof(f));
	return f;
}

static void find_symbols(struct plugin *p)
{
	for (size_t i = 0; i < N_SYMBOLS; i++) {
		char name[SYMBOL_MAX];
		void *f;

		snprintf(name, sizeof(name), "plugin_%s", symbols[i].name);
		f = dlsym(p->library, name);
		memcpy((char *)&p->api + symbols[i].offset, &f, sizeof(f));
	}
}

static int check_symbols(const struct plugin *p, struct err *e)
{
	for (size_t i = 0; i < N_SYMBOLS; i++)
		if (symbols[i].required && !symbol_at(p, &symbols[i]))
			return err_set(e, -EINVAL, "required symbol not implemented: 'plugin_%s'",
				       symbols[i].name);
	return 0;
}

/* ---- versions ---- */

bool plugin_version_parse(const char *text, uint32_t ret[3])
{
	struct str s = str_of(text);

	for (int i = 0; i < 3; i++) {
		ptrdiff_t dot = i < 2 ? str_chr(s, '.') : (ptrdiff_t)s.n;
		uint64_t n;

		if (dot < 0 || !str_u64(str_head(s, (size_t)dot), &n) || n > UINT32_MAX)
			return false;
		ret[i] = (uint32_t)n;
		s = str_from(s, (size_t)dot + 1);
	}
	return true;
}

static int check_api(struct plugin *p, struct err *e)
{
	static const uint32_t ours[3] = {PLUGIN_API_VERSION_MAJOR, PLUGIN_API_VERSION_MINOR,
					 PLUGIN_API_VERSION_PATCH};
	const char *why = NULL;
	uint32_t need[3];

	if (!plugin_version_parse(p->api_version, need))
		return err_set(e, -EINVAL,
			       "plugin provided an invalid required API version: '%.64s'",
			       p->api_version);
	if (need[0] != ours[0])
		why = "major versions disagree";
	else if (need[1] > ours[1])
		why = "framework's minor is less than the requested one";
	else if (need[1] == ours[1] && need[2] > ours[2])
		why = "framework's patch is less than the requested one";
	if (!why)
		return 0;
	return err_set(e, -EINVAL,
		       "plugin required API version '%.64s' not compatible with the framework's "
		       "API version '%u.%u.%u': %s",
		       p->api_version, ours[0], ours[1], ours[2], why);
}

/* ---- texts ---- */

static int copy_text(struct plugin *p, const char *text, const char *function, const char **ret,
		     struct err *e)
{
	size_t n;

	if (!text)
		return err_set(e, -EINVAL, "plugin_%s returned no text", function);
	n = strnlen(text, PLUGIN_TEXT_MAX + 1);
	if (n > PLUGIN_TEXT_MAX)
		return err_set(e, -E2BIG, "plugin_%s returned more than %d bytes", function,
			       PLUGIN_TEXT_MAX);
	*ret = arena_str(&p->arena, (struct str){text, n}).p;
	return 0;
}

#define COPY_TEXT(p, function, ret, e) copy_text(p, PLUGIN_CALL(p, function), #function, ret, e)

static int read_texts(struct plugin *p, struct err *e)
{
	int r = COPY_TEXT(p, get_required_api_version, &p->api_version, e);

	if (!r)
		r = check_api(p, e);
	if (!r)
		r = check_symbols(p, e);
	if (!r)
		r = COPY_TEXT(p, get_name, &p->name, e);
	if (!r && !*p->name)
		r = err_set(e, -EINVAL, "plugin_get_name returned no name");
	if (!r)
		r = COPY_TEXT(p, get_description, &p->description, e);
	if (!r)
		r = COPY_TEXT(p, get_contact, &p->contact, e);
	if (!r)
		r = COPY_TEXT(p, get_version, &p->version, e);
	if (!r && !plugin_version_parse(p->version, p->number))
		r = err_set(e, -EINVAL, "plugin provided an invalid version string: '%.64s'",
			    p->version);
	return r;
}

const char *plugin_last_error(const struct plugin *p, ss_plugin_t *state)
{
	static _Thread_local char line[256];
	const char *text = PLUGIN_CALL(p, get_last_error, state);
	size_t n = 0;

	for (; text && n < sizeof(line) - 1 && text[n]; n++)
		line[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f ? ' ' : text[n];
	line[n] = '\0';
	return n ? line : "it does not say why";
}

/* ---- abilities ---- */

static void note_broken(char *broken, size_t max, const char *what)
{
	size_t n = strlen(broken);

	snprintf(broken + n, max - n, "%s%s", n ? ", " : "", what);
}

static int read_source(struct plugin *p, struct err *e)
{
	int r;

	if (!p->api.get_id || !p->api.get_event_source)
		return 0;
	p->id = PLUGIN_CALL(p, get_id);
	r = COPY_TEXT(p, get_event_source, &p->source, e);
	if (!r && !strcmp(p->source, "syscall"))
		r = err_set(e, -EINVAL,
			    "plugin can't implement the reserved event source 'syscall'");
	if (!r && !*p->source)
		p->source = NULL;
	return r;
}

static int find_abilities(struct plugin *p, struct err *e)
{
	const plugin_api *a = &p->api;
	unsigned n_sourcing = !!a->open + !!a->close + !!a->next_batch;
	char broken[256] = "";
	int r = read_source(p, e);

	if (r < 0)
		return r;
	if (n_sourcing == 3)
		p->abilities |= PLUGIN_SOURCES;
	else if (n_sourcing)
		note_broken(broken, sizeof(broken),
			    "event sourcing needs open, close and next_batch");
	if (n_sourcing == 3 && (!a->get_id != !a->get_event_source || !p->id != !p->source))
		note_broken(broken, sizeof(broken), "an id needs an event source and vice versa");
	if (a->get_fields && a->extract_fields)
		p->abilities |= PLUGIN_EXTRACTS;
	else if (a->extract_fields)
		note_broken(broken, sizeof(broken), "extract_fields needs get_fields");
	if (a->parse_event)
		p->abilities |= PLUGIN_PARSES;
	if (a->get_async_events && a->set_async_event_handler)
		p->abilities |= PLUGIN_ASYNC;
	else if (a->set_async_event_handler)
		note_broken(broken, sizeof(broken),
			    "set_async_event_handler needs get_async_events");
	if (a->capture_open && a->capture_close)
		p->abilities |= PLUGIN_LISTENS;
	else if (a->capture_open)
		note_broken(broken, sizeof(broken), "capture_open needs capture_close");
	if (*broken)
		return err_set(e, -EINVAL, "broken plugin capabilities: %s", broken);
	if (!p->abilities)
		return err_set(e, -EINVAL, "plugin does not implement any capability");
	if (!(p->abilities & PLUGIN_SOURCES)) {
		p->id = 0;
		p->source = NULL;
	}
	return 0;
}

/* ---- lists ---- */

bool names_have(const struct names *n, const char *source)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->list[i], source))
			return true;
	return !n->n;
}

/* A sourcing plugin's own source belongs to the list, which then is not empty. */
static int read_sources(struct plugin *p, unsigned ability, const char *text, const char *what,
			struct names *ret, struct err *e)
{
	int r = text ? plugin_read_names(p, text, what, ret, e) : 0;
	const char **list;

	if (r < 0 || !p->source || !(p->abilities & ability) ||
	    (ret->n && names_have(ret, p->source)))
		return r;
	list = arena_calloc(&p->arena, ret->n + 1, sizeof(*list));
	if (ret->n)
		memcpy(list, ret->list, ret->n * sizeof(*list));
	list[ret->n++] = p->source;
	ret->list = list;
	return 0;
}

#define READ_SOURCES(p, ability, function, ret, e)                                                 \
	read_sources(p, ability, (p)->api.function ? PLUGIN_CALL(p, function) : NULL, #function,   \
		     ret, e)

static int read_schema(struct plugin *p, struct err *e)
{
	ss_plugin_schema_type type = SS_PLUGIN_SCHEMA_NONE;
	const char *text;

	if (!p->api.get_init_schema)
		return 0;
	text = PLUGIN_CALL(p, get_init_schema, &type);
	if (type == SS_PLUGIN_SCHEMA_NONE || !text)
		return 0;
	if (type != SS_PLUGIN_SCHEMA_JSON)
		return err_set(e, -EINVAL, "its configuration has a schema of an unknown kind, %d",
			       (int)type);
	return copy_text(p, text, "get_init_schema", &p->schema, e);
}

/* Such names are what Saker's own parts tell each other. */
static int check_async_names(const struct plugin *p, struct err *e)
{
	for (size_t i = 0; i < p->async_names.n; i++)
		if (str_starts(str_of(p->async_names.list[i]), STR("saker.")))
			return err_set(e, -EINVAL, "an async event may not be called '%.64s'",
				       p->async_names.list[i]);
	return 0;
}

static int read_lists(struct plugin *p, struct err *e)
{
	int r = read_schema(p, e);

	if (!r && p->abilities & PLUGIN_EXTRACTS)
		r = plugin_read_fields(p, e);
	if (!r)
		r = READ_SOURCES(p, PLUGIN_EXTRACTS, get_extract_event_sources, &p->extract_sources,
				 e);
	if (!r)
		r = READ_SOURCES(p, PLUGIN_PARSES, get_parse_event_sources, &p->parse_sources, e);
	if (!r)
		r = READ_SOURCES(p, PLUGIN_ASYNC, get_async_event_sources, &p->async_sources, e);
	if (!r && p->abilities & PLUGIN_ASYNC)
		r = plugin_read_names(p, PLUGIN_CALL(p, get_async_events), "get_async_events",
				      &p->async_names, e);
	if (!r && p->abilities & PLUGIN_ASYNC && !p->async_names.n)
		r = err_set(e, -EINVAL, "plugin_get_async_events lists no event");
	return r ? r : check_async_names(p, e);
}

static int load(struct plugin *p, struct err *e)
{
	struct plugin_call before = plugin_call_begin(p->path, "(loading)");

	p->library = dlopen(p->path, RTLD_NOW | RTLD_LOCAL);
	plugin_call_end(before);
	if (!p->library)
		return err_set(e, -ENOENT, "%s", dlerror());
	find_symbols(p);
	return 0;
}

int plugin_open(const char *path, const plugin_api *api, struct plugin **ret, struct err *e)
{
	struct plugin *p = xcalloc(1, sizeof(*p));
	int r = 0;

	plugin_tell_crashes();
	arena_init(&p->arena, 0);
	p->path = xstrdup(path);
	if (api)
		p->api = *api;
	else
		r = load(p, e);
	if (!r && !p->api.get_required_api_version)
		r = err_set(e, -EINVAL,
			    "required symbol not implemented: 'plugin_get_required_api_version'");
	if (!r)
		r = read_texts(p, e);
	if (!r)
		r = find_abilities(p, e);
	if (!r)
		r = read_lists(p, e);
	if (!r) {
		*ret = p;
		return 0;
	}
	if (p->name)
		err_prepend(e, "plugin '%.64s': ", p->name);
	else
		err_prepend(e, "plugin %s: ", path);
	plugin_close(p);
	return r;
}

void plugin_close(struct plugin *p)
{
	if (!p)
		return;
	if (p->library)
		dlclose(p->library);
	arena_done(&p->arena);
	free(p->path);
	free(p);
}
