/* SPDX-License-Identifier: Apache-2.0 */
/* From definitions to a ruleset. */
#include "rules/compile.h"

#include "base/alloc.h"
#include "rules/compiler.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_NODES (64U << 20) /* of all conditions with their macros in place */
#define MANY_EVENT_TYPES 100  /* a rule that wants more costs too much */

/* Whether the words of an error say that this build does not know what the rule speaks of. */
static bool is_unknown_name(const struct err *e)
{
	return strstr(e->msg, "nonexistent field") || strstr(e->msg, "invalid formatting token") ||
	       strstr(e->msg, "unknown event type") || strstr(e->msg, "unknown filter:");
}

static bool any_token(const struct message_token *tokens, size_t n,
		      bool (*is)(struct str field, const void *arg), const void *arg)
{
	for (size_t i = 0; i < n; i++) {
		if (is(tokens[i].text, arg))
			return true;
	}
	return false;
}

bool rule_prints(const struct rule *r, bool (*is)(struct str field, const void *arg),
		 const void *arg)
{
	if (any_token(r->tokens, r->n_tokens, is, arg))
		return true;
	for (size_t i = 0; i < r->n_extras; i++) {
		size_t n;
		const struct message_token *tokens = message_tokens(r->extras[i].message, &n);

		if (any_token(tokens, n, is, arg))
			return true;
	}
	return false;
}

bool rule_has_tag(const struct rule *r, struct str tag)
{
	for (size_t i = 0; i < r->n_tags; i++)
		if (str_eq(r->tags[i], tag))
			return true;
	return false;
}

bool rule_name_matches(struct str pattern, struct str name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;

	while (n < name.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			resume = n;
		} else if (p < pattern.n && pattern.p[p] == name.p[n]) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool is_switched(const struct rule_switch *s, const struct rule *r)
{
	return s->is_tag ? rule_has_tag(r, s->text) : rule_name_matches(s->text, r->name);
}

static bool is_enabled(const struct loader_config *cfg, const struct rule *r, bool enabled)
{
	bool on = !cfg->n_tags;

	for (size_t i = 0; i < cfg->n_tags && !on; i++)
		on = rule_has_tag(r, cfg->tags[i]);
	on &= enabled;
	for (size_t i = 0; i < cfg->n_disabled; i++)
		on &= !rule_name_matches(cfg->disabled[i], r->name);
	for (size_t i = 0; i < cfg->n_switches; i++)
		if (is_switched(&cfg->switches[i], r))
			on = cfg->switches[i].on;
	return on && r->priority <= cfg->min_priority;
}

static int compare_texts(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void copy_tags(struct arena *a, const struct rule_def *def, struct rule *r)
{
	r->tags = arena_calloc(a, def->n_tags, sizeof(*r->tags));
	if (def->n_tags)
		memcpy(r->tags, def->tags, def->n_tags * sizeof(*r->tags));
	qsort(r->tags, def->n_tags, sizeof(*r->tags), compare_texts);
	for (size_t i = 0; i < def->n_tags; i++)
		if (!r->n_tags || !str_eq(r->tags[r->n_tags - 1], r->tags[i]))
			r->tags[r->n_tags++] = arena_str(a, r->tags[i]);
}

static struct rule copy_rule(struct arena *a, const struct rule_def *def)
{
	struct rule r = {
		.name = arena_str(a, def->name),
		.desc = arena_str(a, def->desc.s),
		.condition = arena_str(a, def->condition.s),
		.output = arena_str(a, str_trim(def->output.s)),
		.source = arena_str(a, def->source),
		.priority = def->priority,
		.capture = def->capture,
		.capture_duration_ms = def->capture_duration_ms,
	};

	copy_tags(a, def, &r);
	return r;
}

/* A leftover of old rule files: prints nothing unless details of containers were asked for. */
static const struct str container_info = STR("%container.info");

static bool replace_container_info(struct str output, struct str details, struct buf *out)
{
	bool is_there = false;
	ptrdiff_t at;

	while ((at = str_find(output, container_info)) >= 0) {
		buf_add(out, output.p, (size_t)at);
		buf_adds(out, details);
		output = str_from(output, (size_t)at + container_info.n);
		is_there = true;
	}
	buf_adds(out, output);
	return is_there;
}

/* The output and what belongs behind it, into c->message. */
static void put_message(struct compiler *c, unsigned source, const struct rule *r)
{
	bool is_details = c->cfg->extra_is_details;
	/* Details are of containers, which only system calls have to do with. */
	bool is_moot = is_details && (append_suggests(c, source, r) || source != SOURCE_SYSCALL);
	struct str extra = is_moot ? STR_EMPTY : c->cfg->extra_output;

	buf_reset(&c->message);
	if (replace_container_info(r->output, is_details ? extra : STR_EMPTY, &c->message) &&
	    is_details)
		extra = STR_EMPTY;
	if (extra.n) {
		buf_addc(&c->message, ' ');
		buf_adds(&c->message, extra);
	}
	append_put(c, source, r);
}

/* Where events of this source do not have the fields, the rule alone is the key. */
static void compile_rollup(struct compiler *c, unsigned source, struct rule *r)
{
	const struct rule_rollup *u;
	size_t i = 0, n = c->cfg->n_rollups;

	while (i < n && c->cfg->rollups[i].rule.n &&
	       !rule_name_matches(c->cfg->rollups[i].rule, r->name))
		i++;
	if (i == n)
		return;
	u = &c->cfg->rollups[i];
	r->rollup_ns = u->interval_ns;
	if (u->key.n && message_compile(u->key, c->fields[source], &c->set->arena, &r->rollup_key,
					NULL, NULL) < 0)
		r->rollup_key = NULL;
}

static int compile_message(struct compiler *c, unsigned source, struct rule *r,
			   struct position *ret_at, struct err *e)
{
	struct arena *a = &c->set->arena;
	const struct message_token *tokens;

	put_message(c, source, r);
	if (message_compile(buf_str(&c->message), c->fields[source], a, &r->message, ret_at, e))
		return -EINVAL;
	tokens = message_tokens(r->message, &r->n_tokens);
	r->tokens = arena_alloc(a, (r->n_tokens + append_count_fields(c->cfg)) * sizeof(*tokens));
	if (r->n_tokens)
		memcpy(r->tokens, tokens, r->n_tokens * sizeof(*tokens));
	compile_rollup(c, source, r);
	return append_fields(c, source, r, e);
}

/* The message is still in c->message; what was appended to the output is right. */
static const struct place *place_in_output(struct compiler *c, const struct rule_def *def,
					   const struct position *at)
{
	struct place *p = arena_alloc(c->d->arena, sizeof(*p));
	struct shown_condition message = {.text = buf_str(&c->message)};

	*p = *def->output_at;
	p->shown = place_in_condition(c->d->arena, def->output_at, &message, at);
	return p;
}

static void warn_output(struct compiler *c, const struct rule_def *def, const struct rule *r)
{
	if (str_find(r->output, container_info) >= 0 &&
	    (!c->cfg->extra_is_details || append_suggests(c, def->source_number, r)))
		verdict_add(c->v, ISSUE_DEPRECATED_ITEM, def->output_at,
			    "'%%container.info' is deprecated and prints nothing; container and "
			    "Kubernetes fields are appended by append_output");
	for (size_t i = 0; i < r->n_tokens; i++)
		if (extractor_flags(r->tokens[i].x) & FF_DEPRECATED)
			verdict_add(c->v, ISSUE_DEPRECATED_ITEM, def->output_at,
				    "field '%.*s' is deprecated", STR_ARG(r->tokens[i].text));
}

static void warn_unsafe_na(struct compiler *c, const struct rule_def *def, const struct ast *t)
{
	static const struct err unsafe = {.msg = "comparing a field value with <NA> is unsafe"};

	for (uint32_t i = 0; i < t->n_children; i++)
		warn_unsafe_na(c, def, t->children[i]);
	if (t->kind != AST_CHECK || t->left->kind != OPERAND_FIELD ||
	    (!str_starts(t->left->text, STR("ka.")) && !str_starts(t->left->text, STR("jevt."))))
		return;
	for (uint32_t i = 0; i < t->n_values; i++)
		if (str_is(t->values[i], "<NA>"))
			compiler_complain(c, ISSUE_UNSAFE_NA_CHECK, def->condition_at, &t->at,
					  &unsafe);
}

static void tell_warnings(struct compiler *c, const struct rule_def *def, const struct ast *t)
{
	for (size_t i = 0; i < c->warnings.n; i++) {
		const struct warning *w = &c->warnings.list[i];
		enum issue_code code =
			w->deprecated ? ISSUE_DEPRECATED_ITEM : ISSUE_CONDITION_WARNING;

		verdict_adds(c->v, code,
			     verdict_has_room(c->v, code)
				     ? compiler_blame(c, def, t, &w->at, w->text)
				     : NULL,
			     w->text);
	}
	verdict_count_warnings(c->v, c->warnings.n_more);
}

/* After an error a macro's stand-in may be all that is left of a condition. */
static void warn_event_types(struct compiler *c, const struct rule_def *def, const struct rule *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(r->events.events) / sizeof(*r->events.events); i++)
		n += (unsigned)__builtin_popcountll(r->events.events[i]);
	if (def->source_number == SOURCE_SYSCALL && def->warn_evttypes && !c->v->n_errors &&
	    (!n || n > MANY_EVENT_TYPES))
		verdict_add(c->v, ISSUE_NO_EVTTYPE, def->at,
			    "Rule matches too many evt.type values. This has a significant "
			    "performance penalty.");
}

/* An error, or only a warning when the rule says that it may be from the future. */
static enum issue_code code_of(const struct rule_def *def, enum issue_code code,
			       const struct err *e)
{
	return def->skip_unknown && is_unknown_name(e) ? ISSUE_UNKNOWN_FILTER : code;
}

static int refuse_condition(struct compiler *c, const struct rule_def *def, const struct ast *t,
			    const struct position *at, const struct err *e)
{
	enum issue_code code = code_of(def, ISSUE_COMPILE_CONDITION, e);
	struct str text = str_of(e->msg);

	return verdict_adds(
		c->v, code,
		verdict_has_room(c->v, code) ? compiler_blame(c, def, t, at, text) : NULL, text);
}

static int refuse_output(struct compiler *c, const struct rule_def *def, const struct position *at,
			 const struct err *e)
{
	enum issue_code code = code_of(def, ISSUE_COMPILE_OUTPUT, e);

	return verdict_adds(c->v, code,
			    verdict_has_room(c->v, code) ? place_in_output(c, def, at) : NULL,
			    str_of(e->msg));
}

/* The rule's condition as a tree with everything in it, in the scratch arena. */
static int build_condition(struct compiler *c, const struct rule_def *def, struct ast **ret)
{
	buf_reset(&c->joined);
	if (exceptions_apply(def, c->v, &c->joined))
		return -EINVAL;
	if (c->joined.truncated)
		return verdict_add(c->v, ISSUE_COMPILE_CONDITION, def->condition_at,
				   "condition is too long with its exceptions in place");
	if (compiler_parse(c, buf_str(&c->joined), def->condition_at, &c->scratch, ret))
		return -EINVAL;
	exceptions_mark(def, *ret);
	if (compiler_resolve(c, ret, UINT32_MAX, buf_str(&c->joined), def->at, def->condition_at,
			     &c->scratch))
		return -EINVAL;
	c->n_nodes += (*ret)->n_nodes;
	if (c->n_nodes > MAX_NODES)
		return verdict_add(c->v, ISSUE_COMPILE_CONDITION, def->condition_at,
				   "conditions are too large with their macros in place");
	if (str_find(buf_str(&c->text), STR("<NA>")) >= 0)
		warn_unsafe_na(c, def, *ret);
	return 0;
}

static struct str tree_text(struct compiler *c, const struct ast *t)
{
	struct str ret;
	struct buf text;

	buf_init(&text, CONDITION_MAX_BYTES);
	ast_print(t, &text);
	ret = arena_str(&c->set->arena, buf_str(&text));
	buf_done(&text);
	return ret;
}

/* The message is still in c->message. */
static struct rule_details *details_of(struct compiler *c, const struct rule_def *def,
				       const struct ast *t)
{
	struct rule_details *d = arena_calloc(&c->set->arena, 1, sizeof(*d));

	d->condition_compiled = tree_text(c, t);
	d->output_compiled = arena_str(&c->set->arena, buf_str(&c->message));
	exceptions_describe(def, &c->set->arena, d);
	return d;
}

/*
 * Into the program go only the conditions of rules that will run; a rule whose output is wrong
 * still has its condition checked, as that is the error to be told first.
 */
static void compile_rule(struct compiler *c, const struct rule_def *def)
{
	struct err bad_condition = {0}, bad_output = {0};
	struct position where = {0, 1, 1}, output_where = {0, 1, 1};
	struct ast *t;
	struct rule r;
	bool in_use;

	if (build_condition(c, def, &t))
		return;
	ast_set_source(t, def->source_number);
	r = copy_rule(&c->set->arena, def);
	r.enabled = is_enabled(c->cfg, &r, def->enabled);
	in_use = !compile_message(c, def->source_number, &r, &output_where, &bad_output) &&
		 (r.enabled || c->cfg->compile_disabled) && !c->v->n_errors;
	c->warnings.n = c->warnings.n_more = 0;
	if (program_add(in_use ? c->set->program : c->idle, t, &r.events, &c->warnings, &where,
			&bad_condition) < 0) {
		refuse_condition(c, def, t, &where, &bad_condition);
		return;
	}
	tell_warnings(c, def, t);
	if (bad_output.code) {
		refuse_output(c, def, &output_where, &bad_output);
		return;
	}
	warn_output(c, def, &r);
	warn_event_types(c, def, &r);
	if (c->cfg->describe)
		r.details = details_of(c, def, t);
	c->set->all[c->set->n_all++] = r;
	if (in_use)
		c->set->rules[c->set->n_rules++] = r;
}

static void compile_rules(struct compiler *c)
{
	size_t n = c->d->n_rules;

	c->set->all = arena_calloc(&c->set->arena, n, sizeof(*c->set->all));
	c->set->rules = arena_calloc(&c->set->arena, n, sizeof(*c->set->rules));
	for (size_t i = 0; i < n; i++) {
		if (c->d->rules[i].unknown_source)
			continue;
		compile_rule(c, &c->d->rules[i]);
		arena_reset(&c->scratch);
	}
}

/* Events of a macro, as if it were a condition of its own. */
static void describe_macro(struct compiler *c, const struct ast *t, struct macro_info *ret)
{
	struct position at;

	ret->condition_compiled = tree_text(c, t);
	program_add(c->idle, t, &ret->events, NULL, &at, NULL);
}

static void describe_list(struct compiler *c, size_t i, struct list_info *ret)
{
	const struct str *items = substitution_items(c->lists, i, &ret->n_compiled);

	ret->compiled = arena_alloc(&c->set->arena, ret->n_compiled * sizeof(*items));
	for (size_t k = 0; k < ret->n_compiled; k++)
		ret->compiled[k] = arena_str(&c->set->arena, items[k]);
}

static void note_used(struct compiler *c)
{
	struct arena *a = &c->set->arena;

	c->set->n_macros = c->d->n_macros;
	c->set->macros = arena_calloc(a, c->set->n_macros, sizeof(*c->set->macros));
	for (size_t i = 0; i < c->set->n_macros; i++) {
		c->set->macros[i].used = c->macros[i].used;
		if (c->cfg->describe)
			describe_macro(c, c->macros[i].tree, &c->set->macros[i]);
		if (!c->macros[i].used)
			verdict_add(c->v, ISSUE_UNUSED_MACRO, c->d->macros[i].at,
				    "Macro not referred to by any other rule/macro");
	}
	c->set->n_lists = c->d->n_lists;
	c->set->lists = arena_calloc(a, c->set->n_lists, sizeof(*c->set->lists));
	for (size_t i = 0; i < c->set->n_lists; i++) {
		c->set->lists[i].used = substitution_is_used(c->lists, i);
		if (c->cfg->describe)
			describe_list(c, i, &c->set->lists[i]);
		if (!c->set->lists[i].used)
			verdict_add(c->v, ISSUE_UNUSED_LIST, c->d->lists[i].at,
				    "List not referred to by any other rule/macro");
	}
}

static void suggest_field(const struct field_info *f, struct buf *out)
{
	if (!(f->flags & FF_SUGGESTED))
		return;
	buf_addc(out, ' ');
	for (const char *p = f->name; *p; p++)
		buf_addc(out, *p == '.' ? '_' : *p);
	buf_addf(out, "=%%%s", f->name);
}

/* " container_id=%container.id ...": every field of a source that is flagged as worth it. */
static struct str suggest(unsigned source, struct arena *a)
{
	const struct field_info *f;
	uint32_t sources;
	struct str ret;
	struct buf b;

	buf_init(&b, 64 << 10);
	for (size_t i = 0; source == SOURCE_SYSCALL && i < field_table_size; i++)
		suggest_field(&field_table[i], &b);
	for (size_t i = 0; (f = field_added(i, &sources)); i++)
		if (sources >> source & 1)
			suggest_field(f, &b);
	ret = arena_str(a, buf_str(&b));
	buf_done(&b);
	return ret;
}

static struct ruleset *ruleset_new(void)
{
	struct ruleset *set = xcalloc(1, sizeof(*set));

	arena_init(&set->arena, 0);
	set->program = program_new();
	return set;
}

static void compiler_init(struct compiler *c)
{
	arena_init(&c->trees, 0);
	arena_init(&c->scratch, 0);
	buf_init(&c->joined, CONDITION_MAX_BYTES);
	buf_init(&c->text, CONDITION_MAX_BYTES);
	buf_init(&c->macro_text, CONDITION_MAX_BYTES);
	buf_init(&c->message, CONDITION_MAX_BYTES);
	c->warnings.arena = &c->scratch;
	c->lists = substitution_new(c->d);
	c->set = ruleset_new();
	for (unsigned i = 0; i < event_source_count(); i++) {
		c->fields[i] = message_fields_new(i);
		c->suggested[i] = suggest(i, &c->trees);
	}
	c->idle = program_new();
}

static void compiler_done(struct compiler *c)
{
	arena_done(&c->trees);
	arena_done(&c->scratch);
	buf_done(&c->joined);
	buf_done(&c->text);
	buf_done(&c->macro_text);
	buf_done(&c->message);
	for (unsigned i = 0; i < SOURCES_MAX; i++)
		message_fields_free(c->fields[i]);
	free(c->warnings.list);
	free(c->macros);
	substitution_free(c->lists);
	program_free(c->idle);
	ruleset_free(c->set);
}

struct ruleset *definitions_compile(const struct definitions *d, const struct loader_config *cfg,
				    struct verdict *v)
{
	struct compiler c = {.d = d, .cfg = cfg, .v = v};
	struct ruleset *ret = NULL;

	compiler_init(&c);
	compiler_add_macros(&c);
	compile_rules(&c);
	if (!v->n_errors) {
		note_used(&c);
		ret = c.set;
		c.set = NULL;
	}
	compiler_done(&c);
	return ret;
}

int definitions_add_condition(const struct definitions *d, const struct loader_config *cfg,
			      struct str text, const struct place *at, struct program *into,
			      struct verdict *v)
{
	struct compiler c = {.d = d, .cfg = cfg, .v = v};
	const struct rule_def def = {.condition.s = text, .condition_at = at, .at = at};
	struct position where = {0, 1, 1};
	struct err e = {0};
	struct ast *t;
	int r;

	compiler_init(&c);
	compiler_add_macros(&c);
	r = build_condition(&c, &def, &t);
	if (!r && program_add(into, t, NULL, NULL, &where, &e) < 0)
		r = refuse_condition(&c, &def, t, &where, &e);
	compiler_done(&c);
	return r;
}
