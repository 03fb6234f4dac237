/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what was said fits the table, and what of it has no effect. */
#include "config/private.h"

#include <arpa/inet.h>
#include <errno.h>

enum { SHOWN = 64 };

struct checker {
	struct config *c;
	struct buf path;	     /* of the node at hand, as people write it */
	bool told[CONFIG_KEY_COUNT]; /* that it has no effect */
};

#define COMPLAIN(k, n, ...) config_error(&(k)->c->issues, (n)->from, &(n)->at, __VA_ARGS__)
#define WARN(k, n, ...) config_warn(&(k)->c->issues, (n)->from, &(n)->at, __VA_ARGS__)

/* ---- keys that nothing reads ---- */

static bool is_default(struct checker *k, const struct config_key *row, const struct node *n)
{
	struct config_value said, usual = {0};

	if (row->type == CONFIG_ANY)
		return n->kind == YAML_NULL || (n->kind == YAML_SCALAR && !n->text.n) ||
		       (n->kind != YAML_SCALAR && !n->n);
	if (config_value_parse(row, n->text, &k->c->arena, &said, NULL) < 0 ||
	    (*row->fallback &&
	     config_value_parse(row, str_of(row->fallback), &k->c->arena, &usual, NULL) < 0))
		return false;
	if (row->type == CONFIG_WORD)
		return usual.word && !strcmp(said.word, usual.word);
	if (row->type == CONFIG_TEXT)
		return str_is(said.text, row->fallback);
	return said.b == usual.b && said.n == usual.n && said.d >= usual.d && said.d <= usual.d;
}

/* As the table writes defaults: "[a, b]". */
static bool is_default_list(const struct config_key *row, const struct node *list)
{
	struct buf text;
	bool same;

	buf_init(&text, 4096);
	buf_addc(&text, '[');
	for (uint32_t i = 0; i < list->n; i++) {
		buf_addz(&text, i ? ", " : "");
		buf_adds(&text, list->items[i]->text);
	}
	buf_addc(&text, ']');
	same = !text.truncated && str_is(buf_str(&text), row->fallback);
	buf_done(&text);
	return same;
}

static void tell_unused(struct checker *k, const struct config_key *row, const struct node *n)
{
	if (config_key_is_read(row) || k->told[row - config_keys])
		return;
	k->told[row - config_keys] = true;
	if (row->is_gone || row->reader)
		WARN(k, n, "%s: known, and without effect. %s", buf_z(&k->path), row->help);
	else
		WARN(k, n, "%s: known, not used yet: what it says has no effect", row->path);
}

/* ---- types ---- */

static void check_node(struct checker *k, struct node *n, const char *pattern);

static void want(struct checker *k, const struct node *n, const char *what, const char * not )
{
	COMPLAIN(k, n, "%s wants %s, not %s", buf_z(&k->path), what, not );
}

static void want_row(struct checker *k, const struct node *n, const struct config_key *row,
		     const char * not )
{
	struct buf what;

	buf_init(&what, 256);
	buf_addz(&what, config_type_is_list(row->type) ? "a list of " : "");
	config_key_wants(row, &what);
	want(k, n, buf_z(&what), not );
	buf_done(&what);
}

/* A variable that is not set leaves nothing where there should be something. */
static bool is_unset(struct checker *k, const struct config_key *row, struct node *n)
{
	if (!n->is_expanded || n->text.n || row->type == CONFIG_TEXT || row->type == CONFIG_TEXTS)
		return false;
	WARN(k, n, "%s is empty with the environment's variables in place; its default counts",
	     buf_z(&k->path));
	n->kind = YAML_NULL;
	return true;
}

static bool check_value(struct checker *k, struct node *n, const struct config_key *row)
{
	struct config_value unused;
	struct err e = {0};

	if (is_unset(k, row, n))
		return false;
	if (config_value_parse(row, n->text, &k->c->arena, &unused, &e) == 0)
		return true;
	COMPLAIN(k, n, "%s %s", buf_z(&k->path), e.msg);
	return false;
}

static void check_scalar(struct checker *k, struct node *n, const char *pattern,
			 const struct config_key *row)
{
	struct str path = str_of(pattern);
	char item[CONFIG_PATH_MAX];
	const struct config_key *of_item = NULL;

	if (pattern_item(pattern, NULL, item))
		of_item = config_key_find(str_of(item));
	if ((!row || row->type == CONFIG_LIST) && of_item) /* one instead of a list of one */
		row = of_item;
	if (!row || row->type == CONFIG_LIST) {
		want(k, n, config_key_goes_on(path, '.') ? "keys below it" : "a list", "a value");
		return;
	}
	if (check_value(k, n, row) && !is_default(k, row, n))
		tell_unused(k, row, n);
}

/* Go one deeper in the path that is shown: returns where it ended. */
static size_t push(struct checker *k, const char *open, struct str name, const char *close)
{
	size_t n = k->path.n;

	buf_addz(&k->path, open);
	for (size_t i = 0; i < name.n && i < SHOWN; i++)
		buf_addc(&k->path, name.p[i]);
	buf_addz(&k->path, close);
	return n;
}

static void pop(struct checker *k, size_t n)
{
	k->path.n = n;
}

static size_t push_index(struct checker *k, uint32_t i)
{
	size_t n = k->path.n;

	buf_addf(&k->path, "[%u]", i);
	return n;
}

static void check_values(struct checker *k, struct node *list, const struct config_key *row)
{
	bool good = true;

	for (uint32_t i = 0; i < list->n; i++) {
		struct node *item = list->items[i];
		size_t n = push_index(k, i);

		if (item->kind != YAML_SCALAR)
			COMPLAIN(k, item, "%s wants text, not %s", buf_z(&k->path),
				 item->kind == YAML_NULL ? "nothing" : "more lists or maps");
		good = item->kind == YAML_SCALAR && check_value(k, item, row) && good;
		pop(k, n);
	}
	if (good && !is_default_list(row, list))
		tell_unused(k, row, list);
}

static void check_list(struct checker *k, struct node *list, const char *pattern,
		       const struct config_key *row)
{
	char item[CONFIG_PATH_MAX];

	if (row && config_type_is_list(row->type)) {
		check_values(k, list, row);
		return;
	}
	if (!config_key_goes_on(str_of(pattern), '[')) {
		if (row)
			want_row(k, list, row, "a list");
		else
			want(k, list, "keys below it", "a list");
		return;
	}
	for (uint32_t i = 0; i < list->n; i++) {
		size_t n = push_index(k, i);

		if (pattern_item(pattern, list->items[i], item))
			check_node(k, list->items[i], item);
		pop(k, n);
	}
}

static void tell_unknown(struct checker *k, const struct node *n, const char *pattern)
{
	const char *near = NULL;

	/* Looking for it costs; nobody reads more than these. */
	if (k->c->issues.n_warnings < CONFIG_ISSUES_MAX)
		near = config_key_nearest(str_of(pattern), n->key, &k->c->arena);
	WARN(k, n, "unknown key '%s'%s%s%s", buf_z(&k->path), near ? "; did you mean '" : "",
	     near ? near : "", near ? "'?" : "");
}

static void check_map(struct checker *k, struct node *map, const char *pattern,
		      const struct config_key *row)
{
	char member[CONFIG_PATH_MAX];

	if (*pattern && !config_key_goes_on(str_of(pattern), '.')) {
		if (row)
			want_row(k, map, row, "a map");
		else
			want(k, map, "a list", "a map");
		return;
	}
	for (uint32_t i = 0; i < map->n; i++) {
		size_t n = push(k, *pattern ? "." : "", map->items[i]->key, "");

		if (pattern_member(pattern, map->items[i]->key, member))
			check_node(k, map->items[i], member);
		else
			tell_unknown(k, map->items[i], pattern);
		pop(k, n);
	}
}

/* Nothing behind a key is as if the key were not there. */
static void check_node(struct checker *k, struct node *n, const char *pattern)
{
	const struct config_key *row = config_key_find(str_of(pattern));

	if (row && row->type == CONFIG_ANY) {
		if (row->is_gone || !is_default(k, row, n))
			tell_unused(k, row, n);
		return;
	}
	if (n->kind == YAML_SCALAR)
		check_scalar(k, n, pattern, row);
	else if (n->kind == YAML_LIST)
		check_list(k, n, pattern, row);
	else if (n->kind == YAML_MAP)
		check_map(k, n, pattern, row);
}

/* ---- what depends on each other ---- */

/* What is switched on needs these. */
static const struct {
	enum config_id on, needs;
} needs[] = {
	{CONFIG_KEY_FILE_ENABLED, CONFIG_KEY_FILE_NAME},
	{CONFIG_KEY_PROGRAM_ENABLED, CONFIG_KEY_PROGRAM_COMMAND},
	{CONFIG_KEY_HTTP_ENABLED, CONFIG_KEY_HTTP_URL},
	{CONFIG_KEY_HTTP_MTLS, CONFIG_KEY_HTTP_CLIENT_CERT},
	{CONFIG_KEY_HTTP_MTLS, CONFIG_KEY_HTTP_CLIENT_KEY},
	{CONFIG_KEY_WEB_SSL, CONFIG_KEY_WEB_CERT},
	{CONFIG_KEY_CONTAINER_STATIC, CONFIG_KEY_CONTAINER_STATIC_ID},
	{CONFIG_KEY_CONTAINER_STATIC, CONFIG_KEY_CONTAINER_STATIC_NAME},
	{CONFIG_KEY_CONTAINER_STATIC, CONFIG_KEY_CONTAINER_STATIC_IMAGE},
};

static void check_needs(struct checker *k)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct node *on = config_node(k->c, needs[i].on);

		if (on && config_bool(k->c, needs[i].on) && !*config_text(k->c, needs[i].needs))
			COMPLAIN(k, on, "%s wants %s, too", config_keys[needs[i].on].path,
				 config_keys[needs[i].needs].path);
	}
}

static void check_rule_files(struct checker *k)
{
	const struct node *old = config_node(k->c, CONFIG_KEY_RULES_FILE);

	if (old && config_node(k->c, CONFIG_KEY_RULES_FILES))
		COMPLAIN(k, old, "rules_file is the old name of rules_files; only one can be");
	else if (old)
		WARN(k, old, "rules_file is an old name; it is rules_files now");
}

/* {enable: {rule: x}}: one of two, with one of two. */
static void check_selection(struct checker *k, const struct node *item)
{
	const struct node *enable = node_get(item, STR("enable")),
			  *disable = node_get(item, STR("disable")),
			  *what = enable ? enable : disable;

	if (!node_is(item, YAML_MAP) || !what || (enable && disable))
		COMPLAIN(k, item, "an item of rules wants `enable` or `disable`");
	else if (!node_get(what, STR("rule")) == !node_get(what, STR("tag")))
		COMPLAIN(k, what, "%.*s wants `rule` or `tag`", STR_ARG(what->key));
}

static void check_selections(struct checker *k)
{
	const struct node *list = config_node(k->c, CONFIG_KEY_RULES);

	for (uint32_t i = 0; node_is(list, YAML_LIST) && i < list->n; i++)
		check_selection(k, list->items[i]);
}

static void check_plugins(struct checker *k)
{
	const struct node *list = config_node(k->c, CONFIG_KEY_PLUGINS);

	for (uint32_t i = 0; node_is(list, YAML_LIST) && i < list->n; i++) {
		const struct node *p = list->items[i];

		if (!node_is(node_get(p, STR("name")), YAML_SCALAR))
			COMPLAIN(k, p, "plugins[%u] has no name", i);
		else if (!str_is(node_get(p, STR("name"))->text, "container") &&
			 !node_is(node_get(p, STR("library_path")), YAML_SCALAR))
			COMPLAIN(k, p, "plugins[%u] has no library_path", i);
	}
}

static void check_drop_actions(struct checker *k)
{
	size_t n;
	const struct str *actions = config_texts(k->c, CONFIG_KEY_DROPS_ACTIONS, &n);

	for (size_t i = 0; i < n && n > 1; i++) {
		if (str_is(actions[i], "ignore"))
			COMPLAIN(k, config_node(k->c, CONFIG_KEY_DROPS_ACTIONS),
				 "syscall_event_drops.actions: 'ignore' is for itself alone");
	}
}

static void check_address(struct checker *k)
{
	const char *text = config_text(k->c, CONFIG_KEY_WEB_ADDRESS);
	struct in6_addr unused;

	if (inet_pton(AF_INET, text, &unused) != 1 && inet_pton(AF_INET6, text, &unused) != 1)
		COMPLAIN(k, config_node(k->c, CONFIG_KEY_WEB_ADDRESS),
			 "webserver.listen_address wants an address, not '%.64s'", text);
}

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static void check_rings(struct checker *k)
{
	static const enum config_id rings[] = {CONFIG_KEY_RING_PROCESSES, CONFIG_KEY_RING_NETWORK,
					       CONFIG_KEY_RING_FILES};

	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		const struct node *n = config_node(k->c, rings[i]);

		if (n && !is_power_of_two(config_number(k->c, rings[i])))
			COMPLAIN(k, n, "%s wants a power of two", config_keys[rings[i]].path);
	}
}

static void check_engine(struct checker *k)
{
	const struct node *kind = config_node(k->c, CONFIG_KEY_ENGINE_KIND);
	const char *word = config_word(k->c, CONFIG_KEY_ENGINE_KIND);

	if (kind && (!strcmp(word, "kmod") || !strcmp(word, "ebpf")))
		WARN(k, kind,
		     "engine.kind %s means modern_ebpf here, with engine.modern_ebpf's keys", word);
	if (kind && !strcmp(word, "gvisor"))
		COMPLAIN(k, kind, "engine.kind gvisor is not supported");
	if (kind && !strcmp(word, "replay") && !*config_text(k->c, CONFIG_KEY_ENGINE_REPLAY_FILE))
		COMPLAIN(k, kind, "engine.kind replay wants engine.replay.capture_file, too");
}

static void check_sockets(struct checker *k)
{
	size_t n;
	const struct str *sockets = config_texts(k->c, CONFIG_KEY_RUNTIME_SOCKETS, &n);
	const struct node *list = config_node(k->c, CONFIG_KEY_RUNTIME_SOCKETS);

	for (size_t i = 0; i < n; i++) {
		if (str_find(sockets[i], STR("=/")) < 0)
			COMPLAIN(k, list, "saker.runtimes.sockets wants KIND=PATH, not '%.64s'",
				 sockets[i].p);
	}
}

static void (*const dependencies[])(struct checker *k) = {
	check_needs,   check_rule_files, check_selections, check_plugins, check_drop_actions,
	check_address, check_rings,	 check_engine,	   check_sockets,
};

/* init_config may be a text of JSON, which is YAML, too. */
static int read_container_config(struct config *c)
{
	struct node *item = node_named(node_get(c->root, STR("plugins")), STR("container"));
	struct node *n = node_get(item, STR("init_config")), *parsed;

	if (!node_is(n, YAML_SCALAR))
		return 0;
	c->nodes.expand = false;
	parsed = node_parse(&c->nodes, n->text, n->from);
	if (!parsed)
		return -EINVAL;
	n->kind = parsed->kind;
	n->items = parsed->items;
	n->n = parsed->n;
	return 0;
}

int config_check(struct config *c)
{
	struct checker k = {.c = c};

	if (read_container_config(c) < 0)
		return -EINVAL;
	buf_init(&k.path, CONFIG_PATH_MAX * 4);
	check_node(&k, c->root, "");
	for (size_t i = 0; i < sizeof(dependencies) / sizeof(dependencies[0]); i++) {
		if (!c->issues.n_errors)
			dependencies[i](&k);
	}
	buf_done(&k.path);
	return c->issues.n_errors ? -EINVAL : 0;
}
