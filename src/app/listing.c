/* SPDX-License-Identifier: Apache-2.0 */
#include "app/listing.h"

#include "base/json.h"
#include "field/eventsource.h"
#include "field/field.h"

#include <stdio.h>

enum { LABEL_WIDTH = 30, TEXT_WIDTH = 120 };

/* key: what fields call it, where that is not its name. */
struct field_class {
	const char *key;
	const char *name;
	const char *sources;
	const char *desc;
};

static const struct field_class classes[] = {
	{"generic", "evt", "syscall", "Any event, whatever its source: number, time and source."},
	{"evt", "evt", "syscall", "The event itself: type, arguments and result."},
	{"process", "process", "syscall",
	 "The process and thread that made the event, and their ancestors."},
	{"user", "user", "syscall", "The user the process runs as."},
	{"group", "group", "syscall", "The group the process runs as."},
	{"fd", "fd", "syscall", "The file descriptor the event works on."},
	{"fs.path", "fs.path", "syscall",
	 "Paths that the event names, resolved where they can be."},
	{"fdlist", "fdlist", "syscall", "The descriptors of a poll event."},
	{"container (plugin container)", "container (plugin container)", "syscall",
	 "The container and pod of the process."},
	{"k8smeta (plugin k8smeta)", "k8smeta (plugin k8smeta)", "syscall",
	 "The pod of the process, what owns it and what selects it, from the API server."},
	{"saker", "saker", "syscall", "How much of what happened Saker could see."},
};

static const struct field_class *class_of(const struct field_info *f)
{
	static const struct field_class other = {"", "", "syscall", ""};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (!strcmp(classes[i].key, f->class_name))
			return &classes[i];
	}
	return &other;
}

static bool is_listed(const struct field_info *f)
{
	return !(f->flags & (FF_HIDDEN | FF_DEPRECATED));
}

/* Whether f opens a class; those hidden in between do not count. */
static bool opens_class(const struct field_info *f, const char **class_name)
{
	bool opens = !*class_name || strcmp(*class_name, f->class_name);

	*class_name = f->class_name;
	return opens;
}

/* The type's name, "LIST(T)" for lists. */
static const char *type_text(const struct field_info *f, char out[32])
{
	snprintf(out, 32, f->flags & FF_LIST ? "LIST(%s)" : "%s", param_type_name(f->type));
	return out;
}

/* text behind a label, broken between words. */
static void add_wrapped(struct buf *out, const char *text)
{
	size_t column = LABEL_WIDTH;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column > LABEL_WIDTH && column + 1 + word > TEXT_WIDTH) {
			buf_addf(out, "\n%*s", LABEL_WIDTH, "");
			column = LABEL_WIDTH;
		} else if (column > LABEL_WIDTH) {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, text, word);
		column += word;
		text += word + (text[word] == ' ');
	}
	buf_addc(out, '\n');
}

static void add_label(struct buf *out, const char *label)
{
	buf_addf(out, "%-*s", LABEL_WIDTH, label);
	if (strlen(label) >= LABEL_WIDTH)
		buf_addf(out, "\n%*s", LABEL_WIDTH, "");
}

static const char *argument_text(const struct field_info *f)
{
	bool index = f->flags & FF_ARG_INDEX, key = f->flags & FF_ARG_KEY;
	bool required = f->flags & FF_ARG_REQUIRED;

	if (!(f->flags & (FF_ARG_REQUIRED | FF_ARG_ALLOWED)))
		return "";
	if (index && key)
		return required ? "[number or key] " : "[number or key, optional] ";
	if (index)
		return required ? "[number] " : "[number, optional] ";
	return required ? "[key] " : "[key, optional] ";
}

/* "(TAG,TAG) ", the type in front when it is wanted; nothing when there is nothing. */
static void add_tags(const struct field_info *f, bool types, struct buf *out)
{
	static const struct {
		uint32_t flag;
		const char *tag;
	} tags[] = {
		{FF_FILTER_ONLY, "FILTER_ONLY"}, {FF_ARG_REQUIRED, "ARG_REQUIRED"},
		{FF_ARG_ALLOWED, "ARG_ALLOWED"}, {FF_ARG_INDEX, "ARG_INDEX"},
		{FF_ARG_KEY, "ARG_KEY"},
	};
	const char *before = "(";
	char type[32];

	if (types) {
		buf_addf(out, "(%s", type_text(f, type));
		before = ",";
	}
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (!(f->flags & tags[i].flag))
			continue;
		buf_addf(out, "%s%s", before, tags[i].tag);
		before = ",";
	}
	if (*before == ',')
		buf_addz(out, ") ");
}

static void add_field_text(const struct field_info *f, bool types, struct buf *out)
{
	struct buf text;

	buf_init(&text, 4096);
	add_tags(f, types, &text);
	buf_addz(&text, f->help);
	add_label(out, f->name);
	add_wrapped(out, buf_z(&text));
	buf_done(&text);
}

static void field_text(const struct field_info *f, struct buf *out)
{
	add_field_text(f, false, out);
}

static void field_text_typed(const struct field_info *f, struct buf *out)
{
	add_field_text(f, true, out);
}

static void class_text(const struct field_class *c, struct buf *out)
{
	buf_addf(out, "%s-------------------------------\n", out->n ? "\n" : "");
	buf_addf(out, "%-*s%s\n", LABEL_WIDTH, "Field Class:", c->name);
	buf_addf(out, "%-*s%s\n", LABEL_WIDTH, "Description:", c->desc);
	buf_addf(out, "%-*s%s\n\n", LABEL_WIDTH, "Event Sources:", c->sources);
}

static void field_markdown(const struct field_info *f, struct buf *out)
{
	char type[32];

	buf_addf(out, "`%s` | %s | %s", f->name, type_text(f, type), argument_text(f));
	for (const char *p = f->help; *p; p++)
		buf_addf(out, *p == '|' || *p == '<' ? "\\%c" : "%c", *p);
	buf_addc(out, '\n');
}

static void class_markdown(const struct field_class *c, struct buf *out)
{
	buf_addf(out, "%s## Field Class: %s\n\n%s\n\nEvent Sources: %s\n\n", out->n ? "\n" : "",
		 c->name, c->desc, c->sources);
	buf_addz(out, "Name | Type | Description\n:----|:-----|:-----------\n");
}

static void add_member(struct buf *out, const char *name, const char *text)
{
	json_add_string(out, str_of(name));
	buf_addc(out, ':');
	json_add_string(out, str_of(text));
}

static void argument_json(const struct field_info *f, struct buf *out)
{
	if (!(f->flags & (FF_ARG_REQUIRED | FF_ARG_ALLOWED))) {
		buf_addz(out, ",\"argument\":null");
		return;
	}
	buf_addz(out, ",\"argument\":{\"required\":");
	json_add_bool(out, f->flags & FF_ARG_REQUIRED);
	buf_addf(out, ",\"type\":[%s%s%s]}", f->flags & FF_ARG_INDEX ? "\"INDEX\"" : "",
		 f->flags & FF_ARG_INDEX && f->flags & FF_ARG_KEY ? "," : "",
		 f->flags & FF_ARG_KEY ? "\"KEY\"" : "");
}

static void field_json(const struct field_info *f, struct buf *out)
{
	buf_addz(out, out->p[out->n - 1] == '[' ? "{" : ",{");
	add_member(out, "name", f->name);
	buf_addc(out, ',');
	add_member(out, "type", param_type_name(f->type));
	buf_addc(out, ',');
	add_member(out, "desc", f->help);
	buf_addz(out, ",\"is_list\":");
	json_add_bool(out, f->flags & FF_LIST);
	argument_json(f, out);
	buf_addc(out, '}');
}

/* "a, b" as "a","b". */
static void json_add_list(const char *text, struct buf *out)
{
	struct str rest = str_of(text);

	while (rest.n) {
		ptrdiff_t comma = str_chr(rest, ',');
		struct str one = comma < 0 ? rest : str_head(rest, (size_t)comma);

		json_add_string(out, str_trim(one));
		rest = str_from(rest, one.n + 1);
		buf_addz(out, rest.n ? "," : "");
	}
}

static void class_json(const struct field_class *c, struct buf *out)
{
	buf_addz(out, out->n ? "]},{" : "{\"fieldclasses\":[{");
	add_member(out, "name", c->name);
	buf_addc(out, ',');
	add_member(out, "desc", c->desc);
	buf_addz(out, ",\"event_sources\":[");
	json_add_list(c->sources, out);
	buf_addz(out, "],\"fields\":[");
}

struct field_form {
	void (*open)(const struct field_class *c, struct buf *out);
	void (*field)(const struct field_info *f, struct buf *out);
	const char *end;
};

/* Names of the sources whose bits are set, "a, b". */
static const char *source_names(uint32_t bits, struct buf *out)
{
	buf_reset(out);
	for (unsigned i = 0; i < event_source_count(); i++)
		if (bits >> i & 1)
			buf_addf(out, "%s%s", out->n ? ", " : "", event_source_get(i)->name);
	return buf_z(out);
}

/* What every event has, plugins' have too. */
static struct field_class built_in_class(const struct field_info *f, struct buf *names)
{
	struct field_class c = *class_of(f);

	if (!strcmp(c.key, "generic"))
		c.sources = source_names(UINT32_MAX, names);
	return c;
}

/* What every event has is of every source. */
static uint32_t sources_of(const struct field_info *f)
{
	return strcmp(f->class_name, "generic") ? 1u << SOURCE_SYSCALL : UINT32_MAX;
}

static void list_added(uint32_t sources, const struct field_form *form, struct buf *names,
		       struct buf *out)
{
	const struct field_info *f;
	const char *class_name = NULL;
	uint32_t bits, before = 0;

	for (size_t i = 0; (f = field_added(i, &bits)); i++) {
		struct field_class c = {.name = f->class_name,
					.desc = "What a plugin says of an event."};

		if (!is_listed(f) || !(bits & sources))
			continue;
		if (opens_class(f, &class_name) || bits != before) {
			c.sources = source_names(bits, names);
			form->open(&c, out);
		}
		before = bits;
		form->field(f, out);
	}
}

static void add_field_name(const char *name, bool json, struct buf *out)
{
	if (!json) {
		buf_addf(out, "%s\n", name);
		return;
	}
	buf_addz(out, out->n ? "," : "{\"fieldnames\":[");
	json_add_string(out, str_of(name));
}

void listing_field_names(uint32_t sources, bool json, struct buf *out)
{
	const struct field_info *f;
	uint32_t bits;

	for (size_t i = 0; i < field_table_size; i++) {
		if (is_listed(&field_table[i]) && sources_of(&field_table[i]) & sources)
			add_field_name(field_table[i].name, json, out);
	}
	for (size_t i = 0; (f = field_added(i, &bits)); i++) {
		if (is_listed(f) && bits & sources)
			add_field_name(f->name, json, out);
	}
	if (json)
		buf_addz(out, "]}\n");
}

void listing_fields_of(uint32_t sources, enum listing_form form, struct buf *out)
{
	static const struct field_form forms[] = {
		[LISTING_TEXT] = {class_text, field_text, ""},
		[LISTING_VERBOSE] = {class_text, field_text_typed, ""},
		[LISTING_MARKDOWN] = {class_markdown, field_markdown, ""},
		[LISTING_JSON] = {class_json, field_json, "]}]}\n"},
	};
	const char *class_name = NULL;
	struct buf names;

	buf_init(&names, 1 << 14);
	for (size_t i = 0; i < field_table_size; i++) {
		const struct field_info *f = &field_table[i];
		struct field_class c;

		if (!is_listed(f) || !(sources_of(f) & sources))
			continue;
		if (opens_class(f, &class_name)) {
			c = built_in_class(f, &names);
			forms[form].open(&c, out);
		}
		forms[form].field(f, out);
	}
	list_added(sources, &forms[form], &names, out);
	buf_addz(out, forms[form].end);
	buf_done(&names);
}

void listing_fields(enum listing_form form, struct buf *out)
{
	listing_fields_of(UINT32_MAX, form, out);
}

static void event_line(const struct event_info *ev, unsigned code, struct buf *out)
{
	buf_addf(out, "%c %s(", event_is_exit((uint16_t)code) ? '<' : '>', ev->name);
	for (unsigned i = 0; i < ev->n_params; i++)
		buf_addf(out, "%s%s %s", i ? ", " : "", param_type_name(ev->params[i].type),
			 ev->params[i].name);
	buf_addz(out, ")\n");
}

static void event_markdown(const struct event_info *ev, unsigned code, struct buf *out)
{
	if (!out->n)
		buf_addz(out, "Code | Event | Direction | Parameters\n"
			      ":----|:------|:----------|:----------\n");
	buf_addf(out, "%u | `%s` | %s | ", code, ev->name,
		 event_is_exit((uint16_t)code) ? "exit" : "enter");
	for (unsigned i = 0; i < ev->n_params; i++)
		buf_addf(out, "%s%s: %s", i ? ", " : "", ev->params[i].name,
			 param_type_name(ev->params[i].type));
	buf_addc(out, '\n');
}

static void event_json(const struct event_info *ev, unsigned code, struct buf *out)
{
	buf_addz(out, out->n ? ",{" : "{\"events\":[{");
	buf_addf(out, "\"code\":%u,", code);
	add_member(out, "name", ev->name);
	buf_addf(out, ",\"dir\":\"%c\",\"parameters\":[",
		 event_is_exit((uint16_t)code) ? '<' : '>');
	for (unsigned i = 0; i < ev->n_params; i++) {
		buf_addz(out, i ? ",{" : "{");
		add_member(out, "name", ev->params[i].name);
		buf_addc(out, ',');
		add_member(out, "type", param_type_name(ev->params[i].type));
		buf_addc(out, '}');
	}
	buf_addz(out, "]}");
}

void listing_events(enum listing_form form, struct buf *out)
{
	static void (*const forms[])(const struct event_info *ev, unsigned code,
				     struct buf *out) = {
		[LISTING_TEXT] = event_line,
		[LISTING_VERBOSE] = event_line,
		[LISTING_MARKDOWN] = event_markdown,
		[LISTING_JSON] = event_json,
	};

	for (unsigned code = 0; code < EV_COUNT; code++) {
		/* What only old captures hold reads as today's events. */
		if (!(event_table[code].flags & (EF_UNUSED | EF_OLD_VERSION)))
			forms[form](&event_table[code], code, out);
	}
	if (form == LISTING_JSON)
		buf_addz(out, "]}\n");
}

static void syscall_text(const struct syscall_info *sc, struct buf *out)
{
	buf_addf(out, "%-28s %6d %6d  %s\n", sc->name, sc->x86_64, sc->aarch64,
		 sc->exit == EV_GENERIC_X ? "" : event_table[sc->exit].name);
}

static void syscall_markdown(const struct syscall_info *sc, struct buf *out)
{
	if (!out->n)
		buf_addz(out, "System call | x86_64 | aarch64 | Event\n"
			      ":-----------|-------:|--------:|:-----\n");
	buf_addf(out, "`%s` | %d | %d | %s\n", sc->name, sc->x86_64, sc->aarch64,
		 sc->exit == EV_GENERIC_X ? "generic" : event_table[sc->exit].name);
}

static void syscall_json(const struct syscall_info *sc, struct buf *out)
{
	buf_addz(out, out->n ? ",{" : "{\"syscalls\":[{");
	add_member(out, "name", sc->name);
	buf_addf(out, ",\"x86_64\":%d,\"aarch64\":%d,\"generic\":", sc->x86_64, sc->aarch64);
	json_add_bool(out, sc->exit == EV_GENERIC_X);
	buf_addc(out, '}');
}

void listing_syscalls(enum listing_form form, struct buf *out)
{
	static void (*const forms[])(const struct syscall_info *sc, struct buf *out) = {
		[LISTING_TEXT] = syscall_text,
		[LISTING_VERBOSE] = syscall_text,
		[LISTING_MARKDOWN] = syscall_markdown,
		[LISTING_JSON] = syscall_json,
	};

	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (syscall_table[code].name)
			forms[form](&syscall_table[code], out);
	}
	if (form == LISTING_JSON)
		buf_addz(out, "]}\n");
}
