/* SPDX-License-Identifier: Apache-2.0 */
#include "app/secrets.h"

#include "app/report.h"
#include "config/config.h"
#include "event/event.h"

static struct {
	struct redaction *redaction;
	/* Of each type of event, which parameters hold command lines and environments. */
	uint32_t params[EV_COUNT];
	struct record record;
	struct snap_proc proc;
	struct buf bytes;
	struct arena arena;
} all;

enum { RECORD_MAX_BYTES = 64 << 20 };

static bool is_told_of(const char *param)
{
	static const char *const names[] = {"exe", "args", "env"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(param, names[i]))
			return true;
	return false;
}

static void find_params(void)
{
	for (unsigned t = 0; t < EV_COUNT; t++)
		for (unsigned i = 0; i < event_table[t].n_params && i < 32; i++)
			if (is_told_of(event_table[t].params[i].name))
				all.params[t] |= 1u << i;
}

enum exit_status secrets_begin(const struct config *c)
{
	struct err e = {0};
	size_t n;
	const struct str *patterns = config_texts(c, CONFIG_KEY_REDACTION, &n);

	secrets_end();
	if (!n)
		return EXIT_DONE;
	if (redaction_new(patterns, n, &all.redaction, &e) < 0) {
		report("saker.redaction.patterns: %s", e.msg);
		return EXIT_FAULT;
	}
	find_params();
	buf_init(&all.bytes, RECORD_MAX_BYTES);
	arena_init(&all.arena, 0);
	return EXIT_DONE;
}

void secrets_end(void)
{
	if (!all.redaction)
		return;
	redaction_free(all.redaction);
	buf_done(&all.bytes);
	arena_done(&all.arena);
	memset(&all, 0, sizeof(all));
}

struct redaction *secrets(void)
{
	return all.redaction;
}

void secrets_text(struct buf *text, size_t from)
{
	if (text->n > from)
		redaction_apply(all.redaction, text->p + from, text->n - from);
}

/* ---- records ---- */

static struct str without(struct str s)
{
	return redaction_text(all.redaction, s, &all.arena);
}

static const struct record *proc_without(const struct record *r)
{
	arena_reset(&all.arena);
	all.proc = *r->proc;
	all.proc.exe = without(r->proc->exe);
	all.proc.args = without(r->proc->args);
	all.proc.env = without(r->proc->env);
	all.record = *r;
	all.record.proc = &all.proc;
	return &all.record;
}

/* The texts in JSON, each for itself, so that what stands around them stays. */
static void apply_json(char *json, size_t n)
{
	size_t begin = 0;
	bool is_inside = false;

	for (size_t i = 0; i < n; i++) {
		if (is_inside && json[i] == '\\') {
			i++;
		} else if (json[i] == '"') {
			if (is_inside)
				redaction_apply(all.redaction, json + begin, i - begin);
			is_inside = !is_inside;
			begin = i + 1;
		}
	}
}

static void apply_param(const struct event *ev, unsigned i, bool is_json)
{
	struct str p = event_param(ev, i);
	char *copy = all.bytes.p + (p.p - (const char *)ev->rec);

	if (!p.n)
		return;
	if (is_json)
		apply_json(copy, p.n);
	else
		redaction_apply(all.redaction, copy, p.n);
}

/* What runtimes tell of a container, with its environment: which parameter; -1: it is none. */
static int container_param(const struct event *ev)
{
	if (ev->type == EV_CONTAINER_JSON_2_E)
		return 0;
	return ev->type == EV_ASYNCEVENT_E && str_is(str_until_nul(event_param(ev, 1)), "container")
		       ? 2
		       : -1;
}

static const struct record *event_without(const struct record *r)
{
	struct event ev;
	uint32_t params;
	int container;

	if (event_decode(r->event.p, r->event.n, &ev, NULL) < 0)
		return r;
	params = all.params[ev.type];
	container = container_param(&ev);
	if (!params && container < 0)
		return r;
	buf_reset(&all.bytes);
	buf_add(&all.bytes, r->event.p, r->event.n);
	if (all.bytes.truncated)
		return r;
	if (container >= 0)
		apply_param(&ev, (unsigned)container, true);
	for (; params; params &= params - 1)
		apply_param(&ev, (unsigned)__builtin_ctz(params), false);
	all.record = *r;
	all.record.event.p = (const uint8_t *)all.bytes.p;
	return &all.record;
}

const struct record *secrets_record(const struct record *r)
{
	if (!all.redaction)
		return r;
	if (r->kind == RECORD_PROC)
		return proc_without(r);
	return r->kind == RECORD_EVENT ? event_without(r) : r;
}
