/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins are told when the stream of events begins and ends, and asked for what they count. */
#include "plugin/lines.h"
#include "plugin/routine.h"
#include "plugin/running.h"

enum { METRICS_MAX = 1024, METRIC_NAME_MAX = 256 };

static ss_plugin_capture_listen_input input_for(struct life *l)
{
	return (ss_plugin_capture_listen_input){.owner = l,
						.routine = &routine_functions,
						.table_reader_ext = &table_reader,
						.table_writer_ext = &table_writer,
						.get_owner_last_error = life_error};
}

void listen_begin(struct plugins *ps, struct life *l)
{
	const struct plugin *p = l->plugin;
	ss_plugin_capture_listen_input in = input_for(l);

	if (!(p->abilities & PLUGIN_LISTENS) || l->is_listening)
		return;
	l->is_listening = true;
	routines_begin(l);
	if (LIFE_CALL(l, ACCESS_WRITE, capture_open, l->state, &in) == SS_PLUGIN_SUCCESS)
		return;
	lines_add(&ps->lines, "plugin '%.64s': capture_open failed: %s", p->name,
		  plugin_last_error(p, l->state));
	ps->has_failed = true;
}

static void end(struct plugins *ps, struct life *l)
{
	const struct plugin *p = l->plugin;
	ss_plugin_capture_listen_input in = input_for(l);

	if (!l->is_listening || l->is_lost)
		return;
	l->is_listening = false;
	if (LIFE_CALL(l, ACCESS_WRITE, capture_close, l->state, &in) != SS_PLUGIN_SUCCESS) {
		lines_add(&ps->lines, "plugin '%.64s': capture_close failed: %s", p->name,
			  plugin_last_error(p, l->state));
		ps->has_failed = true;
	}
	if (!routines_end(l)) {
		lines_add(&ps->lines, "plugin '%.64s' does not come back from a routine", p->name);
		ps->has_failed = ps->is_stuck = l->is_lost = true;
	}
}

void plugins_listen(struct plugins *ps)
{
	if (ps->is_heard)
		return;
	ps->is_heard = true;
	for (size_t i = 0; i < ps->n; i++) {
		struct plugin *p = ps->list[i].plugin;

		if (life_is_here(p->own))
			listen_begin(ps, p->own);
		if (p->other)
			listen_begin(ps, p->other);
	}
}

void listen_end(struct plugins *ps, struct plugin *p)
{
	if (p->own) /* it has begun at all */
		end(ps, p->own);
	if (p->other)
		end(ps, p->other);
}

/* ---- metrics ---- */

static double value_of(const ss_plugin_metric *m)
{
	switch (m->value_type) {
	case SS_PLUGIN_METRIC_VALUE_TYPE_U32:
		return m->value.u32;
	case SS_PLUGIN_METRIC_VALUE_TYPE_S32:
		return m->value.s32;
	case SS_PLUGIN_METRIC_VALUE_TYPE_U64:
		return (double)m->value.u64;
	case SS_PLUGIN_METRIC_VALUE_TYPE_S64:
		return (double)m->value.s64;
	case SS_PLUGIN_METRIC_VALUE_TYPE_D:
		return m->value.d;
	case SS_PLUGIN_METRIC_VALUE_TYPE_F:
		return m->value.f;
	case SS_PLUGIN_METRIC_VALUE_TYPE_I:
		return m->value.i;
	}
	return 0; /* a type of another time */
}

static void give_metrics(const struct plugin *p, struct life *l, plugin_metric_fn *fn, void *arg)
{
	uint32_t n = 0;
	const ss_plugin_metric *list = LIFE_CALL(l, ACCESS_READ, get_metrics, l->state, &n);

	for (uint32_t i = 0; list && i < n && i < METRICS_MAX; i++) {
		struct plugin_metric m = {.plugin = p->name, .value = value_of(&list[i])};

		if (!list[i].name)
			continue;
		m.name = (struct str){list[i].name, strnlen(list[i].name, METRIC_NAME_MAX)};
		m.only_grows = list[i].type == SS_PLUGIN_METRIC_TYPE_MONOTONIC;
		fn(arg, &m);
	}
}

void plugins_metrics(struct plugins *ps, plugin_metric_fn *fn, void *arg)
{
	for (size_t i = 0; i < ps->n; i++) {
		const struct plugin *p = ps->list[i].plugin;

		if (!p->api.get_metrics)
			continue;
		if (life_is_here(p->own))
			give_metrics(p, p->own, fn, arg);
		if (p->other)
			give_metrics(p, p->other, fn, arg);
	}
}
