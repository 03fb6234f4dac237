/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes: clone and its family, calls of exec that fail, and what is done to other processes. */
#pragma once

/*
 * Parameters 1 to 14 of clone and exec events: exe ... cgroups.  exe and args are there already.
 * is_new: its memory is so small yet that what CPUs hold back of its size is most of it.
 */
ALWAYS void add_who(struct event *e, struct task_struct *t, bool is_new)
{
	add64(e, READ(t, pid));
	add64(e, READ(t, tgid));
	add64(e, READ(t, real_parent, pid));
	add_empty(e); /* cwd */
	add64(e, READ(t, signal, rlim[K_RLIMIT_NOFILE].rlim_cur));
	add64(e, READ(t, maj_flt));
	add64(e, READ(t, min_flt));
	if (is_new)
		add_whole_memory(e, READ(t, mm));
	else
		add_memory(e, t);
	add_kernel_str(e, &t->comm);
	add_cgroups(e, t);
}

/*
 * In which pid namespace the caller's children live; 0 is the machine's own.  A caller in a
 * namespace, too, has children that it does not know by their real number.
 */
ALWAYS u32 child_namespace_flag(struct task_struct *t)
{
	u32 level = READ(t, nsproxy, pid_ns_for_children, level);

	return level || pid_level(t) ? CLONE_CHILD_IN_PIDNS : 0;
}

/* Told of children that have pids of their own: whether those are a container, or a user's game. */
ALWAYS u32 user_namespace_flag(struct task_struct *t)
{
	return pid_level(t) && is_in_namespace_of_user(t) ? CLONE_IN_NAMESPACE_OF_USER : 0;
}

/* A call of the clone family has returned, in the parent (ret > 0) or in the child. */
ALWAYS int clone_event(const struct call *c, u16 type, u32 flags)
{
	struct task_struct *t = current_task();
	struct mm_struct *mm = READ(t, mm);
	const struct cred *cred = READ(t, cred);
	/* A fork bomb at its limit fails as fast as it can: that is not to push out others. */
	u32 lane = c->ret < 0 ? LANE_REST : LANE_LIFE;
	struct event e;

	if (!event_begin(&e, lane, type, EVENT_PARAMS_SYSCALL_CLONE_20_X))
		return 0;
	add64(&e, c->ret);
	add_args(&e, mm);
	add_who(&e, t, false);
	add32(&e, flags | child_namespace_flag(t) | (c->ret ? 0 : user_namespace_flag(t)));
	add32(&e, READ(cred, euid.val));
	add32(&e, READ(cred, egid.val));
	add64(&e, virtual_id(t, PIDTYPE_PID));
	add64(&e, virtual_id(t, PIDTYPE_TGID));
	/* Only the child's namespace is news. */
	add64(&e, c->ret ? 0 : READ(namespace_init(t), start_boottime));
	event_end(&e);
	return 0;
}

enum {
	K_CLONE_VFORK_VM = 0x4000 | 0x100,
	K_CLONE_THREAD = 0x10000,
	/* What threads share: all of this, as good as always. */
	K_CLONE_OF_THREADS = K_CLONE_THREAD | 0x800 | 0x100 | 0x200 | 0x400 | 0x40000,
};

/*
 * They are in the caller's memory, who may have used it for something else by the time the child
 * returns: then of a child nothing is taken from there that the kernel contradicts.
 */
ALWAYS u64 clone3_flags(const struct call *c, u64 given)
{
	struct task_struct *t = current_task();
	bool is_thread = READ(t, pid) != READ(t, tgid);

	if (c->ret || is_thread == !!(given & K_CLONE_THREAD))
		return given;
	return is_thread ? K_CLONE_OF_THREADS : 0;
}

ON_CALL(clone)
{
	struct call c;

	call_read(&c, ctx);
	return clone_event(&c, EV_SYSCALL_CLONE_20_X, clone_flags(A(0)));
}

ON_CALL(clone3)
{
	struct call c;

	call_read(&c, ctx);
	return clone_event(&c, EV_SYSCALL_CLONE3_X, clone_flags(clone3_flags(&c, user64(A(0)))));
}

ON_CALL(fork)
{
	struct call c;

	call_read(&c, ctx);
	return clone_event(&c, EV_SYSCALL_FORK_20_X, 0);
}

ON_CALL(vfork)
{
	struct call c;

	call_read(&c, ctx);
	return clone_event(&c, EV_SYSCALL_VFORK_20_X, clone_flags(K_CLONE_VFORK_VM));
}

/* Parameters 16 to 29 of exec events: tty ... gid. */
ALWAYS void add_executable(struct event *e, struct task_struct *t)
{
	const struct cred *cred = READ(t, cred);
	struct file *f = READ(t, mm, exe_file);
	struct inode *i = READ(f, f_inode);

	add32(e, terminal(t));
	add64(e, virtual_id(t, PIDTYPE_PGID));
	add32(e, login_uid(t));
	add32(e, exe_flags(event_walk(e), f, i, cred));
	add64(e, CAPABILITIES(cred, cap_inheritable));
	add64(e, CAPABILITIES(cred, cap_permitted));
	add64(e, CAPABILITIES(cred, cap_effective));
	add64(e, READ(i, i_ino));
	add64(e, inode_ctime(i));
	add64(e, inode_mtime(i));
	add32(e, READ(cred, euid.val));
	add_path(e, f);
	add64(e, group_id(t));
	add32(e, READ(cred, egid.val));
}

enum { ARGS_MAX = 32 }; /* of a call that failed */

/* Strings of a vector from its `from`-th on, one behind the other; their bytes to walk.at. */
__noinline int put_strings(u32 key, u32 pos, u64 vector, u32 from)
{
	volatile struct walk *w;
	struct event e;
	struct call c;

	if (!event_again(&e, key, pos))
		return 0;
	call_width(&c, is_compat());
	w = event_walk(&e);
	w->at = 0;
	for (u32 i = 0; i < ARGS_MAX; i++) {
		u64 p = user_long(&c, vector, from + i);
		long n;

		if (!p || w->at >= PROBE_TEXT_MAX)
			break;
		n = bpf_probe_read_user_str(part_place(&e, w->at), PROBE_TEXT_MAX, (void *)p);
		if (n <= 0)
			break;
		w->at += n;
	}
	return 0;
}

ALWAYS void add_strings(struct event *e, u64 vector, u32 from)
{
	volatile struct walk *w = event_walk(e);
	u32 bytes;

	put_strings(e->key, e->pos, vector, from);
	bytes = at_most(w->at, PROBE_TEXT_MAX);
	add_written(e, bytes);
	if (bytes)
		e->p[(e->pos - 1) & RECORD_MASK] = 0;
}

/* Those that succeed are seen by sched_process_exec, whatever their call was. */
ALWAYS void exec_failed(const struct call *c, u16 type, u32 n_params, u32 first)
{
	struct task_struct *t = current_task();
	struct event e;

	if (c->ret >= 0 || !event_begin(&e, LANE_REST, type, n_params))
		return;
	add64(&e, c->ret);
	add_str(&e, user_long(c, c->args[first + 1], 0));
	add_strings(&e, c->args[first + 1], 1);
	add_who(&e, t, false);
	add_strings(&e, c->args[first + 2], 0);
	add_executable(&e, t);
	if (type == EV_SYSCALL_EXECVE_19_X)
		add_str(&e, c->args[first]);
	event_end(&e);
}

ON_CALL(execve)
{
	struct call c;

	call_read(&c, ctx);
	exec_failed(&c, EV_SYSCALL_EXECVE_19_X, EVENT_PARAMS_SYSCALL_EXECVE_19_X, 0);
	return 0;
}

ON_CALL(execveat)
{
	struct call c;

	call_read(&c, ctx);
	exec_failed(&c, EV_SYSCALL_EXECVEAT_X, EVENT_PARAMS_SYSCALL_EXECVEAT_X, 1);
	return 0;
}

enum { K_PR_SET_NAME = 15, K_PR_GET_CHILD_SUBREAPER = 37, K_PR_GET_PDEATHSIG = 2 };

ON_CALL(prctl)
{
	struct event e;
	struct call c;
	u32 option;

	call_read(&c, ctx);
	option = A(0);
	if (!event_begin(&e, LANE_LIFE, EV_SYSCALL_PRCTL_X, EVENT_PARAMS_SYSCALL_PRCTL_X))
		return 0;
	add64(&e, c.ret);
	add32(&e, option);
	if (option == K_PR_SET_NAME)
		add_str(&e, A(1));
	else
		add_empty(&e);
	if (option == K_PR_SET_NAME)
		add64(&e, 0);
	else if (option == K_PR_GET_CHILD_SUBREAPER)
		add64(&e, (s64)(s32)user32(A(1)));
	else
		add64(&e, A(1));
	event_end(&e);
	return 0;
}

ON_CALL(capset)
{
	const struct cred *cred = READ(current_task(), cred);
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_reserve(&e, LANE_LIFE, EV_SYSCALL_CAPSET_X, EVENT_PARAMS_SYSCALL_CAPSET_X, 32))
		return 0;
	add64(&e, c.ret);
	add64(&e, CAPABILITIES(cred, cap_inheritable));
	add64(&e, CAPABILITIES(cred, cap_permitted));
	add64(&e, CAPABILITIES(cred, cap_effective));
	event_submit(&e);
	return 0;
}

enum { K_PTRACE_PEEKTEXT = 1, K_PTRACE_PEEKUSR = 3, K_PTRACE_CONT = 7, PTRACE_TAG_SIGNAL = 1 };

ON_CALL(ptrace)
{
	struct event e;
	struct call c;
	u32 request;

	call_read(&c, ctx);
	request = A(0);
	if (!event_begin(&e, LANE_LIFE, EV_SYSCALL_PTRACE_X, EVENT_PARAMS_SYSCALL_PTRACE_X))
		return 0;
	add64(&e, c.ret);
	*event_place(&e) = 0;
	*(u64 *)part_place(&e, 1) = c.ret < 0 ? 0 : A(2);
	add_written(&e, 9);
	if (request == K_PTRACE_CONT || request == 8 || request == 9 || request == 17 ||
	    request == 24) {
		*event_place(&e) = PTRACE_TAG_SIGNAL;
		*part_place(&e, 1) = c.ret < 0 ? 0 : A(3);
		add_written(&e, 2);
	} else {
		u64 data = A(3);

		/* What was read is where the fourth argument points. */
		if (request >= K_PTRACE_PEEKTEXT && request <= K_PTRACE_PEEKUSR)
			data = user_long(&c, data, 0);
		*event_place(&e) = 0;
		*(u64 *)part_place(&e, 1) = c.ret < 0 ? 0 : data;
		add_written(&e, 9);
	}
	add16(&e, ptrace_request(request));
	add64(&e, (s64)(s32)A(1));
	event_end(&e);
	return 0;
}

/* Arguments that are numbers or strings, depending on the operation. */
ALWAYS void add_key_argument(struct event *e, u64 value, bool is_text)
{
	long n;

	*event_place(e) = is_text;
	if (is_text) {
		n = bpf_probe_read_user_str(part_place(e, 1), PROBE_TEXT_MAX, (void *)value);
		if (n <= 0)
			n = put_nothing(e, 1) - 1;
		add_written(e, 1 + n);
		return;
	}
	*(u64 *)part_place(e, 1) = value;
	add_written(e, 9);
}

ON_CALL(keyctl)
{
	struct event e;
	struct call c;
	u32 op;

	call_read(&c, ctx);
	op = A(0);
	if (!event_begin(&e, LANE_LIFE, EV_SYSCALL_KEYCTL_X, EVENT_PARAMS_SYSCALL_KEYCTL_X))
		return 0;
	add64(&e, c.ret);
	add32(&e, op);
	add_key_argument(&e, A(1), op == 1 /* JOIN_SESSION_KEYRING */ && A(1));
	add_key_argument(&e, A(2), op == 10 || op == 29 /* SEARCH, RESTRICT_KEYRING */);
	add_key_argument(&e, A(3), op == 10 || op == 29);
	add_key_argument(&e, A(4), false);
	event_end(&e);
	return 0;
}

enum {
	K_Q_GETFMT = 0x800004,
	K_Q_GETINFO = 0x800005,
	K_Q_GETQUOTA = 0x800007,
	K_Q_SETINFO = 0x800006,
	K_Q_SETQUOTA = 0x800008,
	K_Q_QUOTAON = 0x800002
};

/* struct if_dqblk and struct if_dqinfo of the kernel's interface. */
struct quota_block {
	u64 bhardlimit, bsoftlimit, curspace, ihardlimit, isoftlimit, curinodes, btime, itime;
};

struct quota_info {
	u64 bgrace, igrace;
	u32 flags, valid;
};

ON_CALL(quotactl)
{
	struct quota_block b = {};
	struct quota_info info = {};
	u32 command, out_format = 0, is_on;
	struct event e;
	struct call c;

	call_read(&c, ctx);
	command = (u32)A(0) >> 8;
	is_on = command == K_Q_QUOTAON;
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_QUOTACTL_X, EVENT_PARAMS_SYSCALL_QUOTACTL_X))
		return 0;
	if (command == K_Q_GETQUOTA || command == K_Q_SETQUOTA)
		bpf_probe_read_user(&b, sizeof(b), (void *)A(3));
	if (command == K_Q_GETINFO || command == K_Q_SETINFO)
		bpf_probe_read_user(&info, sizeof(info), (void *)A(3));
	if (command == K_Q_GETFMT)
		out_format = user32(A(3));
	add64(&e, c.ret);
	add_str(&e, A(1));
	add_str(&e, is_on ? A(3) : 0);
	add64(&e, b.bhardlimit);
	add64(&e, b.bsoftlimit);
	add64(&e, b.curspace);
	add64(&e, b.ihardlimit);
	add64(&e, b.isoftlimit);
	add64(&e, b.btime);
	add64(&e, b.itime);
	add64(&e, info.bgrace);
	add64(&e, info.igrace);
	add8(&e, info.flags);
	add8(&e, quota_format(out_format));
	add16(&e, quotactl_command(A(0)));
	add8(&e, quotactl_type(A(0) & 0xff));
	add32(&e, is_on ? 0 : A(2));
	add8(&e, quota_format(is_on ? A(2) : 0));
	event_end(&e);
	return 0;
}
