/* SPDX-License-Identifier: Apache-2.0 */
#include "app/exercise.h"

#include "app/report.h"
#include "base/alloc.h"
#include "base/json.h"
#include "enrich/tree.h"

#include <stdlib.h>

enum { ALERTS_MAX = 8 << 20, WORDS_MAX = 4096 };

/* What every alert has that is about a process, and every one about a container. */
static const char *const of_process[] = {"proc.name",  "proc.exepath",	"proc.cmdline",
					 "proc.pname", "proc.pexepath", "proc.cwd",
					 "user.uid",   "container.id",	NULL};
static const char *const of_container[] = {"container.full_id",
					   "container.name",
					   "container.type",
					   "container.image",
					   "container.image.repository",
					   "container.start_ts",
					   NULL};

void exercise_add_rule(const char *mark, struct buf *out)
{
	static const char *const *const lists[] = {of_process, of_container};

	buf_addf(out,
		 "- rule: " EXERCISE_RULE "\n"
		 "  desc: a program was started for saker doctor --exercise\n"
		 "  condition: evt.type in (execve, execveat) and evt.rawres = 0 and proc.cmdline "
		 "contains %s\n"
		 "  output: \"",
		 mark);
	for (unsigned k = 0; k < 2; k++) {
		for (const char *const *field = lists[k]; *field; field++)
			buf_addf(out, "%%%s ", *field);
	}
	buf_addz(out, "%container.metadata_status\"\n  priority: DEBUG\n");
}

void exercise_init(struct exercise *x, const struct exercise_options *o, const struct ruleset *r)
{
	*x = (struct exercise){.o = o, .rules = r};
	x->outcomes = xcalloc(n_acts, sizeof(*x->outcomes));
	buf_init(&x->alerts, ALERTS_MAX);
	for (unsigned i = 0; i < n_acts; i++) {
		x->outcomes[i].act = &acts[i];
		buf_init(&x->outcomes[i].alerts, WORDS_MAX);
		buf_init(&x->outcomes[i].lacks, WORDS_MAX);
		buf_init(&x->outcomes[i].why, WORDS_MAX);
	}
}

void exercise_done(struct exercise *x)
{
	for (unsigned i = 0; i < n_acts; i++) {
		buf_done(&x->outcomes[i].alerts);
		buf_done(&x->outcomes[i].lacks);
		buf_done(&x->outcomes[i].why);
	}
	free(x->outcomes);
	buf_done(&x->alerts);
}

/* Of a container's programs not all have the mark in what their alerts say. */
void exercise_take(struct exercise *x, struct str line)
{
	bool is_of_host = str_find(line, STR("\"container.id\":\"host\"")) >= 0;

	if (str_find(line, str_of(x->mark)) < 0 && (!x->o->image || is_of_host))
		return;
	buf_adds(&x->alerts, line);
	buf_addc(&x->alerts, '\n');
}

/* ---- one alert ---- */

/* The value of a field that it prints, as text; false when it does not print it. */
static bool value_of(const json_t *alert, const char *field, const json_t **ret)
{
	*ret = json_object_get(json_object_get(alert, "output_fields"), field);
	return *ret;
}

static bool is_empty(const json_t *v)
{
	return json_is_null(v) || (json_is_string(v) && !*json_string_value(v));
}

static struct str text_of(const json_t *alert, const char *field)
{
	const json_t *v;

	return value_of(alert, field, &v) && json_is_string(v) ? str_of(json_string_value(v))
							       : STR_EMPTY;
}

static void add_once(struct buf *list, const char *between, struct str item)
{
	if (str_find(buf_str(list), item) >= 0)
		return;
	if (list->n)
		buf_addz(list, between);
	buf_adds(list, item);
}

static void find_lacks(struct outcome *o, const json_t *alert, const char *const *fields)
{
	for (; *fields; fields++) {
		const json_t *v;

		if (value_of(alert, *fields, &v) && is_empty(v))
			add_once(&o->lacks, ", ", str_of(*fields));
	}
}

static void find_all_lacks(struct outcome *o, const json_t *alert)
{
	struct str status = text_of(alert, "container.metadata_status");

	find_lacks(o, alert, of_process);
	if (str_is(text_of(alert, "container.id"), "host"))
		return;
	find_lacks(o, alert, of_container);
	if (o->lacks.n && !o->why.n && status.n && !str_is(status, "ready"))
		buf_addf(&o->why, "what the container's runtime knows did not come: %.*s",
			 STR_ARG(status));
}

static bool is_in_container(const struct act *a)
{
	return a->script;
}

static bool is_for(const struct act *a, struct str rule)
{
	for (const char *const *name = a->rules; *name; name++) {
		if (str_is(rule, *name))
			return true;
	}
	return false;
}

/* Whether the alert is of this act's process, or one of its. */
static bool is_of(const struct exercise *x, const struct act *a, const json_t *alert,
		  struct str line)
{
	char mark[MARK_MAX + 8];

	if (is_in_container(a))
		return *x->container_id && str_is(text_of(alert, "container.id"), x->container_id);
	snprintf(mark, sizeof(mark), "%s-%s", x->mark, a->name);
	return str_find(line, str_of(mark)) >= 0;
}

static void take_alert(struct exercise *x, struct outcome *o, const json_t *alert, struct str line)
{
	struct str rule = tree_text(alert, "rule");

	if (!is_of(x, o->act, alert, line))
		return;
	if (str_is(rule, EXERCISE_RULE)) {
		o->was_seen = true;
		find_all_lacks(o, alert);
	} else if (is_for(o->act, rule) || !is_in_container(o->act)) {
		add_once(&o->alerts, "; ", rule);
		o->has_fired |= is_for(o->act, rule);
		find_all_lacks(o, alert);
	}
}

/* ---- all ---- */

static bool next_line(struct str *rest, struct str *line)
{
	ptrdiff_t end = str_chr(*rest, '\n');

	if (end < 0)
		return false;
	*line = str_head(*rest, (size_t)end);
	*rest = str_from(*rest, (size_t)end + 1);
	return true;
}

static void each_alert(struct exercise *x,
		       void (*fn)(struct exercise *x, const json_t *alert, struct str line))
{
	struct str rest = buf_str(&x->alerts), line;

	while (next_line(&rest, &line)) {
		json_t *alert = tree_parse(line);

		fn(x, alert, line);
		json_decref(alert);
	}
}

/* Our own rule says what the container with our mark is called by alerts. */
static void find_container(struct exercise *x, const json_t *alert, struct str line)
{
	struct str id = text_of(alert, "container.id");

	if (str_is(tree_text(alert, "rule"), EXERCISE_RULE) && !*x->container_id && *x->name &&
	    str_find(line, str_of(x->name)) >= 0 && !str_is(id, "host"))
		snprintf(x->container_id, sizeof(x->container_id), "%.*s", STR_ARG(id));
}

static void take_by_all(struct exercise *x, const json_t *alert, struct str line)
{
	for (unsigned i = 0; i < n_acts; i++)
		take_alert(x, &x->outcomes[i], alert, line);
}

static const struct rule *rule_for(const struct exercise *x, const struct act *a)
{
	for (size_t i = 0; i < x->rules->n_rules; i++) {
		if (is_for(a, x->rules->rules[i].name))
			return &x->rules->rules[i];
	}
	return NULL;
}

static enum outcome_kind kind_of(const struct outcome *o)
{
	if (!o->was_done)
		return OUTCOME_SKIPPED;
	if (!*o->act->rules) /* our own rule is for it */
		return !o->was_seen ? OUTCOME_MISSED : o->lacks.n ? OUTCOME_PARTLY : OUTCOME_FIRED;
	if (!o->rule)
		return OUTCOME_NO_RULE;
	if (!o->has_fired)
		return OUTCOME_MISSED;
	return o->lacks.n ? OUTCOME_PARTLY : OUTCOME_FIRED;
}

void exercise_judge(struct exercise *x)
{
	each_alert(x, find_container);
	each_alert(x, take_by_all);
	for (unsigned i = 0; i < n_acts; i++) {
		struct outcome *o = &x->outcomes[i];

		o->rule = rule_for(x, o->act);
		o->kind = kind_of(o);
		if (o->kind == OUTCOME_MISSED && !o->was_seen && !o->why.n)
			buf_addz(&o->why, "no event of it came; see what saker doctor says");
	}
}

/* ---- telling ---- */

/* Of those in containers nothing is said where none was asked for. */
static bool is_told(const struct exercise *x, const struct outcome *o)
{
	return x->o->image || !is_in_container(o->act);
}

static bool is_bad(const struct outcome *o)
{
	return o->kind >= OUTCOME_PARTLY;
}

static void outcome_text(const struct outcome *o, struct buf *out)
{
	static const char *const words[OUTCOME_KINDS] = {
		[OUTCOME_FIRED] = "fired",     [OUTCOME_NO_RULE] = "no rule",
		[OUTCOME_SKIPPED] = "skipped", [OUTCOME_PARTLY] = "PARTLY",
		[OUTCOME_MISSED] = "MISSED",
	};
	static const struct {
		const char *label;
		size_t offset;
	} rows[] = {{"alerts", offsetof(struct outcome, alerts)},
		    {"lacks", offsetof(struct outcome, lacks)},
		    {"why", offsetof(struct outcome, why)}};

	buf_addf(out, "%-8s %-20s %s\n", words[o->kind], o->act->name, o->act->does);
	if (o->rule && o->kind == OUTCOME_MISSED) {
		buf_addz(out, "         rule   ");
		text_add_safe(out, o->rule->name);
		buf_addc(out, '\n');
	}
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct buf *b = (const struct buf *)((const char *)o + rows[i].offset);

		if (!b->n)
			continue;
		buf_addf(out, "         %-6s ", rows[i].label);
		text_add_safe(out, buf_str(b));
		buf_addc(out, '\n');
	}
}

bool exercise_text(const struct exercise *x, struct buf *out)
{
	unsigned n = 0, n_fired = 0, n_bad = 0;

	for (unsigned i = 0; i < n_acts; i++) {
		const struct outcome *o = &x->outcomes[i];

		if (!is_told(x, o))
			continue;
		outcome_text(o, out);
		n++;
		n_fired += o->kind == OUTCOME_FIRED;
		n_bad += is_bad(o);
	}
	buf_addf(out, "Of %u things done %u were told of as they should be, %u were not.\n", n,
		 n_fired, n_bad);
	return n_fired && !n_bad;
}

static void add_member(const char *name, struct str value, struct buf *out)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, value);
}

/* Items of a list that stand between separators. */
static void add_list(const char *name, const struct buf *items, const char *between,
		     struct buf *out)
{
	struct str rest = buf_str(items), sep = str_of(between);

	buf_addf(out, ",\"%s\":[", name);
	while (rest.n) {
		ptrdiff_t end = str_find(rest, sep);

		json_add_string(out, end < 0 ? rest : str_head(rest, (size_t)end));
		rest = end < 0 ? STR_EMPTY : str_from(rest, (size_t)end + sep.n);
		buf_addz(out, rest.n ? "," : "");
	}
	buf_addc(out, ']');
}

bool exercise_json(const struct exercise *x, struct buf *out)
{
	static const char *const words[OUTCOME_KINDS] = {
		[OUTCOME_FIRED] = "fired",     [OUTCOME_NO_RULE] = "no_rule",
		[OUTCOME_SKIPPED] = "skipped", [OUTCOME_PARTLY] = "partly",
		[OUTCOME_MISSED] = "missed",
	};
	unsigned n_fired = 0, n_bad = 0;
	const char *before = "";

	buf_addf(out, "{\"mark\":\"%s\",\"acts\":[", x->mark);
	for (unsigned i = 0; i < n_acts; i++) {
		const struct outcome *o = &x->outcomes[i];

		if (!is_told(x, o))
			continue;
		buf_addf(out, "%s{\"act\":\"%s\",\"status\":\"%s\"", before, o->act->name,
			 words[o->kind]);
		add_member("does", str_of(o->act->does), out);
		if (o->rule)
			add_member("rule", o->rule->name, out);
		add_list("alerts", &o->alerts, "; ", out);
		add_list("lacks", &o->lacks, ", ", out);
		if (o->why.n)
			add_member("why", buf_str(&o->why), out);
		buf_addc(out, '}');
		before = ",";
		n_fired += o->kind == OUTCOME_FIRED;
		n_bad += is_bad(o);
	}
	buf_addf(out, "],\"good\":%s}\n", n_fired && !n_bad ? "true" : "false");
	return n_fired && !n_bad;
}
