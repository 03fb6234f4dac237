/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sightings.h"

#include "capture/bytes.h"
#include "event/event.h"
#include "state/container.h"

/* Of these no runtime knows anything. */
static bool is_silent(uint32_t type)
{
	return type == CONTAINER_LXC || type == CONTAINER_LIBVIRT_LXC || type == CONTAINER_BPM;
}

static void ask_once(struct sightings *s, struct str cgroups)
{
	struct str id;
	uint64_t hash, *slot;
	uint32_t type;

	if (!container_id_from_cgroups(cgroups, &id, &type) || is_silent(type))
		return;
	hash = hash_bytes(id.p, id.n, hash_seed());
	slot = &s->asked[hash % SIGHTINGS];
	if (*slot == hash)
		return;
	*slot = hash;
	worker_ask(s->w, id);
}

static void look_at_event(struct sightings *s, const struct record *r)
{
	const struct event_info *info;
	struct event ev;
	uint16_t type;
	int at;

	if (r->event.n < 22)
		return;
	type = load16(r->event.p + 20);
	info = type < EV_COUNT ? &event_table[type] : NULL;
	if (!info || !(info->category & EC_PROCESS))
		return;
	at = event_param_index(info, STR("cgroups"));
	if (at >= 0 && !event_decode(r->event.p, r->event.n, &ev, NULL))
		ask_once(s, event_param(&ev, (unsigned)at));
}

void sightings_look(struct sightings *s, const struct record *r)
{
	if (!s->w)
		return;
	if (r->kind == RECORD_PROC)
		ask_once(s, r->proc->cgroups);
	else if (r->kind == RECORD_EVENT)
		look_at_event(s, r);
}
