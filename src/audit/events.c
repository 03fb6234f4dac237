/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/events.h"

#include "audit/document.h"
#include "base/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	NS_PER_S = 1000000000,
	LISTS_DEEP = 8,		    /* lists of lists of events */
	EVENT_FLAGS = JSON_COMPACT, /* how an event is written */
	YEAR_LEAST = 1970,
	YEAR_MOST = 2261, /* that 64 bits of nanoseconds hold with their sign */
};

void audit_events_init(struct audit_events *q, uint64_t max_bytes, uint64_t event_max)
{
	pthread_condattr_t a;

	memset(q, 0, sizeof(*q));
	q->max_bytes = max_bytes;
	q->event_max = event_max;
	q->last = &q->first;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&q->some, &a);
	pthread_condattr_destroy(&a);
}

static void free_list(struct waiting *w)
{
	while (w) {
		struct waiting *next = w->next;

		free(w);
		w = next;
	}
}

static void free_batch(struct audit_events *q)
{
	for (uint32_t i = 0; i < q->n_batch; i++)
		free((char *)q->batch[i] - offsetof(struct waiting, event));
	q->n_batch = 0;
}

void audit_events_done(struct audit_events *q)
{
	free_batch(q);
	free_list(q->first);
	pthread_cond_destroy(&q->some);
	pthread_mutex_destroy(&q->lock);
}

/* ---- time ---- */

/* ".123": nanoseconds; the rest of the text is left. */
static uint64_t take_fraction(const char **text)
{
	uint64_t ns = 0, unit = NS_PER_S / 10;

	if (**text != '.')
		return 0;
	for ((*text)++; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		ns += (uint64_t)(**text - '0') * unit;
	return ns;
}

/* "Z", "+01:00": seconds east. */
static bool take_zone(const char *text, int64_t *ret)
{
	int hours, minutes, n = 0;

	*ret = 0;
	if (!strcmp(text, "Z") || !strcmp(text, "z"))
		return true;
	if ((*text != '+' && *text != '-') ||
	    sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 || text[1 + n])
		return false;
	*ret = (hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
	return true;
}

bool audit_time(const char *text, uint64_t *ret)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t seconds, east;
	uint64_t ns;

	if (!rest || tm.tm_year + 1900 < YEAR_LEAST || tm.tm_year + 1900 > YEAR_MOST)
		return false;
	ns = take_fraction(&rest);
	if (!take_zone(rest, &east))
		return false;
	seconds = (int64_t)timegm(&tm) - east;
	if (seconds < 0)
		return false;
	*ret = (uint64_t)seconds * NS_PER_S + ns;
	return true;
}

/* ---- JSON into events ---- */

struct splitting {
	struct audit_events *q;
	struct waiting *first, **last;
	uint64_t n, n_bytes;
};

/* Header, lengths of the two parameters, the id, and the JSON text. */
static struct waiting *event_new(uint64_t ts, const json_t *v, size_t n)
{
	uint32_t lengths[2] = {sizeof(uint32_t), (uint32_t)n};
	struct waiting *w =
		xmalloc(sizeof(*w) - sizeof(w->event) + SS_PLUGIN_EVENT_PAYLOAD_OFFSET + n);
	char *p = (char *)&w->event;

	w->next = NULL;
	w->event = (ss_plugin_event){.ts = ts,
				     .tid = UINT64_MAX,
				     .len = (uint32_t)(SS_PLUGIN_EVENT_PAYLOAD_OFFSET + n),
				     .type = PPM_PLUGIN_EVENT,
				     .nparams = 2};
	memcpy(p + sizeof(w->event), lengths, sizeof(lengths));
	memset(p + sizeof(w->event) + sizeof(lengths), 0, sizeof(uint32_t));
	json_dumpb(v, p + SS_PLUGIN_EVENT_PAYLOAD_OFFSET, n, EVENT_FLAGS);
	return w;
}

static void add_event(struct splitting *s, const json_t *v)
{
	const char *time = json_string_value(json_object_get(v, "stageTimestamp"));
	struct waiting *w;
	uint64_t ts;
	size_t n;

	if (!time || !audit_time(time, &ts)) {
		atomic_fetch_add(&s->q->n_broken, 1);
		return;
	}
	n = json_dumpb(v, NULL, 0, EVENT_FLAGS);
	if (n > s->q->event_max) {
		atomic_fetch_add(&s->q->n_long, 1);
		return;
	}
	w = event_new(ts, v, n);
	*s->last = w;
	s->last = &w->next;
	s->n++;
	s->n_bytes += sizeof(*w) + n;
}

/* False: it is no audit event. */
static bool split(struct splitting *s, const json_t *v, unsigned depth)
{
	const char *kind = json_string_value(json_object_get(v, "kind"));
	const json_t *items = json_object_get(v, "items");

	if (json_is_array(v)) {
		bool all = depth < LISTS_DEEP;

		for (size_t i = 0; i < json_array_size(v) && all; i++)
			all = split(s, json_array_get(v, i), depth + 1);
		return all;
	}
	if (kind && !strcmp(kind, "Event")) {
		add_event(s, v);
		return true;
	}
	if (!kind || strcmp(kind, "EventList") || !json_is_array(items))
		return false;
	for (size_t i = 0; i < json_array_size(items); i++)
		add_event(s, json_array_get(items, i));
	return true;
}

/* Something that alone is too much is let in once nothing else waits. */
static bool append(struct audit_events *q, struct splitting *s)
{
	bool has_room;

	pthread_mutex_lock(&q->lock);
	has_room = !q->first || q->n_bytes + s->n_bytes <= q->max_bytes;
	if (has_room && s->first) {
		*q->last = s->first;
		q->last = s->last;
		q->n_bytes += s->n_bytes;
		pthread_cond_signal(&q->some);
	}
	pthread_mutex_unlock(&q->lock);
	return has_room;
}

enum audit_verdict audit_events_put(struct audit_events *q, struct str json)
{
	struct splitting s = {.q = q};
	json_t *root = json_read(json);
	bool is_whole;

	s.last = &s.first;
	is_whole = root && split(&s, root, 0);
	json_decref(root);
	if (!is_whole)
		atomic_fetch_add(&q->n_broken, 1);
	if (!append(q, &s)) {
		atomic_fetch_add(&q->n_refused, s.n);
		free_list(s.first);
		return AUDIT_FULL;
	}
	atomic_fetch_add(&q->n_taken, s.n);
	return is_whole || s.n ? AUDIT_TAKEN : AUDIT_BROKEN;
}

/* ---- out ---- */

static void wait_for_some(struct audit_events *q, unsigned timeout_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)timeout_ms * 1000000;
	until.tv_sec += until.tv_nsec / NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	while (!q->first && !pthread_cond_timedwait(&q->some, &q->lock, &until))
		;
}

uint32_t audit_events_take(struct audit_events *q, unsigned timeout_ms)
{
	free_batch(q);
	pthread_mutex_lock(&q->lock);
	if (!q->first && timeout_ms)
		wait_for_some(q, timeout_ms);
	while (q->first && q->n_batch < AUDIT_BATCH) {
		struct waiting *w = q->first;

		q->first = w->next;
		q->n_bytes -= sizeof(*w) + w->event.len - SS_PLUGIN_EVENT_PAYLOAD_OFFSET;
		q->batch[q->n_batch++] = &w->event;
	}
	if (!q->first)
		q->last = &q->first;
	pthread_mutex_unlock(&q->lock);
	return q->n_batch;
}
