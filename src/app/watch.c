/* SPDX-License-Identifier: Apache-2.0 */
#include "app/watch.h"

#include "base/stop.h"

#include <stdlib.h>
#include <unistd.h>

enum { EVENTS_PER_PAUSE = 512 };

/* What alerts call this machine. */
static const char *host_name(char out[HOST_NAME_MAX + 1])
{
	const char *given = getenv("FALCO_HOSTNAME");

	if (given && *given)
		return given;
	if (gethostname(out, HOST_NAME_MAX + 1) < 0)
		return "";
	out[HOST_NAME_MAX] = '\0';
	return out;
}

enum exit_status watch_load(struct watch *w, const struct watch_options *o)
{
	*w = (struct watch){.o = o, .alerts = ALERT_CONFIG_DEFAULT};
	w->alerts.json = o->json;
	w->alerts.hostname = host_name(w->host);
	return choice_load(&o->choice, &w->rules);
}

void watch_begin(struct watch *w)
{
	input_want(&w->in, program_wants(w->rules->program));
	sink_init(&w->sink);
}

/* False when nobody can receive more. */
static bool alert(struct watch *w, const uint32_t *ids, size_t n)
{
	bool open = true;

	w->in.fields.printing = true;
	for (size_t i = 0; i < n && open; i++) {
		struct rule *rule = &w->rules->rules[ids[i]];

		rule->n_matches++;
		w->n_alerts++;
		alert_format(&w->alerts, rule, &w->in.fields, &w->sink.text);
		open = sink_line(&w->sink);
	}
	w->in.fields.printing = false;
	return open;
}

static bool evaluate(struct watch *w)
{
	const uint32_t *ids;
	size_t n = program_eval(w->rules->program, &w->in.fields, !w->o->all_matches, &ids);

	return !n || alert(w, ids, n);
}

/* Goes on when there is nothing at the moment but there may be later. */
static bool pause_watch(struct watch *w, bool idle)
{
	if (!w->pause)
		return !idle;
	sink_flush(&w->sink);
	return !w->sink.error && !stop_due() && w->pause(w->pause_arg, idle);
}

int watch_events(struct watch *w, struct err *e)
{
	enum state_verdict verdict;
	unsigned n = 0;

	while (!stop_signal) {
		int more = input_next(&w->in, &verdict, e);

		if (more < 0)
			return more;
		if (more && w->rings)
			ring_note_look(w->rings, &w->in);
		if (more && verdict == STATE_DELIVER && !evaluate(w))
			break;
		if ((!more || !(++n % EVENTS_PER_PAUSE)) && !pause_watch(w, !more))
			break;
	}
	return 0;
}

enum exit_status watch_end(struct watch *w)
{
	return sink_close(&w->sink);
}

void watch_done(struct watch *w)
{
	ruleset_free(w->rules);
}
