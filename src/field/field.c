/* SPDX-License-Identifier: Apache-2.0 */
#include "field/field.h"

#include <errno.h>
#include <pthread.h>

#include "base/nearest.h"
#include "field/eventsource.h"
#include "field/get.h"

#define CLASS_generic "generic"
#define CLASS_evt "evt"
#define CLASS_process "process"
#define CLASS_user "user"
#define CLASS_group "group"
#define CLASS_fd "fd"
#define CLASS_fs_path "fs.path"
#define CLASS_util "util"
#define CLASS_fdlist "fdlist"
#define CLASS_saker "saker"
#define CLASS_container "container (plugin container)"
#define CLASS_k8smeta "k8smeta (plugin k8smeta)"

const struct field_info field_table[] = {
#define FIELD(class_, name_, type_, format_, flags_, scope_, up_, get_, help_)                     \
	{name_, help_, CLASS_##class_, PT_##type_, PF_##format_, SCOPE_##scope_, up_, flags_, get_},
#include "field/fields.def"
#undef FIELD
};

struct field_config field_config;

const size_t field_table_size = sizeof(field_table) / sizeof(field_table[0]);

enum {
	INDEX_SLOTS = 1024, /* a power of two, some three times as many as fields */
};

/* Rows by name: numbers in field_table plus one, 0 for a free slot. */
static uint16_t name_index[INDEX_SLOTS];
static pthread_once_t name_index_once = PTHREAD_ONCE_INIT;

static inline uint32_t name_hash(uint32_t h, char c)
{
	return (h ^ (uint8_t)c) * 16777619u;
}

static inline uint32_t name_slot(uint32_t h)
{
	return (h ^ h >> 16) & (INDEX_SLOTS - 1);
}

static void name_index_fill(void)
{
	for (size_t i = 0; i < field_table_size; i++) {
		uint32_t h = 0, slot;

		for (const char *p = field_table[i].name; *p; p++)
			h = name_hash(h, *p);
		for (slot = name_slot(h); name_index[slot]; slot = (slot + 1) & (INDEX_SLOTS - 1))
			;
		name_index[slot] = (uint16_t)(i + 1);
	}
}

/* System calls have all that is built in, other events only what every event has. */
static bool is_in(const struct field_info *info, unsigned source)
{
	return source == SOURCE_SYSCALL || !strcmp(info->class_name, CLASS_generic);
}

static const struct field_info *name_find(struct str name, uint32_t h, unsigned source)
{
	for (uint32_t slot = name_slot(h); name_index[slot];
	     slot = (slot + 1) & (INDEX_SLOTS - 1)) {
		const struct field_info *info = &field_table[name_index[slot] - 1];

		if (str_is(name, info->name) && is_in(info, source))
			return info;
	}
	return field_added_find(name, source);
}

const struct field_info *field_find(struct str name, unsigned source)
{
	uint32_t h = 0;

	pthread_once(&name_index_once, name_index_fill);
	for (size_t i = 0; i < name.n; i++)
		h = name_hash(h, name.p[i]);
	return name_find(name, h, source);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* What stands between the brackets at the start of text, quotes removed; its whole length. */
static size_t bracket_argument(struct str text, struct str *ret)
{
	char quote;
	size_t end;

	if (text.n < 2 || text.p[0] != '[')
		return 0;
	quote = text.p[1] == '"' || text.p[1] == '\'' ? text.p[1] : 0;
	for (end = quote ? 2 : 1; end < text.n; end++) {
		if (quote && text.p[end] == quote && end + 1 < text.n && text.p[end + 1] == ']') {
			*ret = (struct str){text.p + 2, end - 2};
			return end + 2;
		}
		if (!quote && text.p[end] == ']') {
			*ret = (struct str){text.p + 1, end - 1};
			return ret->n ? end + 1 : 0;
		}
	}
	return 0;
}

static size_t dot_argument(struct str text, struct str *ret)
{
	size_t n = 1;

	if (!text.n || text.p[0] != '.')
		return 0;
	while (n < text.n && (is_word(text.p[n]) || text.p[n] == '-'))
		n++;
	*ret = (struct str){text.p + 1, n - 1};
	return n > 1 ? n : 0;
}

/*
 * Where each type of event has the parameter called name, -1 where it does not; the first such
 * parameter, or NULL.
 */
static const struct param_info *param_places(struct str name, int8_t places[EV_COUNT])
{
	const struct param_info *first = NULL;

	for (unsigned t = 0; t < EV_COUNT; t++) {
		int i = event_param_index(&event_table[t], name);

		places[t] = (int8_t)i;
		if (i >= 0 && !first)
			first = &event_table[t].params[i];
	}
	return first;
}

/*
 * An event argument by name: the longest start of it that some event knows.
 */
static int resolve_param(struct field *f, struct arena *a, size_t *n, struct err *e)
{
	int8_t *places = arena_alloc(a, EV_COUNT);
	const struct param_info *param = NULL;
	struct str name = f->arg;

	for (; name.n && !param; name.n -= !param)
		param = param_places(name, places);
	if (!param)
		return err_set(e, -EINVAL, "unknown event argument %.*s", STR_ARG(f->arg));
	*n -= f->arg.n - name.n;
	f->arg = name;
	if (f->info->get == get_rawarg)
		f->type = param->type;
	f->cache = places;
	return 0;
}

/* Which event a name or number means: the first pair that has the name. */
static int resolve_type(struct field *f, struct err *e)
{
	if (f->arg_is_index)
		return 0;
	for (f->index = 0; f->index < EV_COUNT; f->index++)
		if (!(event_table[f->index].flags & EF_UNUSED) &&
		    str_is(f->arg, event_table[f->index].name))
			return 0;
	return err_set(e, -EINVAL, "unknown event type %.*s", STR_ARG(f->arg));
}

static int check_argument(struct field *f, struct arena *a, size_t *n, struct err *e)
{
	const struct field_info *info = f->info;

	f->arg_is_index =
		info->flags & FF_ARG_INDEX && str_u64(f->arg, &f->index) && f->index <= INT64_MAX;
	if (!f->arg_is_index && !(info->flags & FF_ARG_KEY))
		return err_set(e, -EINVAL, "'%.*s' in '%s[%.*s]' is not a valid number",
			       STR_ARG(f->arg), info->name, STR_ARG(f->arg));
	if (info->get == get_abspath && !str_is(f->arg, "src") && !str_is(f->arg, "dst"))
		return err_set(e, -EINVAL, "'%s' has '.src' and '.dst', but not '.%.*s'",
			       info->name, STR_ARG(f->arg));
	if (info->get == get_type_is)
		return resolve_type(f, e);
	if ((info->get == get_arg || info->get == get_rawarg) && !f->arg_is_index)
		return resolve_param(f, a, n, e);
	return 0;
}

/* Whether the use with this argument still yields several candidates. */
static bool keeps_candidates(const struct field *f)
{
	return f->info->get != get_aenv ? !f->has_arg : !f->has_arg || f->arg_is_index;
}

/* The use of info whose name is n bytes of text. */
static int parse_use(const struct field_info *info, struct str text, size_t n, struct arena *a,
		     struct field *f, size_t *ret_n, struct err *e)
{
	size_t arg_n = 0;

	*ret_n = 0;
	*f = (struct field){.info = info, .type = info->type, .flags = info->flags, .param = -1};
	if (info->flags & (FF_ARG_REQUIRED | FF_ARG_ALLOWED))
		arg_n = bracket_argument(str_from(text, n), &f->arg);
	if (info->flags & FF_ARG_DOT && !arg_n)
		arg_n = dot_argument(str_from(text, n), &f->arg);
	f->has_arg = arg_n > 0;
	if (!f->has_arg && info->flags & FF_ARG_REQUIRED)
		return err_set(e, -EINVAL, "field '%s' requires an argument", info->name);
	if (f->has_arg) {
		int r = check_argument(f, a, &arg_n, e);

		if (r < 0) {
			*ret_n = n + 1; /* behind the bracket or dot */
			return r;
		}
		f->arg = arena_str(a, f->arg);
	}
	if (info->get == get_buffer) {
		f->cache = arena_alloc(a, EV_COUNT);
		param_places(STR("data"), f->cache);
	}
	if (f->flags & FF_ANY && !keeps_candidates(f))
		f->flags &= ~(FF_ANY | FF_NE_ALL);
	*ret_n = n + arg_n;
	return 0;
}

/* "... nonexistent field proc.nam; did you mean 'proc.name'?" */
static int refuse_name(struct str name, unsigned source, struct err *e)
{
	static const char refused[] = "filter_check called with nonexistent field";
	const struct field_info *info;
	struct nearest near;
	uint32_t in;

	if (!e)
		return -ENOENT;
	nearest_init(&near, name);
	for (size_t i = 0; i < field_table_size; i++)
		if (!(field_table[i].flags & FF_HIDDEN) && is_in(&field_table[i], source))
			nearest_offer(&near, field_table[i].name);
	for (size_t i = 0; (info = field_added(i, &in)); i++)
		if (in >> source & 1 && !(info->flags & FF_HIDDEN))
			nearest_offer(&near, info->name);
	if (near.name)
		return err_set(e, -ENOENT, "%s %.*s; did you mean '%s'?", refused, STR_ARG(name),
			       near.name);
	return err_set(e, -ENOENT, "%s %.*s", refused, STR_ARG(name));
}

int field_parse_in(unsigned source, struct str text, struct arena *a, struct field **ret,
		   size_t *ret_n, struct err *e)
{
	uint32_t hashes[FIELD_NAME_MAX + 1] = {0};
	struct field *f = NULL;
	struct err first = {0};
	size_t n = 0, shown, bad_at = 0;
	int r = -ENOENT;

	pthread_once(&name_index_once, name_index_fill);
	while (n < text.n && n < FIELD_NAME_MAX && (is_word(text.p[n]) || text.p[n] == '.')) {
		hashes[n + 1] = name_hash(hashes[n], text.p[n]);
		n++;
	}
	for (shown = n; n; n--) {
		const struct field_info *info = name_find(str_head(text, n), hashes[n], source);
		bool is_first = r == -ENOENT;

		/* When a long name is used wrongly, a part of it may still do: "evt.type.is". */
		if (!info || (r != -ENOENT && text.p[n] != '.'))
			continue;
		if (!f)
			f = arena_alloc(a, sizeof(*f));
		r = parse_use(info, text, n, a, f, ret_n, is_first ? &first : NULL);
		if (!r) {
			*ret = f;
			return 0;
		}
		if (is_first)
			bad_at = *ret_n;
	}
	*ret_n = bad_at;
	if (r != -ENOENT)
		return err_set(e, r, "%s", first.msg);
	return refuse_name(str_head(text, shown), source, e);
}

int field_parse(struct str text, struct arena *a, struct field **ret, size_t *ret_n, struct err *e)
{
	return field_parse_in(SOURCE_SYSCALL, text, a, ret, ret_n, e);
}

enum field_result get_never(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_NULL;
}
