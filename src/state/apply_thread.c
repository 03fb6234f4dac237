/* SPDX-License-Identifier: Apache-2.0 */
/* What a running thread changes of itself: directories, ids, capabilities, limits, counters. */
#include "state/private.h"

enum {
	RLIMIT_NOFILE_PORTABLE = 7,
	PRCTL_SET_CHILD_SUBREAPER = 0x24,
	PRCTL_GET_CHILD_SUBREAPER = 0x25,
};

#define ALL_CAPABILITIES ((1ULL << 41) - 1)

static bool succeeded(const struct moment *m)
{
	return m->thread && m->has_res && m->res >= 0;
}

/* id: NULL for the host. */
static const struct container_cache *cached_container(struct state *s, struct istr *cgroups)
{
	size_t at = hash_u64((uintptr_t)cgroups) % N_CONTAINER_CACHE;
	struct container_cache *c = &s->container_cache[at];
	struct str id = STR_EMPTY;

	if (c->cgroups == cgroups)
		return c;
	container_id_from_cgroups(istr_str(cgroups), &id, &c->type);
	set_istr(s, &c->cgroups, cgroups);
	set_text(s, &c->id, id);
	return c;
}

/* Of these no runtime is ever asked: id and type are all there is. */
static bool needs_no_runtime(uint32_t type)
{
	return type == CONTAINER_LXC || type == CONTAINER_LIBVIRT_LXC || type == CONTAINER_BPM;
}

static void meet_container(struct state *s, const struct container_cache *c)
{
	struct str id = istr_str(c->id);
	const struct container *known = container_table_find(s->containers, id);

	if (!s->as_live || (known && !known->is_early))
		return;
	if (needs_no_runtime(c->type)) {
		container_table_add(s->containers, container_new(id, c->type));
		return;
	}
	if (s->cfg.awaits)
		awaited_meet(s, c->id);
	if (!known && s->cfg.unknown_container)
		s->cfg.unknown_container(s->cfg.unknown_container_arg, id);
}

static void meet_pod(struct state *s, const struct thread *t)
{
	char uid[POD_UID_BYTES];
	struct str pod = kube_pod_of(istr_str(t->cgroups), uid);

	if (pod.n && !kube_find_pod(s, pod))
		awaited_meet_pod(s, pod);
}

/* Nothing waits for what a runtime may say of such a name, but it may know it after all. */
static void meet_poser(struct state *s, struct thread *t, const struct container_cache *c)
{
	struct str id = istr_str(c->id);

	if (t->is_posing)
		return;
	t->is_posing = true;
	s->stats.threads_posing++;
	if (thread_in_pidns(t))
		belief_doubt(s, c->id);
	if (!needs_no_runtime(c->type) && !container_table_find(s->containers, id) &&
	    s->cfg.unknown_container)
		s->cfg.unknown_container(s->cfg.unknown_container_arg, id);
}

void thread_set_container(struct state *s, struct thread *t)
{
	const struct container_cache *c = t->cgroups ? cached_container(s, t->cgroups) : NULL;
	struct istr *id = c ? c->id : NULL;

	if (t->container_id == id)
		return;
	if (id && !thread_is_in(s, t, id)) {
		meet_poser(s, t, c);
		id = NULL;
		if (!t->container_id)
			return;
	}
	set_istr(s, &t->container_id, id);
	lineage_changed(s, t);
	if (!id)
		return;
	meet_container(s, c);
	if (s->awaited.has_cluster)
		meet_pod(s, t);
}

/* Subsystems are called as in /proc today, whatever the kernel or an old capture says. */
static struct str subsystem_name(struct str name)
{
	static const struct {
		const char *old, *now;
	} names[] = {{"perf", "perf_event"}, {"mem", "memory"}, {"io", "blkio"}};
	struct str suffix = STR("_cgroup");
	ptrdiff_t at = str_find(name, suffix);

	if (at >= 0)
		name.n = (size_t)at;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_is(name, names[i].old))
			return str_of(names[i].now);
	return name;
}

void thread_set_cgroups(struct state *s, struct thread *t, struct str list)
{
	struct str item, name;
	unsigned i = 0;

	if (!s->raw_cgroups || !str_eq(istr_str(s->raw_cgroups), list)) {
		set_text(s, &s->raw_cgroups, list);
		buf_reset(&s->text);
		while (list_item(list, i++, &item)) {
			ptrdiff_t eq = str_chr(item, '=');

			if (eq < 0)
				continue;
			name = subsystem_name(str_head(item, (size_t)eq));
			buf_adds(&s->text, name);
			buf_adds(&s->text, str_from(item, (size_t)eq));
			buf_addc(&s->text, '\0');
		}
		set_text(s, &s->cgroups, buf_str(&s->text));
	}
	t->is_posing &= t->cgroups == s->cgroups;
	set_istr(s, &t->cgroups, s->cgroups);
}

/*
 * The process' directory.  A secondary thread's relative path is, in a replay, joined to
 * nothing, as it is where such captures come from; live, to the directory of its process.
 */
static void change_dir(struct state *s, struct thread *t, struct str path)
{
	struct thread *main = thread_main(s, t);
	bool own = t == main || s->as_live;
	struct str full;

	if (!main)
		return;
	full = path_join(s->path, own ? istr_str(main->cwd) : STR_EMPTY, path);
	if (full.p == s->path && (!full.n || full.p[full.n - 1] != '/') &&
	    full.n + 1 < sizeof(s->path))
		s->path[full.n++] = '/';
	if (set_text(s, &main->cwd, full.n ? full : STR("/")))
		thread_changed(s, main);
}

void apply_chdir(struct state *s, struct moment *m)
{
	struct str path;

	if (!succeeded(m))
		return;
	event_text(&m->ev, 1, &path);
	change_dir(s, m->thread, path);
}

void apply_fchdir(struct state *s, struct moment *m)
{
	if (succeeded(m) && m->fd)
		change_dir(s, m->thread, istr_str(m->fd->name));
}

void apply_chroot(struct state *s, struct moment *m)
{
	struct thread *t = m->thread;
	struct str path;

	if (!succeeded(m))
		return;
	event_text(&m->ev, 1, &path);
	if (set_text(s, &t->root, path_join(s->path, thread_cwd(s, t), path)))
		thread_changed(s, t);
	thread_set_container(s, t);
}

/* The effective one: the last but for the saved id.  All ones: not changed. */
static uint32_t new_id(const struct moment *m, uint32_t old)
{
	bool is_set = m->ev.type == EV_SYSCALL_SETUID_X || m->ev.type == EV_SYSCALL_SETGID_X;
	uint32_t v = (uint32_t)event_u64(&m->ev, is_set ? 1 : 2);

	return v == UINT32_MAX ? old : v;
}

void thread_set_ids(struct state *s, struct thread *t, uint32_t uid, uint32_t gid)
{
	t->uid = uid;
	t->gid = gid;
	thread_changed(s, t);
	if (!t->container_id) {
		user_table_adopt(s->users, uid);
		user_table_adopt_group(s->users, gid);
	}
}

void apply_setuid(struct state *s, struct moment *m)
{
	struct thread *t = m->thread;

	if (succeeded(m))
		thread_set_ids(s, t, new_id(m, t->uid), t->gid);
}

void apply_setgid(struct state *s, struct moment *m)
{
	struct thread *t = m->thread;

	if (succeeded(m))
		thread_set_ids(s, t, t->uid, new_id(m, t->gid));
}

void apply_setsid(struct state *s, struct moment *m)
{
	if (!succeeded(m))
		return;
	m->thread->sid = m->res;
	lineage_changed(s, m->thread);
}

void apply_capset(struct state *s, struct moment *m)
{
	struct thread *t = m->thread;

	if (!succeeded(m))
		return;
	t->cap_inheritable = event_u64(&m->ev, 1);
	t->cap_permitted = event_u64(&m->ev, 2);
	t->cap_effective = event_u64(&m->ev, 3);
	thread_changed(s, t);
}

/* In a user namespace of its own a thread may do everything. */
void apply_new_namespace(struct state *s, struct moment *m)
{
	unsigned flags = m->ev.type == EV_SYSCALL_SETNS_X ? 2 : 1;
	struct thread *t = m->thread;

	if (!succeeded(m))
		return;
	if (s->as_live && flags == 1 && event_u64(&m->ev, 1) & PPM_CL_CLONE_FILES)
		files_unshare(s, t);
	if (!(event_u64(&m->ev, flags) & PPM_CL_CLONE_NEWUSER))
		return;
	t->cap_inheritable = t->cap_permitted = t->cap_effective = ALL_CAPABILITIES;
	thread_changed(s, t);
}

void apply_prctl(struct state *s, struct moment *m)
{
	uint64_t option = event_u64(&m->ev, 1);

	if (!succeeded(m) || !m->thread->process)
		return;
	if (option == PRCTL_SET_CHILD_SUBREAPER || option == PRCTL_GET_CHILD_SUBREAPER)
		m->thread->process->is_reaper = event_u64(&m->ev, 3) != 0;
}

static void set_fdlimit(struct state *s, struct thread *t, int64_t limit)
{
	struct thread *main = thread_main(s, t);

	if (main)
		main->fdlimit = limit;
}

/* getrlimit and setrlimit */
void apply_rlimit(struct state *s, struct moment *m)
{
	if (succeeded(m) && event_u64(&m->ev, 3) == RLIMIT_NOFILE_PORTABLE)
		set_fdlimit(s, m->thread, event_i64(&m->ev, 1));
}

void apply_prlimit(struct state *s, struct moment *m)
{
	int64_t pid = event_i64(&m->ev, 5), limit = event_i64(&m->ev, 1);
	struct thread *t = m->thread;

	if (!succeeded(m) || event_u64(&m->ev, 6) != RLIMIT_NOFILE_PORTABLE)
		return;
	if (limit == -1)
		limit = event_i64(&m->ev, 3);
	if (pid)
		t = thread_find(s, pid);
	if (t)
		set_fdlimit(s, t, limit);
}

static void set_memory(struct thread *t, const struct event *ev, unsigned first)
{
	t->vmsize_kb = (uint32_t)event_u64(ev, first);
	t->vmrss_kb = (uint32_t)event_u64(ev, first + 1);
	t->vmswap_kb = (uint32_t)event_u64(ev, first + 2);
}

/* brk, mmap, munmap */
void apply_memory(struct state *s, struct moment *m)
{
	if (m->thread)
		set_memory(m->thread, &m->ev, 1);
}

/* Faults are the thread's, memory is the process'. */
void apply_switch(struct state *s, struct moment *m)
{
	struct thread *main = m->thread ? thread_main(s, m->thread) : NULL;

	if (!m->thread)
		return;
	m->thread->pfmajor = event_u64(&m->ev, 1);
	m->thread->pfminor = event_u64(&m->ev, 2);
	if (main)
		set_memory(main, &m->ev, 3);
}
