/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins follow events: each is called for those that it wants, in the order of loading. */
#include "field/eventsource.h"
#include "plugin/life.h"
#include "plugin/lines.h"

static bool is_for(const struct plugin *p, const struct life *l, const struct event_source *s,
		   unsigned type)
{
	return l && p->abilities & PLUGIN_PARSES && event_types_have(&l->parses, type) &&
	       names_have(&p->parse_sources, s->name);
}

static void parse(struct life *l, const struct event_source *s, const struct moment *m)
{
	const ss_plugin_event_input event = {
		.evt = (const ss_plugin_event *)m->ev.rec, .evtnum = m->ev.num, .evtsrc = s->name};
	const ss_plugin_event_parse_input in = {.owner = l,
						.get_owner_last_error = life_error,
						.table_reader = table_reader_short(),
						.table_writer = table_writer_short(),
						.table_reader_ext = &table_reader,
						.table_writer_ext = &table_writer};

	/* When it fails that is its own affair: nothing follows from it. */
	LIFE_CALL(l, ACCESS_WRITE, parse_event, l->state, &event, &in);
}

void plugins_parse(struct plugins *ps, unsigned source, struct moment *m)
{
	const struct event_source *s = event_source_get(source);
	const struct state *state = plugins_state(ps);

	for (size_t i = 0; s && i < plugins_count(ps); i++) {
		const struct plugin *p = plugins_get(ps, i);
		struct life *l = life_of(p, source);
		uint64_t before;

		if (!is_for(p, l, s, m->ev.type))
			continue;
		before = state_edits(state);
		parse(l, s, m);
		/* What the event is about may be gone, or elsewhere. */
		if (state_edits(state) != before)
			moment_refresh(state, m);
	}
}

void plugins_want(const struct plugins *ps, uint64_t events[(EV_COUNT + 63) / 64])
{
	for (size_t i = 0; i < plugins_count(ps); i++) {
		const struct plugin *p = plugins_get(ps, i);
		const struct life *l = life_of(p, SOURCE_SYSCALL);

		if (!l || !(p->abilities & PLUGIN_PARSES) ||
		    !names_have(&p->parse_sources, "syscall"))
			continue;
		for (unsigned w = 0; w < (EV_COUNT + 63) / 64; w++)
			events[w] |= l->parses.words[w];
	}
}

bool plugins_want_generic(const struct plugins *ps)
{
	uint64_t events[(EV_COUNT + 63) / 64] = {0};

	plugins_want(ps, events);
	return events[EV_GENERIC_X / 64] >> (EV_GENERIC_X % 64) & 1;
}

bool plugins_use_state(const struct plugins *ps)
{
	for (size_t i = 0; i < plugins_count(ps); i++) {
		const struct plugin *p = plugins_get(ps, i);
		const struct life *l = life_of(p, SOURCE_SYSCALL);

		if (!l)
			continue;
		if ((p->abilities & PLUGIN_EXTRACTS && names_have(&p->extract_sources, "syscall") &&
		     !event_types_are_plugins(&l->extracts)) ||
		    (p->abilities & PLUGIN_PARSES && names_have(&p->parse_sources, "syscall") &&
		     !event_types_are_plugins(&l->parses)))
			return true;
	}
	return false;
}

int plugins_check_schema(const struct plugins *ps, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < plugins_count(ps) && !r; i++)
		r = life_check_schema(life_of(plugins_get(ps, i), SOURCE_SYSCALL), e);
	return r;
}
