/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the thread and its process: ids, times, memory, capabilities. */
#include "field/get.h"
#include "field/text.h"

static enum field_result give_id(struct value *ret, int64_t id)
{
	return id >= -1 && id <= UINT32_MAX ? give_i64(ret, id) : FIELD_NULL;
}

static enum field_result give_unless_zero(struct value *ret, uint64_t u)
{
	return u ? give_u64(ret, u) : FIELD_NULL;
}

enum field_result get_tid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_id(ret, c->m->ev.tid);
}

enum field_result get_pid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_id(ret, c->m->thread->pid) : FIELD_NULL;
}

enum field_result get_ppid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread ? thread_ancestor(c->state, c->m->thread, 1) : NULL;

	return t ? give_id(ret, t->pid) : FIELD_NULL;
}

enum field_result get_traces_own_memory(const struct field_ctx *c, struct field *f,
					struct value *ret)
{
	enum { P_PID = 4 };
	const struct thread *t = c->m->thread;

	if (!t || c->m->ev.type != EV_SYSCALL_PTRACE_X)
		return FIELD_NULL;
	return give_u64(ret, thread_shares_memory(c->state, t, event_i64(&c->m->ev, P_PID)));
}

enum field_result get_vtid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t && t->vtid != -1 ? give_i64(ret, t->vtid) : FIELD_NULL;
}

enum field_result get_vpid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t && t->vpid != -1 ? give_i64(ret, t->vpid) : FIELD_NULL;
}

/* Whoever ptid names, be it a main thread or not. */
static const struct thread *direct_parent(const struct field_ctx *c)
{
	return c->m->thread ? thread_find(c->state, c->m->thread->ptid) : NULL;
}

enum field_result get_pvpid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *parent = direct_parent(c);

	return parent ? give_i64(ret, parent->vpid) : FIELD_NULL;
}

enum field_result get_sid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_i64(ret, c->m->thread->sid) : FIELD_NULL;
}

enum field_result get_vpgid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_i64(ret, c->m->thread->vpgid) : FIELD_NULL;
}

enum field_result get_pgid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_i64(ret, c->m->thread->pgid) : FIELD_NULL;
}

enum field_result get_tty(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_u64(ret, c->m->thread->tty) : FIELD_NULL;
}

enum field_result get_is_main(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_u64(ret, thread_is_main(c->m->thread)) : FIELD_NULL;
}

enum field_result get_duration(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t && t->clone_ns ? give_u64(ret, c->m->ev.ts - t->clone_ns) : FIELD_NULL;
}

/*
 * Of a parent whose start is not known the reference shows how many descriptors are open; so do
 * replays.
 */
enum field_result get_parent_duration(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *parent =
		c->m->thread ? thread_ancestor(c->state, c->m->thread, 1) : NULL;

	if (!parent)
		return FIELD_NULL;
	if (parent->clone_ns)
		return give_u64(ret, c->m->ev.ts - parent->clone_ns);
	return state_is_live(c->state) ? FIELD_NULL
				       : give_u64(ret, fd_count(c->state, c->m->thread));
}

/* As clocks show it now, which may have been set since then. */
static enum field_result give_wall(const struct field_ctx *c, uint64_t ns, struct value *ret)
{
	return give_unless_zero(ret, ns ? ns + (uint64_t)c->m->ev.wall_by_ns : 0);
}

enum field_result get_clone_ts(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_wall(c, c->m->thread->clone_ns, ret) : FIELD_NULL;
}

enum field_result get_parent_clone_ts(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *parent = direct_parent(c);

	if (!parent)
		return FIELD_NULL;
	return parent->clone_ns ? give_wall(c, parent->clone_ns, ret) : give_u64(ret, 0);
}

enum field_result get_exe_flag(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	if (!t)
		return FIELD_NULL;
	switch (f->info->up) {
	case EXE_WRITABLE:
		return give_u64(ret, t->exe_writable);
	case EXE_UPPER_LAYER:
		return give_u64(ret, t->exe_upper_layer);
	case EXE_LOWER_LAYER:
		return give_u64(ret, t->exe_lower_layer);
	}
	return give_u64(ret, t->exe_from_memfd);
}

enum field_result get_exe_number(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	if (!t)
		return FIELD_NULL;
	switch (f->info->up) {
	case EXE_INO:
		return give_unless_zero(ret, t->exe_ino);
	case EXE_CTIME:
		return give_unless_zero(ret, t->exe_ino_ctime_ns);
	case EXE_MTIME:
		return give_unless_zero(ret, t->exe_ino_mtime_ns);
	case EXE_CTIME_TO_CLONE:
		return give_unless_zero(ret, t->ctime_to_clone_ns);
	}
	return give_unless_zero(ret, t->ctime_to_pidns_ns);
}

enum field_result get_pidns_start(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t ? give_unless_zero(ret, t->pidns_init_start_ns) : FIELD_NULL;
}

enum field_result get_caps(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	struct text text = text_start(c->scratch);
	uint64_t caps;

	if (!t)
		return FIELD_NULL;
	caps = f->info->up == CAPS_PERMITTED	 ? t->cap_permitted
	       : f->info->up == CAPS_INHERITABLE ? t->cap_inheritable
						 : t->cap_effective;
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = caps >> bit & 1 ? capability_name(bit) : NULL;

		if (!name)
			continue;
		if (text.n)
			text_addc(&text, ' ');
		text_addz(&text, name);
	}
	return give_str(ret, text_str(&text));
}

enum field_result get_fd_count(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_u64(ret, fd_count(c->state, c->m->thread)) : FIELD_NULL;
}

enum field_result get_fd_limit(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *leader = c->m->thread ? thread_main(c->state, c->m->thread) : NULL;

	return leader ? give_i64(ret, leader->fdlimit) : FIELD_NULL;
}

enum field_result get_fd_usage(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread ? thread_main(c->state, c->m->thread) : NULL;

	if (!t)
		return FIELD_NULL;
	if (t->fdlimit <= 0)
		return give_double(ret, 0);
	return give_double(ret, 100.0 * (double)fd_count(c->state, t) / (double)t->fdlimit);
}

static uint64_t memory_kb(const struct thread *t, unsigned which)
{
	return which == VM_SIZE ? t->vmsize_kb : which == VM_RSS ? t->vmrss_kb : t->vmswap_kb;
}

enum field_result get_vm(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t ? give_u64(ret, memory_kb(t, f->info->up)) : FIELD_NULL;
}

enum field_result get_main_vm(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	uint64_t unit = f->info->up & VM_BYTES ? 1024 : 1;

	if (!t)
		return FIELD_NULL;
	return give_u64(ret, thread_is_main(t) ? memory_kb(t, f->info->up & ~VM_BYTES) * unit : 0);
}

enum field_result get_page_faults(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t ? give_u64(ret, f->info->up ? t->pfmajor : t->pfminor) : FIELD_NULL;
}

enum field_result get_exectime(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, 0);
}

enum field_result get_exectime_total(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_u64(ret, 0) : FIELD_NULL;
}

enum field_result get_n_threads(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t ? give_u64(ret, thread_group_size(c->state, t)) : FIELD_NULL;
}

enum field_result get_n_children(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread, *leader;
	unsigned n;

	if (!t)
		return FIELD_NULL;
	n = thread_group_size(c->state, t);
	leader = thread_main(c->state, t);
	return give_u64(ret, n && leader && !thread_is_dead(leader) ? n - 1 : n);
}

/*
 * CPU time is reported as a running total in hundredths of a second, so that the difference
 * to the last one seen, a second before, is per cent.  The reference keeps one last total for
 * all three fields, and so do we: what they say together depends on their order.
 */
enum field_result get_cpu_usage(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	struct thread *t = c->m->thread;
	uint64_t user = event_u64(ev, 0), system = event_u64(ev, 1), total, last, delta;

	if (ev->type != EV_PROCINFO_E || !t)
		return FIELD_NULL;
	total = (f->info->up == CPU_SYSTEM ? 0 : user) + (f->info->up == CPU_USER ? 0 : system);
	last = t->cpu_total;
	delta = last ? total - last : 0;
	t->cpu_total = total;
	return give_double(ret, delta > 100 ? 100 : (double)delta);
}
