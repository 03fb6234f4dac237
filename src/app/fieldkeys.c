/* SPDX-License-Identifier: Apache-2.0 */
#include "app/fieldkeys.h"

#include "app/settings.h"
#include "base/arena.h"
#include "field/eventsource.h"

#include <errno.h>

/* A field whose value the configuration says. */
struct static_field {
	struct field_info info; /* first: a field_info that get_static() is given is one of these */
	struct str value;
};

static struct arena fields; /* while has_fields */
static bool has_fields;

static enum field_result get_static(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct static_field *s = (const struct static_field *)(const void *)f->info;

	*ret = (struct value){.s = s->value};
	return FIELD_OK;
}

static int add(const struct node *n, struct err *e)
{
	struct static_field *s = arena_calloc(&fields, 1, sizeof(*s));

	if (n->kind != YAML_SCALAR)
		return err_set(e, -EINVAL, "static_fields.%.*s wants a text", STR_ARG(n->key));
	s->value = arena_str(&fields, n->text);
	s->info = (struct field_info){
		.name = arena_printf(&fields, "static.%.*s", STR_ARG(n->key)).p,
		.help = "A constant of the configuration: static_fields.",
		.class_name = "static",
		.type = PT_CHARBUF,
		.format = PF_NA,
		.scope = SCOPE_CONSTANT,
		.get = get_static,
	};
	return field_add(&s->info, UINT32_MAX, e);
}

int fieldkeys_apply(struct err *e)
{
	const struct node *map = node_get(config_root(settings()), STR("static_fields"));
	int r = 0;

	if (config_bool(settings(), CONFIG_KEY_BUFFER_BASE64))
		field_config.buffer_format = BUFFER_BASE64;
	if (!map || map->kind != YAML_MAP || has_fields)
		return 0;
	arena_init(&fields, 0);
	has_fields = true;
	for (uint32_t i = 0; i < map->n && !r; i++)
		r = add(map->items[i], e);
	return r < 0 ? err_prepend(e, "static_fields: ") : 0;
}

void fieldkeys_done(void)
{
	if (has_fields)
		arena_done(&fields);
	has_fields = false;
}
