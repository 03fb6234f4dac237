/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in plugin "json": fields of events of plugins whose bytes are JSON. */
#include "audit/builtin.h"
#include "audit/document.h"
#include "base/alloc.h"

#include <stdlib.h>

struct json_state {
	struct document document;
	const char *result;
};

/* Whether an object, list item and so on is there: an RFC 6901 pointer; its first '/' may lack. */
static const json_t *resolve(struct document *d, const char *pointer)
{
	struct str rest = str_of(pointer);
	const json_t *v = d->root;

	rest = str_from(rest, str_starts(rest, STR("/")) ? 1 : 0);
	for (bool more = true; v && more;) {
		ptrdiff_t slash = str_chr(rest, '/');
		struct str word = slash < 0 ? rest : str_head(rest, (size_t)slash);
		char *key = arena_alloc(&d->arena, word.n + 1);
		size_t n = 0;
		uint64_t i;

		for (size_t at = 0; at < word.n; at++) {
			bool is_tilde = word.p[at] == '~' && at + 1 < word.n;

			key[n++] = !is_tilde		   ? word.p[at]
				   : word.p[at + 1] == '1' ? '/'
				   : word.p[at + 1] == '0' ? '~'
							   : word.p[at];
			at += is_tilde && (word.p[at + 1] == '0' || word.p[at + 1] == '1');
		}
		if (json_is_array(v))
			v = str_u64((struct str){key, n}, &i) ? json_array_get(v, i) : NULL;
		else
			v = json_object_getn(v, key, n);
		more = slash >= 0;
		rest = str_from(rest, word.n + 1);
	}
	return v;
}

typedef const char *json_get_fn(struct document *d, const ss_plugin_event *ev, const char *key);

static const char *get_value(struct document *d, const ss_plugin_event *ev, const char *key)
{
	const json_t *v = key && *key ? resolve(d, key) : NULL;

	return v ? document_text(d, v) : NULL;
}

static const char *get_object(struct document *d, const ss_plugin_event *ev, const char *key)
{
	size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(15);
	size_t n = json_dumpb(d->root, NULL, 0, flags);
	char *text = arena_alloc(&d->arena, n + 1);

	json_dumpb(d->root, text, n, flags);
	text[n] = '\0';
	return text;
}

static const char *get_time(struct document *d, const ss_plugin_event *ev, const char *key)
{
	return arena_printf(&d->arena, "%llu", (unsigned long long)ev->ts).p;
}

#define KEY ",\"arg\":{\"isRequired\":true,\"isKey\":true}"
#define ROW(name, arg, help)                                                                       \
	"{\"name\":\"" name "\",\"type\":\"string\",\"desc\":\"" help "\"" arg "}"

static json_get_fn *const getters[] = {get_value, get_object, get_time};
enum { N_GETTERS = sizeof(getters) / sizeof(getters[0]) };

static const char *get_fields(void)
{
	return "[" ROW("json.value", KEY, "The value that a JSON pointer leads to.") "," ROW(
		"json.obj", "", "All of the event.") "," ROW("json.rawtime", "",
							     "The event's time in ns.") "," //
		ROW("jevt.value", KEY, "Old name of json.value.") "," ROW(
			"jevt.obj", "", "Old name of json.obj.") "," //
		ROW("jevt.rawtime", "", "Old name of json.rawtime.") "]";
}

static ss_plugin_rc extract_fields(ss_plugin_t *state, const ss_plugin_event_input *in,
				   const ss_plugin_field_extract_input *asked)
{
	struct json_state *s = state;

	for (uint32_t i = 0; i < asked->num_fields; i++)
		asked->fields[i].res_len = 0;
	/* One result at a time, as Saker asks. */
	if (!document_read(&s->document, in) || asked->num_fields != 1)
		return SS_PLUGIN_SUCCESS;
	s->result = getters[asked->fields->field_id % N_GETTERS](&s->document, in->evt,
								 asked->fields->arg_key);
	asked->fields->res.str = &s->result;
	asked->fields->res_len = s->result != NULL;
	return SS_PLUGIN_SUCCESS;
}

static uint16_t *get_types(uint32_t *n, ss_plugin_t *state)
{
	static uint16_t types[] = {PPM_PLUGIN_EVENT};

	*n = 1;
	return types;
}

static ss_plugin_t *init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	struct json_state *s = xcalloc(1, sizeof(*s));

	document_init(&s->document);
	*rc = SS_PLUGIN_SUCCESS;
	return s;
}

static void destroy(ss_plugin_t *state)
{
	struct json_state *s = state;

	document_done(&s->document);
	free(s);
}

static const char *get_last_error(ss_plugin_t *state)
{
	return "";
}

static const char *get_api_version(void)
{
	return "3.0.0";
}

static const char *get_name(void)
{
	return "json";
}

static const char *get_description(void)
{
	return "Fields of any JSON event; part of Saker";
}

static const char *get_contact(void)
{
	return "the Saker project";
}

/* That of the plugin whose fields these are. */
static const char *get_version(void)
{
	return "0.7.3";
}

const plugin_api json_plugin = {
	.get_required_api_version = get_api_version,
	.init = init,
	.destroy = destroy,
	.get_last_error = get_last_error,
	.get_name = get_name,
	.get_description = get_description,
	.get_contact = get_contact,
	.get_version = get_version,
	.get_extract_event_types = get_types,
	.get_fields = get_fields,
	.extract_fields = extract_fields,
};
