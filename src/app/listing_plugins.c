/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins of this run, as lists and in full. */
#include "app/listing.h"

#include "app/plugged.h"
#include "app/report.h"
#include "base/json.h"
#include "plugin/library.h"

static void add_names(const char *label, const struct names *n, struct buf *out)
{
	buf_addf(out, "  %-14s ", label);
	for (size_t i = 0; i < n->n; i++) {
		buf_addz(out, i ? ", " : "");
		text_add_safe(out, str_of(n->list[i]));
	}
	buf_addz(out, n->n ? "\n" : "all\n");
}

static void add_line(const char *label, const char *text, struct buf *out)
{
	buf_addf(out, "  %-14s ", label);
	text_add_safe(out, str_of(text));
	buf_addc(out, '\n');
}

static void add_abilities(const struct plugin *p, struct buf *out)
{
	bool some = false;

	for (unsigned i = 0; i < PLUGIN_ABILITIES; i++) {
		if (!(p->abilities >> i & 1))
			continue;
		buf_addf(out, "%s%s", some ? ", " : "", plugin_ability_names[i]);
		some = true;
	}
}

static void plugin_line(size_t i, struct buf *out)
{
	const struct plugin *p = plugins_get(plugged(), i);

	text_add_safe(out, str_of(p->name));
	buf_addc(out, ' ');
	text_add_safe(out, str_of(p->version));
	buf_addz(out, ": ");
	add_abilities(p, out);
	buf_addc(out, '\n');
}

static void add_field(const struct plugin_field *f, struct buf *out)
{
	buf_addz(out, "    ");
	text_add_safe(out, str_of(f->info.name));
	buf_addf(out, " %s%s: ", param_type_name(f->info.type),
		 f->info.flags & FF_LIST ? " list" : "");
	text_add_safe(out, str_of(f->info.help));
	buf_addc(out, '\n');
}

static void plugin_text(size_t i, struct buf *out)
{
	const struct plugin *p = plugins_get(plugged(), i);
	const char *params = plugins_open_params(plugged(), i);

	plugin_line(i, out);
	add_line("description", p->description, out);
	add_line("contact", p->contact, out);
	add_line("file", p->path, out);
	add_line("API", p->api_version, out);
	if (p->source)
		buf_addf(out, "  %-14s %u\n", "id", p->id);
	if (p->source)
		add_line("event source", p->source, out);
	if (params)
		add_line("open params", params, out);
	if (p->schema)
		add_line("config schema", p->schema, out);
	if (p->abilities & PLUGIN_EXTRACTS)
		add_names("extracts from", &p->extract_sources, out);
	if (p->abilities & PLUGIN_PARSES)
		add_names("parses", &p->parse_sources, out);
	if (p->abilities & PLUGIN_ASYNC)
		add_names("async events", &p->async_names, out);
	if (p->n_fields)
		buf_addz(out, "  fields\n");
	for (size_t k = 0; k < p->n_fields; k++)
		add_field(&p->fields[k], out);
}

static void plugin_markdown(size_t i, struct buf *out)
{
	const struct plugin *p = plugins_get(plugged(), i);

	if (!out->n)
		buf_addz(out, "Plugin | Version | Description\n:------|:--------|:-----------\n");
	text_add_safe(out, str_of(p->name));
	buf_addz(out, " | ");
	text_add_safe(out, str_of(p->version));
	buf_addz(out, " | ");
	text_add_safe(out, str_of(p->description));
	buf_addc(out, '\n');
}

static void add_member(const char *key, const char *text, struct buf *out)
{
	buf_addf(out, ",\"%s\":", key);
	if (text)
		json_add_string(out, str_of(text));
	else
		buf_addz(out, "null");
}

static void add_array(const char *key, const struct names *n, struct buf *out)
{
	buf_addf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < n->n; i++) {
		buf_addz(out, i ? "," : "");
		json_add_string(out, str_of(n->list[i]));
	}
	buf_addc(out, ']');
}

static void add_fields(const struct plugin *p, struct buf *out)
{
	buf_addz(out, ",\"fields\":[");
	for (size_t i = 0; i < p->n_fields; i++) {
		const struct field_info *f = &p->fields[i].info;

		buf_addz(out, i ? ",{\"name\":" : "{\"name\":");
		json_add_string(out, str_of(f->name));
		add_member("type", param_type_name(f->type), out);
		add_member("desc", f->help, out);
		buf_addz(out, ",\"is_list\":");
		json_add_bool(out, f->flags & FF_LIST);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void plugin_json(size_t i, struct buf *out)
{
	const struct plugin *p = plugins_get(plugged(), i);

	buf_addz(out, i ? ",{\"name\":" : "{\"name\":");
	json_add_string(out, str_of(p->name));
	add_member("version", p->version, out);
	add_member("description", p->description, out);
	add_member("contact", p->contact, out);
	add_member("file", p->path, out);
	add_member("api_version", p->api_version, out);
	buf_addf(out, ",\"id\":%u", p->id);
	add_member("event_source", p->source, out);
	add_member("open_params", plugins_open_params(plugged(), i), out);
	add_member("config_schema", p->schema, out);
	add_array("extract_sources", &p->extract_sources, out);
	add_array("parse_sources", &p->parse_sources, out);
	add_array("async_events", &p->async_names, out);
	add_fields(p, out);
	buf_addc(out, '}');
}

void listing_plugin(size_t i, struct buf *out)
{
	plugin_text(i, out);
}

void listing_plugins(enum listing_form form, struct buf *out)
{
	static void (*const forms[])(size_t i, struct buf * out) = {
		[LISTING_TEXT] = plugin_line,
		[LISTING_VERBOSE] = plugin_text,
		[LISTING_MARKDOWN] = plugin_markdown,
		[LISTING_JSON] = plugin_json,
	};
	size_t n = plugged() ? plugins_count(plugged()) : 0;

	if (form == LISTING_JSON)
		buf_addz(out, "{\"plugins\":[");
	for (size_t i = 0; i < n; i++)
		forms[form](i, out);
	if (form == LISTING_JSON)
		buf_addz(out, "]}\n");
}

static const struct {
	const char *name;
	bool is_needed;
} symbols[] = {
#define SYMBOL(name, is_needed) {"plugin_" #name, is_needed},
#include "plugin/symbols.def"
#undef SYMBOL
};

void listing_symbols(enum listing_form form, struct buf *out)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		const char *when = symbols[i].is_needed ? "needed" : "as its abilities want";

		if (form == LISTING_JSON)
			buf_addf(out, "%s{\"name\":\"%s\",\"needed\":%s}",
				 i ? "," : "{\"symbols\":[", symbols[i].name,
				 symbols[i].is_needed ? "true" : "false");
		else if (form == LISTING_MARKDOWN)
			buf_addf(out, "%s`%s` | %s\n",
				 i ? "" : "Function | When\n:--------|:----\n", symbols[i].name,
				 when);
		else
			buf_addf(out, "%s (%s)\n", symbols[i].name, when);
	}
	if (form == LISTING_JSON)
		buf_addz(out, "]}\n");
}
