/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin says in JSON: its fields, and lists of names. */
#include "plugin/extract.h"

#include <errno.h>
#include <jansson.h>

static json_t *parse(const char *text, const char *what, struct err *e)
{
	json_error_t at;
	json_t *j;

	if (!text) {
		err_set(e, -EINVAL, "plugin_%s returned no text", what);
		return NULL;
	}
	if (strnlen(text, PLUGIN_TEXT_MAX + 1) > PLUGIN_TEXT_MAX) {
		err_set(e, -E2BIG, "plugin_%s returned more than %d bytes", what, PLUGIN_TEXT_MAX);
		return NULL;
	}
	j = json_loads(text, 0, &at);
	if (j && json_is_array(j))
		return j;
	if (j)
		err_set(e, -EINVAL, "plugin_%s returned no JSON array", what);
	else
		err_set(e, -EINVAL, "plugin_%s returned no JSON: line %d: %s", what, at.line,
			at.text);
	json_decref(j);
	return NULL;
}

int plugin_read_names(struct plugin *p, const char *text, const char *what, struct names *ret,
		      struct err *e)
{
	json_t *list = parse(text, what, e);
	size_t n = json_array_size(list);
	int r = 0;

	if (!list)
		return -EINVAL;
	if (n > PLUGIN_NAMES_MAX)
		r = err_set(e, -E2BIG, "plugin_%s lists more than %d names", what,
			    PLUGIN_NAMES_MAX);
	ret->list = arena_calloc(&p->arena, n + 1, sizeof(*ret->list));
	for (size_t i = 0; i < n && !r; i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name || !*name)
			r = err_set(e, -EINVAL, "plugin_%s lists something that is no name", what);
		else
			ret->list[ret->n++] = arena_str(&p->arena, str_of(name)).p;
	}
	json_decref(list);
	return r;
}

/* ---- fields ---- */

static const struct field_type {
	const char *name;
	enum param_type type;
	enum print_format format;
} types[] = {
	{"string", PT_CHARBUF, PF_NA},	 {"uint64", PT_UINT64, PF_DEC},
	{"bool", PT_BOOL, PF_NA},	 {"reltime", PT_RELTIME, PF_DEC},
	{"abstime", PT_ABSTIME, PF_DEC}, {"ipaddr", PT_IPADDR, PF_NA},
	{"ipnet", PT_IPNET, PF_NA},
};

static const struct field_type *find_type(const char *name)
{
	for (size_t i = 0; name && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

static int read_text(struct plugin *p, const json_t *j, const char *key, const char **ret,
		     struct err *e)
{
	const char *text = json_string_value(json_object_get(j, key));

	if (!text || !*text)
		return err_set(e, -EINVAL, "it has no '%s'", key);
	*ret = arena_str(&p->arena, str_of(text)).p;
	return 0;
}

/* A member that may be missing; true, false or nothing else. */
static int read_flag(const json_t *j, const char *key, uint32_t flag, uint32_t *flags,
		     struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (v && !json_is_boolean(v))
		return err_set(e, -EINVAL, "'%s' is neither true nor false", key);
	if (json_is_true(v))
		*flags |= flag;
	return 0;
}

static int read_argument(const json_t *j, uint32_t *flags, struct err *e)
{
	const json_t *arg = json_object_get(j, "arg");
	int r = 0;

	if (!arg)
		return 0;
	if (!json_is_object(arg))
		return err_set(e, -EINVAL, "'arg' is no object");
	r = read_flag(arg, "isRequired", FF_ARG_REQUIRED, flags, e);
	if (!r)
		r = read_flag(arg, "isIndex", FF_ARG_INDEX, flags, e);
	if (!r)
		r = read_flag(arg, "isKey", FF_ARG_KEY, flags, e);
	if (!r && *flags & FF_ARG_REQUIRED && !(*flags & (FF_ARG_INDEX | FF_ARG_KEY)))
		r = err_set(e, -EINVAL, "its argument is required, but is neither index nor key");
	if (!r && *flags & (FF_ARG_INDEX | FF_ARG_KEY) && !(*flags & FF_ARG_REQUIRED))
		*flags |= FF_ARG_ALLOWED;
	return r;
}

static void read_properties(const json_t *j, uint32_t *flags)
{
	const json_t *list = json_object_get(j, "properties");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (word && !strcmp(word, "hidden"))
			*flags |= FF_HIDDEN;
	}
}

static int read_field(struct plugin *p, const json_t *j, struct plugin_field *f, struct err *e)
{
	const char *type = json_string_value(json_object_get(j, "type"));
	const struct field_type *t = find_type(type);
	struct field_info *info = &f->info;
	int r = read_text(p, j, "name", &info->name, e);

	if (!r)
		r = read_text(p, j, "desc", &info->help, e);
	if (!r && !t)
		r = err_set(e, -EINVAL, "its type is '%.64s', not one of a field",
			    type ? type : "");
	if (!r)
		r = read_flag(j, "isList", FF_LIST, &info->flags, e);
	if (!r)
		r = read_flag(j, "addOutput", FF_SUGGESTED, &info->flags, e);
	if (!r)
		r = read_argument(j, &info->flags, e);
	if (r < 0)
		return info->name ? err_prepend(e, "field '%.64s': ", info->name) : r;
	read_properties(j, &info->flags);
	info->type = (uint8_t)t->type;
	info->format = (uint8_t)t->format;
	info->scope = SCOPE_EVENT;
	info->get = get_plugin_field;
	return 0;
}

int plugin_read_fields(struct plugin *p, struct err *e)
{
	json_t *list = parse(PLUGIN_CALL(p, get_fields), "get_fields", e);
	const char *class_name = arena_printf(&p->arena, "%s (plugin)", p->name).p;
	size_t n = json_array_size(list);
	int r = 0;

	if (!list)
		return -EINVAL;
	if (!n)
		r = err_set(e, -EINVAL,
			    "plugins with extraction capability must export at least one field");
	if (n > PLUGIN_FIELDS_MAX)
		r = err_set(e, -E2BIG, "plugin_get_fields lists more than %d fields",
			    PLUGIN_FIELDS_MAX);
	p->fields = arena_calloc(&p->arena, n + 1, sizeof(*p->fields));
	for (size_t i = 0; i < n && !r; i++) {
		p->fields[i] = (struct plugin_field){
			.info.class_name = class_name, .plugin = p, .number = (uint32_t)i};
		r = read_field(p, json_array_get(list, i), &p->fields[i], e);
		if (r < 0)
			err_prepend(e, "plugin_get_fields, number %zu: ", i);
	}
	if (!r)
		p->n_fields = n;
	json_decref(list);
	return r;
}
