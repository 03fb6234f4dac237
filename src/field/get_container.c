/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of containers and pods. */
#include <regex.h>

#include "field/get.h"
#include "field/kept.h"
#include "field/text.h"

static struct str container_id_of(const struct field_ctx *c)
{
	return c->kept ? c->kept->container_id : istr_str(c->m->thread->container_id);
}

/* That which the event itself brought, else that of its thread; NULL when nothing is known. */
static const struct container *moment_container(const struct field_ctx *c)
{
	if (c->m->container)
		return c->m->container;
	if (!c->m->thread && !c->kept)
		return NULL;
	return container_find(c->state, container_id_of(c));
}

enum metadata_status moment_metadata(const struct field_ctx *c)
{
	enum metadata_status s;

	if (c->m->container)
		return METADATA_READY;
	if (!c->m->thread && !c->kept)
		return METADATA_NONE;
	s = state_metadata(c->state, container_id_of(c));
	return s == METADATA_PENDING && c->kept && c->kept->is_final ? METADATA_TIMEOUT : s;
}

bool moment_is_pending(const struct field_ctx *c)
{
	char uid[POD_UID_BYTES];

	if (!state_is_awaiting(c->state) || (!c->m->thread && !c->kept))
		return false;
	return moment_metadata(c) == METADATA_PENDING ||
	       state_awaits_sandbox(c->state, container_find(c->state, container_id_of(c))) ||
	       state_awaits_pod(c->state, moment_pod_uid(c, uid));
}

/* What nobody has told: it may still come. */
static enum field_result lacking(const struct field_ctx *c)
{
	return moment_metadata(c) == METADATA_PENDING ? FIELD_UNKNOWN : FIELD_NULL;
}

/* Of this one more is to come. */
static bool is_partial(const struct field_ctx *c, const struct container *ct)
{
	return ct->is_early && lacking(c) == FIELD_UNKNOWN;
}

/* The moment's container, once all of it is known; else NULL, and what that makes of a field. */
static const struct container *whole_container(const struct field_ctx *c,
					       enum field_result *ret_lacking)
{
	const struct container *ct = moment_container(c);

	*ret_lacking = ct ? FIELD_UNKNOWN : lacking(c);
	return ct && is_partial(c, ct) ? NULL : ct;
}

enum field_result get_container_id(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct container *ct = moment_container(c);

	if (ct)
		return give_str(ret, ct->id);
	if (!c->m->thread)
		return FIELD_NULL;
	return give_str(ret, istr_str(c->m->thread->container_id));
}

static const size_t text_members[] = {
	[CT_FULL_ID] = offsetof(struct container, full_id),
	[CT_NAME] = offsetof(struct container, name),
	[CT_IMAGE] = offsetof(struct container, image),
	[CT_IMAGE_ID] = offsetof(struct container, image_id),
	[CT_IMAGE_REPO] = offsetof(struct container, image_repo),
	[CT_IMAGE_TAG] = offsetof(struct container, image_tag),
	[CT_IMAGE_DIGEST] = offsetof(struct container, image_digest),
	[CT_IP] = offsetof(struct container, ip),
	[CT_CNI_JSON] = offsetof(struct container, cni_json),
};

static enum field_result give_text_member(const struct container *ct, unsigned which,
					  struct value *ret)
{
	if (!ct)
		return FIELD_NULL;
	return give_str(ret, *(const struct str *)((const char *)ct + text_members[which]));
}

enum field_result get_container_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct container *ct = moment_container(c);

	if (!ct)
		return lacking(c);
	give_text_member(ct, f->info->up, ret);
	return !ret->s.n && is_partial(c, ct) ? FIELD_UNKNOWN : FIELD_OK;
}

enum field_result get_container_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct container *ct = moment_container(c);

	return ct ? give_text(ret, container_type_text(ct->type)) : lacking(c);
}

enum field_result get_container_flag(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none);

	if (!ct)
		return none;
	switch (f->info->up) {
	case CT_PRIVILEGED:
		return give_u64(ret, ct->privileged);
	case CT_HOST_PID:
		return give_u64(ret, ct->host_pid);
	case CT_HOST_NETWORK:
		return give_u64(ret, ct->host_network);
	}
	return give_u64(ret, ct->host_ipc);
}

/* The first process of the pid namespace started with the container. */
static uint64_t start_ns(const struct moment *m)
{
	return m->thread && !m->container ? m->thread->pidns_init_start_ns : 0;
}

enum field_result get_container_start(const struct field_ctx *c, struct field *f, struct value *ret)
{
	uint64_t start = start_ns(c->m);

	return start ? give_u64(ret, start + (uint64_t)c->m->ev.wall_by_ns) : FIELD_NULL;
}

enum field_result get_container_duration(const struct field_ctx *c, struct field *f,
					 struct value *ret)
{
	uint64_t start = start_ns(c->m);

	return start ? give_u64(ret, c->m->ev.ts - start) : FIELD_NULL;
}

static void add_mount(struct text *t, const struct container_mount *m)
{
	text_add(t, m->source);
	text_addc(t, ':');
	text_add(t, m->dest);
	text_addc(t, ':');
	text_add(t, m->mode);
	text_addz(t, m->rw ? ":true:" : ":false:");
	text_add(t, m->propagation);
}

enum field_result get_container_mounts(const struct field_ctx *c, struct field *f,
				       struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none);
	struct text text = text_start(c->scratch);

	if (!ct)
		return none;
	for (size_t i = 0; i < ct->n_mounts; i++) {
		if (i)
			text_addc(&text, ',');
		add_mount(&text, &ct->mounts[i]);
	}
	return give_str(ret, text_str(&text));
}

/* The first mount whose destination or source the expression is found in. */
static const struct container_mount *find_mount(const struct container *ct, struct arena *scratch,
						struct str pattern, bool by_dest)
{
	const struct container_mount *found = NULL;
	regex_t re;

	if (regcomp(&re, arena_str(scratch, pattern).p, REG_EXTENDED | REG_NOSUB | REG_NEWLINE))
		return NULL;
	for (size_t i = 0; i < ct->n_mounts && !found; i++) {
		struct str s = by_dest ? ct->mounts[i].dest : ct->mounts[i].source;

		if (regexec(&re, arena_str(scratch, s).p, 0, NULL, 0) == 0)
			found = &ct->mounts[i];
	}
	regfree(&re);
	return found;
}

enum field_result get_container_mount(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none);
	const struct container_mount *m = NULL;
	struct text text = text_start(c->scratch);
	unsigned part = f->info->up;

	if (!ct)
		return none;
	if (f->arg_is_index)
		m = f->index < ct->n_mounts ? &ct->mounts[f->index] : NULL;
	else
		m = find_mount(ct, c->scratch, f->arg, part == MOUNT_SOURCE);
	if (!m)
		return FIELD_NULL;
	switch (part) {
	case MOUNT_SOURCE:
		return give_str(ret, m->source);
	case MOUNT_DEST:
		return give_str(ret, m->dest);
	case MOUNT_MODE:
		return give_str(ret, m->mode);
	case MOUNT_RDWR:
		return give_text(ret, m->rw ? "true" : "false");
	case MOUNT_PROPAGATION:
		return give_str(ret, m->propagation);
	}
	add_mount(&text, m);
	return give_str(ret, text_str(&text));
}

static const struct container_label *find_label(const struct container_label *labels, size_t n,
						struct str key)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = str_cmp(labels[mid].key, key);

		if (!order)
			return &labels[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static enum field_result give_label(const struct container_label *label, struct value *ret)
{
	return label ? give_str(ret, label->value) : FIELD_NULL;
}

static enum field_result give_labels(const struct field_ctx *c,
				     const struct container_label *labels, size_t n,
				     struct value *ret)
{
	struct text text = text_start(c->scratch);

	for (size_t i = 0; i < n; i++) {
		/* What the runtime adds for itself is not shown. */
		if (str_starts(labels[i].key, STR("annotation.")) ||
		    str_starts(labels[i].key, STR("io.kubernetes.")))
			continue;
		if (text.n)
			text_addz(&text, ", ");
		text_add(&text, labels[i].key);
		if (!labels[i].value.n)
			continue;
		text_addc(&text, ':');
		text_add(&text, labels[i].value);
	}
	return give_str(ret, text_str(&text));
}

enum field_result get_container_label(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none);

	return ct ? give_label(find_label(ct->labels, ct->n_labels, f->arg), ret) : none;
}

enum field_result get_container_labels(const struct field_ctx *c, struct field *f,
				       struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none);

	return ct ? give_labels(c, ct->labels, ct->n_labels, ret) : none;
}

/* The runtime tells every container of a pod which one that is. */
enum field_result get_pod_label_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	static const struct str keys[] = {
		[POD_NAME] = {"io.kubernetes.pod.name", 22},
		[POD_NAMESPACE] = {"io.kubernetes.pod.namespace", 27},
		[POD_UID] = {"io.kubernetes.pod.uid", 21},
	};
	enum field_result none;
	const struct container *ct = whole_container(c, &none);

	if (!ct)
		return none;
	return give_label(find_label(ct->labels, ct->n_labels, keys[f->info->up]), ret);
}

/* up: so many characters, 0 for all. */
enum field_result get_pod_sandbox_id(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none);

	if (!ct)
		return none;
	return give_str(ret, f->info->up ? str_head(ct->pod_sandbox_id, f->info->up)
					 : ct->pod_sandbox_id);
}

/*
 * Who knows about the pod: the container itself if it was told of the pod's network, else the
 * pod's sandbox, which may be unknown; what that makes of a field.  Without a sandbox id that is
 * the host.
 */
static const struct container *pod_source(const struct field_ctx *c, const struct container *ct,
					  enum field_result *ret_lacking)
{
	bool may_come = !(c->kept && c->kept->is_final) && state_awaits_sandbox(c->state, ct);

	*ret_lacking = may_come ? FIELD_UNKNOWN : FIELD_NULL;
	if (ct->cni_json.n)
		return ct;
	return may_come ? NULL : container_find(c->state, str_head(ct->pod_sandbox_id, 12));
}

enum field_result get_pod_label(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none), *pod;
	const struct container_label *label = NULL;

	if (!ct)
		return none;
	pod = pod_source(c, ct, &none);
	if (pod)
		label = find_label(pod->pod_labels, pod->n_pod_labels, f->arg);
	if (!label)
		label = find_label(ct->pod_labels, ct->n_pod_labels, f->arg);
	return label ? give_label(label, ret) : none;
}

enum field_result get_pod_labels(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none), *pod;

	if (!ct)
		return none;
	pod = pod_source(c, ct, &none);
	if (!pod && !ct->n_pod_labels && none == FIELD_UNKNOWN)
		return none;
	if (!pod)
		pod = ct;
	return give_labels(c, pod->pod_labels, pod->n_pod_labels, ret);
}

enum field_result get_pod_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum field_result none;
	const struct container *ct = whole_container(c, &none), *pod;

	if (!ct)
		return none;
	pod = pod_source(c, ct, &none);
	return pod ? give_text_member(pod, f->info->up, ret) : none;
}
