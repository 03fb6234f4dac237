/* SPDX-License-Identifier: Apache-2.0 */
/* saker config: the effective configuration, and where each value came from. */
#include "app/command.h"

#include "app/report.h"
#include "app/settings.h"
#include "app/sink.h"
#include "base/json.h"

struct config_options {
	struct settings_options settings;
	bool json;
};

/* ---- values ---- */

/* Numbers and such as they are, text in quotes. */
static void add_value(const struct config_key *k, const struct node *n, struct buf *out)
{
	struct str text = n ? n->text : str_of(k->fallback);
	struct config_value v;
	struct arena scratch;

	if (n && n->kind != YAML_SCALAR) {
		node_add_json(n, out);
		return;
	}
	arena_init(&scratch, 256);
	if (!text.n && !n && k->type != CONFIG_TEXT)
		buf_addz(out, "null"); /* there is no default */
	else if (config_value_parse(k, text, &scratch, &v, NULL) < 0 || k->type >= CONFIG_SIZE)
		json_add_string(out, text);
	else if (k->type == CONFIG_BOOL)
		json_add_bool(out, v.b);
	else if (k->type == CONFIG_NUMBER)
		buf_add_u64(out, v.n);
	else
		json_add_double(out, v.d);
	arena_done(&scratch);
}

/* The default of a list, as the table writes it: "[a, b]". */
static void add_usual_list(const struct config_key *k, struct buf *out)
{
	struct str text = str_of(k->fallback);

	text = str_head(str_from(text, 1), text.n > 2 ? text.n - 2 : 0);
	buf_addc(out, '[');
	for (bool more = false; text.n; more = true) {
		ptrdiff_t comma = str_chr(text, ',');
		struct str one = comma < 0 ? text : str_head(text, (size_t)comma);

		buf_addz(out, more ? "," : "");
		json_add_string(out, str_trim(one));
		text = str_from(text, one.n + 1);
	}
	buf_addc(out, ']');
}

static void add_any(const struct config_key *k, const struct node *n, struct buf *out)
{
	if (!n && (config_type_is_list(k->type) || k->type == CONFIG_LIST))
		add_usual_list(k, out);
	else
		add_value(k, n, out);
}

/* ---- as text ---- */

static void value_text(void *arg, const char *path, const struct config_key *k,
		       const struct node *n)
{
	struct sink *s = arg;
	struct buf value;

	buf_init(&value, 1 << 16);
	add_any(k, n, &value);
	text_add_safe(&s->text, str_of(path));
	buf_addz(&s->text, " = ");
	text_add_safe(&s->text, buf_str(&value));
	buf_done(&value);
	buf_addz(&s->text, "  # ");
	text_add_safe(&s->text, n && n->from ? str_of(n->from->name) : STR("default"));
	if (n && n->from && !n->from->is_option)
		buf_addf(&s->text, ":%u:%u", n->at.line + 1, n->at.column + 1);
	if (n && !config_key_is_read(k))
		buf_addz(&s->text, " (not used)");
	buf_addc(&s->text, '\n');
	sink_line(s);
}

/* ---- as JSON ---- */

struct json_list {
	struct sink *sink;
	bool more;
};

static void add_origin(const struct node *n, struct buf *out)
{
	buf_addz(out, ",\"from\":");
	json_add_string(out, n && n->from ? str_of(n->from->name) : STR("default"));
	if (n && n->from && !n->from->is_option)
		buf_addf(out, ",\"line\":%u,\"column\":%u", n->at.line + 1, n->at.column + 1);
}

static void value_json(void *arg, const char *path, const struct config_key *k,
		       const struct node *n)
{
	struct json_list *l = arg;
	struct buf *out = &l->sink->text;

	buf_addz(out, l->more ? ",{\"key\":" : "{\"key\":");
	json_add_string(out, str_of(path));
	buf_addz(out, ",\"value\":");
	add_any(k, n, out);
	add_origin(n, out);
	buf_addz(out, ",\"reader\":");
	if (config_key_is_read(k))
		json_add_string(out, str_of(k->reader));
	else
		buf_addz(out, "null");
	buf_addc(out, '}');
	l->more = true;
}

static void print_json(const struct config *c, struct sink *s)
{
	struct json_list list = {.sink = s};
	const struct config_source *file;

	buf_addz(&s->text, "{\"files\":[");
	for (size_t i = 0; (file = config_file(c, i)); i++) {
		buf_addz(&s->text, i ? "," : "");
		json_add_string(&s->text, str_of(file->name));
	}
	buf_addz(&s->text, "],\"config\":[");
	config_each(c, value_json, &list);
	buf_addz(&s->text, "]}\n");
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct config_options *o = options;
	enum exit_status status = settings_begin(&o->settings);
	struct sink s;

	if (status)
		return status;
	sink_init(&s);
	if (o->json)
		print_json(settings(), &s);
	else
		config_each(settings(), value_text, &s);
	return sink_close(&s);
}

#define ROW(...) OPTION_ROW(struct config_options, __VA_ARGS__)

static const struct option_row rows[] = {
	SETTINGS_ROWS(struct config_options, settings),
	ROW("json", 'j', FLAG, json, NULL, "as one line of JSON"),
};

const struct command command_config = {
	.name = "config",
	.summary = "Print the effective configuration and where each value came from",
	.arguments = SETTINGS_ARGUMENTS " [--json]",
	.details =
		"FILE is a falco.yaml; what it includes is read, too.  Without one all values\n"
		"are defaults.  `saker list config` explains the keys, and says what reads each.\n",
	.min_args = 0,
	.max_args = 0,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct config_options)},
	.run = run,
};
