/* SPDX-License-Identifier: Apache-2.0 */
#include "app/plugged.h"

#include "app/fieldkeys.h"
#include "app/privilege.h"
#include "app/report.h"
#include "app/settings.h"
#include "audit/builtin.h"
#include "base/alloc.h"
#include "base/json.h"
#include "field/eventsource.h"
#include "plugin/isolate.h"
#include "plugin/library.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* Where relative paths of a configuration begin. */
#define PLUGINS_FOLDER "/usr/share/falco/plugins"
/* Saker's own part that knows containers has the name of the plugin that it stands for. */
#define BUILT_IN "container"

enum { INIT_CONFIG_MAX = 16 << 20 };

static struct plugins *loaded;

struct plugins *plugged(void)
{
	return loaded;
}

unsigned plugged_needs(void)
{
	return loaded ? NEED_LISTEN : 0;
}

void plugged_close(void)
{
	plugged_tell();
	plugins_free(loaded);
	loaded = NULL;
	event_sources_reset();
	fieldkeys_done();
}

void plugged_tell(void)
{
	char line[PLUGIN_LINE_MAX];

	while (loaded && plugins_next_line(loaded, line))
		report_notice("%s", line);
}

static void tell_metric(void *arg, const struct plugin_metric *m)
{
	report_info("%12.0f  plugins.%s.%.*s", m->value, m->plugin, STR_ARG(m->name));
}

void plugged_tell_metrics(void)
{
	if (loaded)
		plugins_metrics(loaded, tell_metric, NULL);
}

int plugged_add(const struct plugin_config *cfg, struct err *e)
{
	int r;

	if (!loaded)
		loaded = plugins_new();
	r = plugins_add(loaded, cfg, e);
	plugged_tell();
	return r;
}

/* Whether it is to have a process of its own: by its name, or that of its file. */
static void isolate(struct plugin_config *cfg)
{
	const char *slash = strrchr(cfg->path, '/'), *file = slash ? slash + 1 : cfg->path;
	size_t n;
	const struct str *list = config_texts(settings(), CONFIG_KEY_ISOLATED, &n);

	cfg->memory_max = config_number(settings(), CONFIG_KEY_ISOLATED_MEMORY);
	for (size_t i = 0; i < n && !cfg->api; i++) {
		char *library = xasprintf("lib%.*s.so", STR_ARG(list[i]));

		cfg->is_isolated |= str_is(list[i], "*") || !strcmp(file, library) ||
				    (cfg->name && str_is(list[i], cfg->name));
		free(library);
	}
}

/* What --open-params says of the plugin of this name; NULL: nothing. */
static const char *find_open_params(const struct plugged_options *o, const char *name, bool *used)
{
	const char *found = NULL;

	for (size_t i = 0; i < o->open_params.n; i++) {
		const char *text = o->open_params.items[i];
		size_t n = strcspn(text, "=");

		if (text[n] && strlen(name) == n && !memcmp(text, name, n)) {
			found = text + n + 1;
			used[i] = true;
		}
	}
	return found;
}

/* "FILE:CONFIG", where FILE may be the name of one that is built in. */
static int add(const struct plugged_options *o, const char *text, bool *used, struct err *e)
{
	size_t n = strcspn(text, ":");
	char *path = xstrndup(text, n), *name = NULL;
	struct plugin_config cfg = {.path = path,
				    .api = builtin_find(path),
				    .init_config = text[n] ? text + n + 1 : NULL};
	struct plugin *p;
	const plugin_api *api = cfg.api;
	int r = 0;

	isolate(&cfg);
	if (cfg.is_isolated && o->open_params.n)
		r = isolate_api(path, cfg.memory_max, &api, e);
	if (!r && o->open_params.n)
		r = plugin_open(path, api, &p, e);
	/* Whose parameters those are is known once the plugin said its name. */
	if (!r && o->open_params.n) {
		name = xstrdup(p->name);
		plugin_close(p);
		cfg.open_params = find_open_params(o, name, used);
	}
	if (!r)
		r = plugged_add(&cfg, e);
	free(name);
	free(path);
	return r;
}

/* ---- of the configuration ---- */

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, str_of(key));

	return node_is(n, YAML_SCALAR) ? n->text.p : NULL;
}

static bool is_one_of(const struct str *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_is(list[i], name))
			return true;
	}
	return false;
}

/* Its own; NULL and *e for a relative path that leads out of the folder of plugins. */
static char *library_path(const char *path, struct err *e)
{
	if (*path == '/')
		return xstrdup(path);
	if (!strncmp(path, "../", 3) || strstr(path, "/../")) {
		err_set(e, -EINVAL, "%s: leads out of " PLUGINS_FOLDER, path);
		return NULL;
	}
	return xasprintf(PLUGINS_FOLDER "/%s", path);
}

/* A map becomes JSON, text stays as it is. */
static char *init_config(const struct node *n)
{
	struct buf text;
	char *ret;

	if (!n || n->kind == YAML_NULL)
		return NULL;
	if (n->kind == YAML_SCALAR)
		return xstrdup(n->text.p);
	buf_init(&text, INIT_CONFIG_MAX);
	node_add_json(n, &text);
	ret = text.truncated ? NULL : xstrdup(buf_z(&text));
	buf_done(&text);
	return ret;
}

static int add_configured(const struct node *n, struct err *e)
{
	const char *open = text_of(n, "open_params");
	struct str params = str_trim(str_of(open ? open : ""));
	char *path = library_path(text_of(n, "library_path"), e), *init, *trimmed;
	struct plugin_config cfg = {.path = path, .name = text_of(n, "name")};
	int r;

	if (!path)
		return -EINVAL;
	if (access(path, F_OK) < 0)
		cfg.api = builtin_find(cfg.name);
	isolate(&cfg);
	cfg.init_config = init = init_config(node_get(n, STR("init_config")));
	cfg.open_params = trimmed = xstrndup(params.p, params.n);
	r = plugged_add(&cfg, e);
	free(trimmed);
	free(init);
	free(path);
	return r;
}

/* What is named must be there. */
static int check_wanted(const struct node *list, const struct str *wanted, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (!str_is(wanted[i], BUILT_IN) && !node_named(list, wanted[i]))
			return err_set(e, -EINVAL,
				       "load_plugins: nothing below `plugins` has the name '%.64s'",
				       wanted[i].p);
	}
	return 0;
}

static int load_configured(struct err *e)
{
	const struct node *list = config_node(settings(), CONFIG_KEY_PLUGINS);
	bool all = !config_node(settings(), CONFIG_KEY_LOAD_PLUGINS);
	size_t n;
	const struct str *wanted = config_texts(settings(), CONFIG_KEY_LOAD_PLUGINS, &n);
	int r = check_wanted(list, wanted, n, e);

	for (uint32_t i = 0; node_is(list, YAML_LIST) && i < list->n && !r; i++) {
		const char *name = text_of(list->items[i], "name");

		if (strcmp(name, BUILT_IN) && (all || is_one_of(wanted, n, name)))
			r = add_configured(list->items[i], e);
	}
	return r;
}

static bool is_loaded(const char *name)
{
	size_t n = loaded ? plugins_count(loaded) : 0;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(plugins_get(loaded, i)->name, name))
			return true;
	return false;
}

static int add_built_in(const char *name, const char *init, const char *open, struct err *e)
{
	struct plugin_config cfg = {
		.path = name, .api = builtin_find(name), .init_config = init, .open_params = open};

	return is_loaded(name) ? 0 : plugged_add(&cfg, e);
}

/* The keys below saker.k8s_audit say the same as `plugins` could. */
static int load_audit(struct err *e)
{
	const struct config *c = settings();
	const char *certificate = config_text(c, CONFIG_KEY_AUDIT_CERTIFICATE);
	const char *address = config_text(c, CONFIG_KEY_AUDIT_ADDRESS);
	struct buf init;
	char *open;
	int r;

	if (!config_bool(c, CONFIG_KEY_AUDIT_ENABLED))
		return 0;
	buf_init(&init, INIT_CONFIG_MAX);
	buf_addf(&init, "{\"maxEventSize\":%" PRIu64 ",\"webhookMaxBatchSize\":%" PRIu64,
		 config_number(c, CONFIG_KEY_AUDIT_MAX_EVENT),
		 config_number(c, CONFIG_KEY_AUDIT_MAX_BODY));
	buf_addz(&init, ",\"sslCertificate\":");
	json_add_string(&init, str_of(certificate));
	buf_addc(&init, '}');
	open = xasprintf(strchr(address, ':') ? "%s://[%s]:%u%s" : "%s://%s:%u%s",
			 *certificate ? "https" : "http", address,
			 (unsigned)config_number(c, CONFIG_KEY_AUDIT_PORT),
			 config_text(c, CONFIG_KEY_AUDIT_ENDPOINT));
	r = add_built_in("k8saudit", buf_z(&init), open, e);
	if (!r)
		r = add_built_in("json", NULL, NULL, e);
	free(open);
	buf_done(&init);
	return r;
}

enum exit_status plugged_load(const struct plugged_options *o)
{
	bool *used = xcalloc(o->open_params.n + 1, sizeof(*used));
	enum exit_status status = EXIT_DONE;
	struct err e = {0};

	if (load_configured(&e) < 0 || load_audit(&e) < 0) {
		report("%s", e.msg);
		status = EXIT_FAULT;
	}
	for (size_t i = 0; i < o->plugins.n && !status; i++) {
		if (add(o, o->plugins.items[i], used, &e) < 0) {
			report("%s", e.msg);
			status = EXIT_FAULT;
		}
	}
	for (size_t i = 0; i < o->open_params.n && !status; i++) {
		if (!used[i]) {
			report("--open-params '%s' is of no plugin that is loaded",
			       o->open_params.items[i]);
			status = EXIT_USAGE;
		}
	}
	free(used);
	if (!status && fieldkeys_apply(&e) < 0) {
		report("%s", e.msg);
		status = EXIT_FAULT;
	}
	return status;
}

static enum exit_status add_bits(const struct option_texts *names, uint32_t *bits)
{
	for (size_t i = 0; i < names->n; i++) {
		int number = event_source_find(str_of(names->items[i]));

		if (number < 0) {
			report("there is no event source '%s'", names->items[i]);
			return EXIT_USAGE;
		}
		*bits |= 1u << number;
	}
	return EXIT_DONE;
}

enum exit_status plugged_choose(const struct sources_options *o, uint32_t *ret)
{
	uint32_t all = (uint32_t)((1ull << event_source_count()) - 1), on = 0, off = 0;
	enum exit_status status = add_bits(&o->enable, &on);
	struct err e = {0};

	if (!status)
		status = add_bits(&o->disable, &off);
	*ret = (on ? on : all) & ~off;
	if (!status && !*ret) {
		report("no event source is left to watch");
		status = EXIT_USAGE;
	}
	if (!status && *ret & 1 && loaded && plugins_check_schema(loaded, &e) < 0) {
		report("%s", e.msg);
		status = EXIT_FAULT;
	}
	return status;
}

int plugged_begin(uint32_t sources, struct err *e)
{
	return loaded ? plugins_begin(loaded, sources, e) : 0;
}

enum exit_status plugged_end(void)
{
	if (!loaded)
		return EXIT_DONE;
	plugins_end(loaded);
	plugged_tell();
	return plugins_failed(loaded) ? EXIT_FAULT : EXIT_DONE;
}
