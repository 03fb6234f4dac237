/* SPDX-License-Identifier: Apache-2.0 */
/* The table of flags, and what they say of the configuration. */
#include "app/falco.h"

#include "app/report.h"
#include "base/json.h"
#include "rules/definitions.h"

#include <errno.h>
#include <stdio.h>

static const struct option_row rows[] = {
#define FLAG(name, letter, kind, member, value, state, setting, help)                              \
	OPTION_ROW(struct falco_options, name, letter, kind, member, value, help),
#include "app/falco.def"
#undef FLAG
};

enum { N_FLAGS = sizeof(rows) / sizeof(rows[0]) };

const struct falco_flag falco_flags[] = {
#define FLAG(name, letter, kind, member, value, state, setting, help) {FLAG_##state, setting, help},
#include "app/falco.def"
#undef FLAG
};

const struct option_table falco_options = {rows, N_FLAGS, sizeof(struct falco_options)};

/* ---- what was given ---- */

/* Texts of one member, or the only one; NULL where it was not given. */
static const char *const *given(const struct option_row *row, const void *options, size_t *ret_n)
{
	static const char *const none = "";
	const void *member = (const char *)options + row->offset;
	const struct option_texts *texts = member;

	*ret_n = 1;
	switch (row->kind) {
	case OPTION_FLAG:
		return *(const bool *)member ? &none : NULL;
	case OPTION_TEXT:
	case OPTION_MAYBE:
		return *(const char *const *)member ? member : NULL;
	case OPTION_NUMBER:
	case OPTION_SIZE:
		return *(const uint64_t *)member ? &none : NULL;
	case OPTION_TEXTS:
		*ret_n = texts->n;
		return texts->n ? texts->items : NULL;
	}
	return NULL;
}

static void add_json(const char *around, const char *value, struct buf *out)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s%s", around, value, around);
	json_add_string(out, str_of(text));
}

static const char *fill_in(const char *setting, const char *value, struct arena *a)
{
	const char *percent = strchr(setting, '%');
	const char *ret;
	struct buf out;

	if (!percent)
		return setting;
	buf_init(&out, 1 << 16);
	buf_add(&out, setting, (size_t)(percent - setting));
	if (percent[1] == 's')
		buf_addz(&out, value);
	else
		add_json(percent[1] == 'p' ? "*" : "", value, &out);
	buf_addz(&out, percent + 2);
	ret = arena_str(a, buf_str(&out)).p;
	buf_done(&out);
	return ret;
}

static void tell(const struct option_row *row, const struct falco_flag *flag)
{
	const char *what = flag->state == FLAG_REMOVED ? "is an old flag; instead of it there is"
						       : "has no effect";

	if (row->letter)
		report_warning("-%c %s%s %s", row->letter, what,
			       flag->state == FLAG_REMOVED ? "" : ":", flag->help);
	else
		report_warning("--%s %s%s %s", row->name, what,
			       flag->state == FLAG_REMOVED ? "" : ":", flag->help);
}

struct list {
	struct arena *a;
	const char **items;
	size_t n, cap;
};

static void add(struct list *l, const char *text)
{
	l->items = arena_grow(l->a, l->items, &l->cap, l->n + 1, sizeof(*l->items));
	l->items[l->n++] = text;
}

static void add_given(struct list *l, const char *setting, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(l, fill_in(setting, values[i], l->a));
}

int falco_settings(const struct falco_options *o, struct arena *a, struct option_texts *ret)
{
	struct list l = {.a = a};

	if (o->tags.n && (o->disable.n || o->disable_tags.n)) {
		report("-t says which rules are on, -D and -T which are off: not both");
		return -EINVAL;
	}
	if (o->tags.n)
		add(&l, "rules[]={disable: {rule: \"*\"}}");
	if (o->capture)
		add(&l, "engine.kind=replay");
	if (o->snaplen)
		add(&l,
		    arena_printf(a, "falco_libs.snaplen=%llu", (unsigned long long)o->snaplen).p);
	if (o->stats_file)
		add(&l, "metrics.enabled=true");
	if (o->stats_ms)
		add(&l,
		    arena_printf(a, "metrics.interval=%llums", (unsigned long long)o->stats_ms).p);
	for (size_t i = 0; i < N_FLAGS; i++) {
		size_t n;
		const char *const *values = given(&rows[i], o, &n);

		if (!values)
			continue;
		if (falco_flags[i].state != FLAG_DONE)
			tell(&rows[i], &falco_flags[i]);
		if (falco_flags[i].setting)
			add_given(&l, falco_flags[i].setting, values, n);
	}
	for (size_t i = 0; i < o->set.n; i++)
		add(&l, o->set.items[i]);
	*ret = (struct option_texts){l.items, l.n};
	return 0;
}

/* ---- the table for people ---- */

static const char *const states[] = {
	[FLAG_DONE] = "done",
	[FLAG_REMOVED] = "done, old",
	[FLAG_WITHOUT] = "without effect",
};

static void add_name(const struct option_row *row, struct buf *out)
{
	if (row->letter)
		buf_addf(out, "-%c, ", row->letter);
	buf_addf(out, "--%s", row->name);
	if (row->value)
		buf_addf(out, row->kind == OPTION_MAYBE ? "[=%s]" : " %s", row->value);
}

static void flag_text(size_t i, struct buf *out)
{
	add_name(&rows[i], out);
	buf_addf(out, " (%s)\n    %s\n", states[falco_flags[i].state], falco_flags[i].help);
}

static void flag_markdown(size_t i, struct buf *out)
{
	if (!out->n)
		buf_addz(out, "Flag | State | Meaning, or what stands instead\n"
			      ":----|:------|:---------------------------------\n");
	buf_addc(out, '`');
	add_name(&rows[i], out);
	buf_addf(out, "` | %s | %s\n", states[falco_flags[i].state], falco_flags[i].help);
}

static void add_member(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, ",\"%s\":", key);
	json_add_string(out, str_of(value));
}

static void flag_json(size_t i, struct buf *out)
{
	char letter[2] = {rows[i].letter, '\0'};

	buf_addz(out, out->n ? ",{\"name\":" : "{\"flags\":[{\"name\":");
	json_add_string(out, str_of(rows[i].name));
	add_member(out, "letter", letter);
	add_member(out, "value", rows[i].value ? rows[i].value : "");
	add_member(out, "state", states[falco_flags[i].state]);
	add_member(out, "help", falco_flags[i].help);
	buf_addc(out, '}');
}

void listing_flags(enum listing_form form, struct buf *out)
{
	static void (*const forms[])(size_t i, struct buf * out) = {flag_text, flag_text,
								    flag_markdown, flag_json};

	for (size_t i = 0; i < N_FLAGS; i++)
		forms[form](i, out);
	if (form == LISTING_JSON)
		buf_addz(out, "]}\n");
}
