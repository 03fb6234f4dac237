/* SPDX-License-Identifier: Apache-2.0 */
/* Records about no thread: users, groups and containers come and go. */
#include "state/private.h"

#include <errno.h>

static struct str text(const struct event *ev, unsigned i)
{
	return str_until_nul(event_param(ev, i));
}

/* Container id of a row, with a reference; NULL for the host. */
static struct istr *container_ref(struct state *s, struct str id)
{
	return id.n ? intern_get(s->names, id) : NULL;
}

/* In a replay containers have no users: captures are from where they never had any. */
static bool counts(const struct state *s, const struct istr *container)
{
	return !container || s->as_live;
}

void apply_user_added(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;
	struct istr *container = container_ref(s, text(ev, 5));
	struct snap_user u = {
		.uid = (uint32_t)event_u64(ev, 0),
		.gid = (uint32_t)event_u64(ev, 1),
		.name = text(ev, 2),
		.home = text(ev, 3),
		.shell = text(ev, 4),
	};

	if (counts(s, container))
		user_table_add(s->users, container, &u);
	intern_unref(s->names, container);
}

void apply_user_deleted(struct state *s, struct moment *m)
{
	struct istr *container = container_ref(s, text(&m->ev, 5));

	user_table_remove(s->users, container, (uint32_t)event_u64(&m->ev, 0));
	intern_unref(s->names, container);
}

void apply_group_added(struct state *s, struct moment *m)
{
	struct istr *container = container_ref(s, text(&m->ev, 2));
	struct snap_group g = {
		.gid = (uint32_t)event_u64(&m->ev, 0),
		.name = text(&m->ev, 1),
	};

	if (counts(s, container))
		user_table_add_group(s->users, container, &g);
	intern_unref(s->names, container);
}

void apply_group_deleted(struct state *s, struct moment *m)
{
	struct istr *container = container_ref(s, text(&m->ev, 2));

	user_table_remove_group(s->users, container, (uint32_t)event_u64(&m->ev, 0));
	intern_unref(s->names, container);
}

static void add_container(struct state *s, struct moment *m, struct str json)
{
	struct container *c;

	if (container_parse(json, &c, NULL) < 0)
		s->stats.n_bad_records++;
	else if (container_table_add(s->containers, c)) {
		m->container = c;
		belief_told(s, c->id);
		awaited_told(s, c);
	}
}

/* The event itself may still show the record: it goes with the next one. */
static void remove_container(struct state *s, struct moment *m, struct str json)
{
	struct container *c;

	if (container_parse(json, &c, NULL) < 0) {
		s->stats.n_bad_records++;
		return;
	}
	container_table_remove(s->containers, c->id);
	awaited_gone(s, c->id);
	container_free(s->removed_container);
	s->removed_container = c;
	m->container = c;
}

void apply_container(struct state *s, struct moment *m)
{
	add_container(s, m, text(&m->ev, 0));
}

static void apply_kube(struct state *s, struct str json)
{
	struct kube_object *o;
	bool is_gone;
	int r = kube_parse(json, &is_gone, &o, NULL);

	if (r == -ENOTSUP)
		return;
	if (r < 0) {
		s->stats.n_bad_records++;
		return;
	}
	s->container_base++;
	if (!is_gone) {
		if (kube_table_add(s->kube, o) && o->kind == KUBE_POD)
			awaited_told_pod(s, o->mirrors.n ? o->mirrors : o->uid);
		return;
	}
	kube_table_remove(s->kube, o->kind, o->uid);
	kube_free(o);
}

void apply_async(struct state *s, struct moment *m)
{
	struct str name = text(&m->ev, 1), data = text(&m->ev, 2);

	if (str_is(name, "container"))
		add_container(s, m, data);
	else if (str_is(name, "container_removed"))
		remove_container(s, m, data);
	else if (str_is(name, "k8s"))
		apply_kube(s, data);
}
