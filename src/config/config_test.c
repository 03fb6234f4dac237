/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/test.h"
#include "config/expand.h"

#include <stdlib.h>
#include <string.h>

static struct config *with_text(const char *text)
{
	struct config *c = config_new();

	config_add_text(c, "main.yaml", str_of(text), MERGE_APPEND);
	return c;
}

static struct config *checked(const char *text)
{
	struct config *c = with_text(text);

	config_check(c);
	return c;
}

static const char *first_issue(const struct config *c)
{
	return config_issues(c)->n ? config_issues(c)->list[0].text : "";
}

/* The only issue of a text, and whether it is an error. */
static void check_issue(const char *text, bool is_error, const char *want)
{
	struct config *c = checked(text);

	CHECK_STR(first_issue(c), want);
	CHECK_INT(config_issues(c)->n, 1);
	CHECK_INT(config_issues(c)->n_errors, is_error);
	config_free(c);
}

static void check_good(const char *text)
{
	struct config *c = checked(text);

	CHECK_STR(first_issue(c), "");
	config_free(c);
}

TEST(every_key_has_a_name_of_its_own_and_help)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		const struct config_key *k = &config_keys[i];

		CHECK(*k->help && strlen(k->path) < 128);
		CHECK(k->help[strlen(k->help) - 1] == '.');
		CHECK(config_key_find(str_of(k->path)) == k);
	}
}

TEST(every_default_is_a_value_of_its_type)
{
	struct arena a;

	arena_init(&a, 0);
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		const struct config_key *k = &config_keys[i];
		struct config_value v;
		struct err e = {0};
		bool is_list = config_type_is_list(k->type) || k->type == CONFIG_LIST;

		if (is_list)
			CHECK(k->fallback[0] == '[');
		else if (*k->fallback)
			CHECK_INT(config_value_parse(k, str_of(k->fallback), &a, &v, &e), 0);
	}
	arena_done(&a);
}

TEST(an_empty_configuration_is_all_defaults)
{
	struct config *c = checked("");
	size_t n;

	CHECK_INT(config_issues(c)->n, 0);
	CHECK(!config_bool(c, CONFIG_KEY_JSON_OUTPUT));
	CHECK(config_bool(c, CONFIG_KEY_JSON_INCLUDE_OUTPUT));
	CHECK_INT(config_number(c, CONFIG_KEY_THREAD_TABLE), 262144);
	CHECK_INT(config_number(c, CONFIG_KEY_MAX_MEMORY), 1 << 30);
	CHECK_INT(config_number(c, CONFIG_KEY_METRICS_INTERVAL), 3600000);
	CHECK(config_decimal(c, CONFIG_KEY_DROPS_THRESHOLD) > 0.09);
	CHECK_STR(config_word(c, CONFIG_KEY_PRIORITY), "debug");
	CHECK_STR(config_text(c, CONFIG_KEY_HTTP_USER_AGENT), "falcosecurity/falco");
	CHECK_STR(config_texts(c, CONFIG_KEY_DROPS_ACTIONS, &n)[0].p, "ignore");
	CHECK_INT(n, 1);
	config_free(c);
}

TEST(values_are_read_as_their_type)
{
	struct config *c = checked("json_output: on\npriority: NOTICE\nrules_files: [a, b]\n"
				   "base_syscalls: {custom_set: open}\n"
				   "saker: {tables: {memory: 64M}}\n");
	size_t n;

	CHECK_STR(first_issue(c), "");
	CHECK(config_bool(c, CONFIG_KEY_JSON_OUTPUT));
	CHECK_STR(config_word(c, CONFIG_KEY_PRIORITY), "notice");
	CHECK_STR(config_texts(c, CONFIG_KEY_RULES_FILES, &n)[1].p, "b");
	CHECK_INT(n, 2);
	CHECK_STR(config_texts(c, CONFIG_KEY_BASE_CUSTOM, &n)[0].p, "open");
	CHECK_INT(n, 1);
	CHECK_INT(config_number(c, CONFIG_KEY_MAX_MEMORY), 64 << 20);
	config_free(c);
}

TEST(a_wrong_type_is_an_error)
{
	check_issue("json_output: maybe", true, "json_output wants true or false, not 'maybe'");
	check_issue("json_output: [true]", true, "json_output wants true or false, not a list");
	check_issue("json_output: {a: b}", true, "json_output wants true or false, not a map");
	check_issue("rules_files: {a: b}", true, "rules_files wants a list of text, not a map");
	check_issue("rules_files: [[a]]", true,
		    "rules_files[0] wants text, not more lists or maps");
	check_issue("engine: ebpf", true, "engine wants keys below it, not a value");
	check_issue("engine: [kind]", true, "engine wants keys below it, not a list");
	check_issue("plugins: x", true, "plugins wants a list, not a value");
}

TEST(a_value_out_of_range_is_an_error)
{
	check_issue("engine: {modern_ebpf: {buf_size_preset: 11}}", true,
		    "engine.modern_ebpf.buf_size_preset wants a whole number from 1 to 10, not "
		    "'11'");
	check_issue("syscall_event_drops: {threshold: 1.5}", true,
		    "syscall_event_drops.threshold wants a number from 0 to 1, not '1.5'");
	check_issue("falco_libs: {thread_table_size: -1}", true,
		    "falco_libs.thread_table_size wants a whole number from 1 to 4294967295, not "
		    "'-1'");
	check_issue("metrics: {interval: 5000}", true,
		    "metrics.interval wants a time such as 1h30m or 500ms, 100ms at the least, not "
		    "'5000'");
	check_issue("metrics: {interval: 99ms}", true,
		    "metrics.interval wants a time such as 1h30m or 500ms, 100ms at the least, not "
		    "'99ms'");
	check_issue("saker: {rings: {files: 5000}}", true,
		    "saker.rings.files wants a power of two");
}

TEST(a_word_that_is_none_has_a_suggestion)
{
	check_issue("rule_matching: al", true,
		    "rule_matching wants one of first, all, not 'al'; did you mean 'all'?");
}

TEST(an_unknown_key_is_a_warning_with_a_suggestion)
{
	check_issue("jsn_output: true", false,
		    "unknown key 'jsn_output'; did you mean "
		    "'json_output'?");
	check_issue("engine: {modern_ebpf: {buf_size: 1}}", false,
		    "unknown key 'engine.modern_ebpf.buf_size'; did you mean 'buf_size_preset'?");
	check_issue("plugins: [{name: container, init_config: {lable_max_len: 1}}]", false,
		    "unknown key 'plugins[0].init_config.lable_max_len'; did you mean "
		    "'label_max_len'?");
	check_issue("'': 1", false, "unknown key ''");
	check_issue("'engine.kind': kmod", false, "unknown key 'engine.kind'");
}

TEST(an_issue_knows_its_place)
{
	struct config *c = checked("json_output: true\nengine:\n  kindd: x\n");
	const struct config_issue *i = &config_issues(c)->list[0];

	CHECK_STR(i->from->name, "main.yaml");
	CHECK_INT(i->at.line, 2);
	CHECK_INT(i->at.column, 9);
	config_free(c);
}

TEST(what_nothing_reads_is_told_once_when_it_is_set)
{
	check_issue("plugins_hostinfo: false", false,
		    "plugins_hostinfo: known, and without effect. Give plugins' sources what is "
		    "known of this machine. Saker asks the machine nothing for them.");
	check_good("plugins_hostinfo: true");
	check_good("syscall_event_drops: {actions: [ignore], rate: .03333, threshold: 0.1}");
	check_issue("grpc: {enabled: true, threadiness: 8}", false,
		    "grpc.enabled: known, and without effect. There is no gRPC server, nor has the "
		    "reference one any more: use http_output.");
}

TEST(what_contradicts_is_an_error)
{
	check_issue("rules_file: a\nrules_files: b", true,
		    "rules_file is the old name of rules_files; only one can be");
	check_issue("rules: [{enable: {rule: a}, disable: {rule: b}}]", true,
		    "an item of rules wants `enable` or `disable`");
	check_issue("rules: [{enable: {rule: a, tag: b}}]", true, "enable wants `rule` or `tag`");
	check_issue("plugins: [{}]", true, "plugins[0] has no name");
	check_issue("engine: {kind: gvisor}", true, "engine.kind gvisor is not supported");
	check_issue("engine: {kind: kmod}", false,
		    "engine.kind kmod means modern_ebpf here, with engine.modern_ebpf's keys");
	check_issue("saker: {runtimes: {sockets: [/run/x]}}", true,
		    "saker.runtimes.sockets wants KIND=PATH, not '/run/x'");
}

TEST(keys_that_stand_twice_are_told)
{
	struct config *c = checked("json_output: true\njson_output: false");

	CHECK_STR(first_issue(c), "'json_output' stands here twice; the first one counts");
	CHECK(config_bool(c, CONFIG_KEY_JSON_OUTPUT));
	config_free(c);
}

TEST(issues_have_a_limit)
{
	struct buf text;
	struct config *c;

	buf_init(&text, 1 << 20);
	for (int i = 0; i < 5000; i++)
		buf_addf(&text, "zzzz%d: 1\n", i);
	c = checked(buf_z(&text));
	CHECK_INT(config_issues(c)->n, CONFIG_ISSUES_MAX);
	CHECK_INT(config_issues(c)->n_warnings, 5000);
	config_free(c);
	buf_done(&text);
}

/* ---- merging ---- */

static struct config *merged(enum config_merge how)
{
	struct config *c = with_text("rules_files: [a]\npriority: info\n");

	CHECK_INT(config_add_text(c, "more.yaml",
				  STR("rules_files: [b]\npriority: error\njson_output: true\n"),
				  how),
		  0);
	CHECK_INT(config_check(c), 0);
	CHECK(config_bool(c, CONFIG_KEY_JSON_OUTPUT));
	return c;
}

TEST(appending_makes_lists_longer_and_replaces_values)
{
	struct config *c = merged(MERGE_APPEND);
	size_t n;
	const struct str *files = config_texts(c, CONFIG_KEY_RULES_FILES, &n);

	CHECK_INT(n, 2);
	CHECK_STR(files[0].p, "a");
	CHECK_STR(files[1].p, "b");
	CHECK_STR(config_word(c, CONFIG_KEY_PRIORITY), "error");
	config_free(c);
}

TEST(overriding_replaces_all)
{
	struct config *c = merged(MERGE_OVERRIDE);
	size_t n;

	CHECK_STR(config_texts(c, CONFIG_KEY_RULES_FILES, &n)[0].p, "b");
	CHECK_INT(n, 1);
	CHECK_STR(config_word(c, CONFIG_KEY_PRIORITY), "error");
	config_free(c);
}

TEST(adding_takes_only_what_was_not_there)
{
	struct config *c = merged(MERGE_ADD_ONLY);
	size_t n;

	CHECK_STR(config_texts(c, CONFIG_KEY_RULES_FILES, &n)[0].p, "a");
	CHECK_STR(config_word(c, CONFIG_KEY_PRIORITY), "info");
	config_free(c);
}

TEST(an_included_file_includes_nothing)
{
	struct config *c = with_text("json_output: true");

	CHECK(config_add_text(c, "more.yaml", STR("config_files: [x]"), MERGE_APPEND) < 0);
	CHECK_STR(first_issue(c), "only the main file may include others");
	config_free(c);
}

/* ---- single values ---- */

static struct config *set(const char *text, const char *option)
{
	struct config *c = with_text(text);

	config_set(c, option);
	config_check(c);
	return c;
}

TEST(an_option_wins)
{
	struct config *c = set("priority: info", "priority=error");
	const struct node *n = config_node(c, CONFIG_KEY_PRIORITY);

	CHECK_STR(first_issue(c), "");
	CHECK_STR(config_word(c, CONFIG_KEY_PRIORITY), "error");
	CHECK_STR(n->from->name, "-o priority=error");
	config_free(c);
}

TEST(an_option_makes_what_is_missing)
{
	struct config *c = set("", "saker.tables.memory=2M");

	CHECK_INT(config_number(c, CONFIG_KEY_MAX_MEMORY), 2 << 20);
	config_free(c);
}

TEST(an_option_reaches_into_lists)
{
	static const char *const options[] = {"rules_files[1]=c", "rules_files[2]=d",
					      "rules_files[]=e"};
	struct config *c = with_text("rules_files: [a, b]");
	const struct str *files;
	size_t n;

	for (unsigned i = 0; i < 3; i++)
		CHECK_INT(config_set(c, options[i]), 0);
	files = config_texts(c, CONFIG_KEY_RULES_FILES, &n);
	CHECK_INT(n, 4);
	CHECK_STR(files[0].p, "a");
	CHECK_STR(files[1].p, "c");
	CHECK_STR(files[2].p, "d");
	CHECK_STR(files[3].p, "e");
	CHECK(config_set(c, "rules_files[9]=x") < 0);
	CHECK_STR(first_issue(c), "there are only 4 items before [9]");
	config_free(c);
}

TEST(an_option_may_be_a_map_or_a_list)
{
	struct config *c = set("", "append_output[]={match: {source: syscall, tags: [a]}, "
				   "extra_output: \"X\"}");
	const struct node *list = config_node(c, CONFIG_KEY_APPEND_OUTPUT);

	CHECK_STR(first_issue(c), "");
	CHECK_INT(list->n, 1);
	CHECK_STR(node_get(list->items[0], STR("extra_output"))->text.p, "X");
	config_free(c);
	c = set("", "rules_files=[a, b]");
	CHECK_INT(config_node(c, CONFIG_KEY_RULES_FILES)->n, 2);
	config_free(c);
	c = set("", "http_output.user_agent=[a");
	CHECK_STR(config_text(c, CONFIG_KEY_HTTP_USER_AGENT), "[a");
	config_free(c);
}

TEST(an_option_finds_an_item_by_its_name)
{
	struct config *c = set("plugins: [{name: container}]",
			       "plugins[container].init_config.label_max_len=7");

	CHECK_STR(first_issue(c), "");
	CHECK_INT(config_number(c, CONFIG_KEY_CONTAINER_LABEL_MAX), 7);
	CHECK_INT(config_node(c, CONFIG_KEY_PLUGINS)->n, 1);
	config_free(c);
}

TEST(an_option_escapes_what_separates)
{
	struct config *c = set("", "static_fields.a\\.b\\[c=x=y");
	const struct node *n = node_get(config_root(c), STR("static_fields"));

	CHECK_STR(n->items[0]->key.p, "a.b[c");
	CHECK_STR(n->items[0]->text.p, "x=y");
	config_free(c);
}

TEST(an_option_without_sense_is_an_error)
{
	static const char *const bad[] = {"priority", "=x",	      "a..b=x",		"a[0=x",
					  "a[1]b=x",  "priority.x=y", "engine[0]=x",	"a={x",
					  ".a=x",     "a.=x",	      "rules_files.x=y"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *c = with_text("priority: info\nengine: {kind: kmod}\n"
					     "rules_files: [a]");

		CHECK(config_set(c, bad[i]) < 0);
		CHECK_INT(config_issues(c)->n_errors, 1);
		config_free(c);
	}
}

/* ---- environment ---- */

static void check_expanded(const char *text, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	expand_variables(str_of(text), &out);
	CHECK_STR(buf_z(&out), want);
	buf_done(&out);
}

TEST(variables_of_the_environment_are_put_in_place)
{
	setenv("SAKER_TEST_A", "one", 1);
	setenv("SAKER_TEST_B", "${SAKER_TEST_A}", 1);
	unsetenv("SAKER_TEST_NONE");
	check_expanded("x${SAKER_TEST_A}y${SAKER_TEST_A}", "xoneyone");
	check_expanded("[${SAKER_TEST_NONE}]", "[]");
	check_expanded("$${SAKER_TEST_A}", "${SAKER_TEST_A}");
	check_expanded("${SAKER_TEST_A", "${SAKER_TEST_A");
	check_expanded("${SAKER_TEST_B}", "${SAKER_TEST_A}");
	check_expanded("$x ${} $", "$x  $");
}

TEST(variables_may_give_values_of_any_type)
{
	struct config *c;

	setenv("SAKER_TEST_A", "true", 1);
	unsetenv("SAKER_TEST_NONE");
	c = checked("json_output: ${SAKER_TEST_A}");
	CHECK(config_bool(c, CONFIG_KEY_JSON_OUTPUT));
	config_free(c);
	check_issue("json_output: ${SAKER_TEST_NONE}", false,
		    "json_output is empty with the environment's variables in place; its default "
		    "counts");
	c = set("", "http_output.user_agent=${SAKER_TEST_A}");
	CHECK_STR(config_text(c, CONFIG_KEY_HTTP_USER_AGENT), "${SAKER_TEST_A}");
	config_free(c);
}

/* ---- containers ---- */

TEST(the_container_plugin_may_be_told_in_json_text)
{
	struct config *c = checked("plugins:\n- name: container\n  library_path: libcontainer.so\n"
				   "  init_config: '{\"label_max_len\": 12, \"engines\": "
				   "{\"docker\": {\"enabled\": false}}}'\n");

	CHECK_STR(first_issue(c), "");
	CHECK_INT(config_number(c, CONFIG_KEY_CONTAINER_LABEL_MAX), 12);
	CHECK(!config_bool(c, CONFIG_KEY_CONTAINER_DOCKER));
	CHECK(config_bool(c, CONFIG_KEY_CONTAINER_CRI));
	config_free(c);
}

/* ---- hostile input ---- */

TEST(aliases_in_aliases_have_a_limit)
{
	struct buf text;
	struct config *c;

	buf_init(&text, 1 << 16);
	buf_addz(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 9; i++) {
		buf_addf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			buf_addf(&text, "%s*a%d", k ? ", " : "", i - 1);
		buf_addz(&text, "]\n");
	}
	c = checked(buf_z(&text));
	CHECK_INT(config_issues(c)->n_errors, 1);
	config_free(c);
	buf_done(&text);
}

static unsigned n_visited;

static void count(void *arg, const char *path, const struct config_key *k, const struct node *n)
{
	CHECK(k && *path);
	n_visited++;
}

TEST(every_value_is_visited)
{
	struct config *c = checked("rules_files: [a, b]\nstatic_fields: {a: 1, b: 2}\n"
				   "plugins: [{name: container, init_config: {with_size: true}}]");
	unsigned before;

	n_visited = 0;
	config_each(c, count, NULL);
	before = n_visited;
	config_free(c);
	c = checked("");
	n_visited = 0;
	config_each(c, count, NULL);
	/* Two files for one line, two fields, two of the plugin for one line that is all rows. */
	CHECK(n_visited > 100 && before > 100);
	config_free(c);
}
