/* SPDX-License-Identifier: Apache-2.0 */
#include "app/keys.h"

#include "base/json.h"
#include "config/key.h"

static const char *reader_of(const struct config_key *k)
{
	if (!k->reader)
		return k->is_gone ? "never" : "not yet";
	return *k->reader ? k->reader : "nothing";
}

static const char *state_of(const struct config_key *k)
{
	if (k->is_gone)
		return "gone";
	return !k->reader ? "not yet" : *k->reader ? "done" : "without effect";
}

static void key_text(const struct config_key *k, struct buf *out)
{
	buf_addf(out, "%s (%s", k->path, k->is_gone ? "gone" : config_type_name(k->type));
	if (*k->limits)
		buf_addf(out, ": %s", k->limits);
	if (*k->fallback)
		buf_addf(out, "; default %s", k->fallback);
	buf_addf(out, "; for: %s)\n    %s\n", reader_of(k), k->help);
}

static void key_markdown(const struct config_key *k, struct buf *out)
{
	if (!out->n)
		buf_addz(out, "Key | Type | Limits | Default | For | Meaning\n"
			      ":---|:-----|:-------|:--------|:----|:-------\n");
	buf_addf(out, "`%s` | %s | %s | %s%s%s | %s | %s\n", k->path,
		 k->is_gone ? "gone" : config_type_name(k->type), k->limits,
		 *k->fallback ? "`" : "", k->fallback, *k->fallback ? "`" : "", reader_of(k),
		 k->help);
}

static void add_member(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, ",\"%s\":", key);
	json_add_string(out, str_of(value));
}

static void key_json(const struct config_key *k, struct buf *out)
{
	buf_addz(out, out->n ? ",{\"key\":" : "{\"config\":[{\"key\":");
	json_add_string(out, str_of(k->path));
	add_member(out, "type", config_type_name(k->type));
	add_member(out, "limits", k->limits);
	add_member(out, "default", k->fallback);
	add_member(out, "reader", k->reader ? k->reader : "");
	add_member(out, "state", state_of(k));
	add_member(out, "help", k->help);
	buf_addz(out, k->is_gone ? ",\"gone\":true}" : ",\"gone\":false}");
}

void listing_config(enum listing_form form, struct buf *out)
{
	static void (*const forms[])(const struct config_key *k, struct buf *out) = {
		key_text, key_text, key_markdown, key_json};

	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		forms[form](&config_keys[i], out);
	if (form == LISTING_JSON)
		buf_addz(out, "]}\n");
}
