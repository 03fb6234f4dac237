/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/snapshot.h"

#include "capture/bytes.h"

#include <errno.h>
#include <stdio.h>

#define FIELD(member, type, since)                                                                 \
	{                                                                                          \
#member, offsetof(struct snap_proc, member), PROC_##type, since                    \
	}
#define TAIL(member, type) FIELD(member, type, PROC_SINCE_TAIL)

/* In the order of the file. */
const struct proc_field proc_fields[] = {
	FIELD(tid, 64, 1),
	FIELD(pid, 64, 1),
	FIELD(ptid, 64, 1),
	FIELD(sid, 64, 6),
	FIELD(vpgid, 64, 8),
	FIELD(comm, TEXT, 1),
	FIELD(exe, TEXT, 1),
	FIELD(exepath, TEXT, 7),
	FIELD(args, LIST, 1),
	FIELD(cwd, TEXT, 1),
	FIELD(fdlimit, 64, 1),
	FIELD(flags, 32, 1),
	FIELD(uid, 32, 1),
	FIELD(gid, 32, 1),
	FIELD(vmsize_kb, 32, 2),
	FIELD(vmrss_kb, 32, 2),
	FIELD(vmswap_kb, 32, 2),
	FIELD(pfmajor, 64, 2),
	FIELD(pfminor, 64, 2),
	FIELD(env, LIST, 3),
	FIELD(vtid, 64, 4),
	FIELD(vpid, 64, 4),
	FIELD(cgroups, LIST, 4),
	FIELD(root, TEXT, 5),
	TAIL(pidns_init_start_ns, 64),
	TAIL(tty, 32),
	TAIL(loginuid, 32),
	TAIL(exe_writable, BOOL),
	TAIL(cap_inheritable, 64),
	TAIL(cap_permitted, 64),
	TAIL(cap_effective, 64),
	TAIL(exe_upper_layer, BOOL),
	TAIL(exe_ino, 64),
	TAIL(exe_ino_ctime_ns, 64),
	TAIL(exe_ino_mtime_ns, 64),
	TAIL(exe_from_memfd, BOOL),
	TAIL(exe_lower_layer, BOOL),
	TAIL(pgid, 64),
};

const unsigned n_proc_fields = sizeof(proc_fields) / sizeof(proc_fields[0]);

static bool take(struct cursor *c, void *to, size_t n)
{
	if (c->n < n)
		return false;
	memcpy(to, c->p, n);
	c->p += n;
	c->n -= n;
	return true;
}

static bool skip(struct cursor *c, size_t n)
{
	if (c->n < n)
		return false;
	c->p += n;
	c->n -= n;
	return true;
}

static bool take_bytes(struct cursor *c, size_t n, struct str *ret)
{
	*ret = (struct str){(const char *)c->p, n};
	return skip(c, n);
}

static bool take_text(struct cursor *c, struct str *ret)
{
	uint16_t n;

	return take(c, &n, 2) && take_bytes(c, n, ret);
}

static int cut_short(struct err *e, const char *what)
{
	return err_set(e, -EINVAL, "%s ends behind the entry", what);
}

/* ---- machine ---- */

static int read_machine(struct snapshot *s, struct cursor *c, struct record *ret, struct err *e)
{
	struct snap_machine *m = &s->item.machine;

	*m = (struct snap_machine){0};
	take(c, &m->n_cpus, 4);
	take(c, &m->memory_bytes, 8);
	skip(c, 8); /* max_pid, never filled in */
	take_bytes(c, 128, &m->hostname);
	take(c, &m->boot_ns, 8);
	m->hostname = str_until_nul(m->hostname);
	s->rest.n = 0; /* what a newer writer may have appended */
	ret->kind = RECORD_MACHINE;
	ret->machine = m;
	return 1;
}

/* ---- interfaces ---- */

enum interface_type { IPV4 = 1, IPV6 = 2, IPV4_NO_SPEED = 3, IPV6_NO_SPEED = 4 };

static int read_interface(struct snapshot *s, struct cursor *c, struct record *ret, struct err *e)
{
	struct snap_interface *i = &s->item.interface;
	uint16_t type, name_bytes;
	size_t n;

	*i = (struct snap_interface){0};
	if (!take(c, &type, 2) || !take(c, &name_bytes, 2))
		return cut_short(e, "type");
	if (type < IPV4 || type > IPV6_NO_SPEED) {
		if (s->info->version > 1)
			return 0;
		return err_set(e, -EINVAL, "unknown type of interface (%u)", type);
	}
	i->is_v6 = type == IPV6 || type == IPV6_NO_SPEED;
	n = i->is_v6 ? 16 : 4;
	if (!take(c, i->addr, n) || !take(c, i->netmask, n) || !take(c, i->broadcast, n) ||
	    !skip(c, type <= IPV6 ? 8 : 0))
		return cut_short(e, "address");
	if (!take_bytes(c, name_bytes, &i->name))
		return cut_short(e, "name");
	ret->kind = RECORD_INTERFACE;
	ret->interface = i;
	return 1;
}

/* ---- users and groups ---- */

static int read_user(struct snapshot *s, struct cursor *c, struct record *ret, struct err *e)
{
	struct snap_user *u = &s->item.user;

	*u = (struct snap_user){.is_local = false};
	if (!take(c, &u->uid, 4) || !take(c, &u->gid, 4) || !take_text(c, &u->name) ||
	    !take_text(c, &u->home) || !take_text(c, &u->shell))
		return cut_short(e, "user");
	ret->kind = RECORD_USER;
	ret->user = u;
	return 1;
}

static int read_group(struct snapshot *s, struct cursor *c, struct record *ret, struct err *e)
{
	struct snap_group *g = &s->item.group;

	*g = (struct snap_group){.is_local = false};
	if (!take(c, &g->gid, 4) || !take_text(c, &g->name))
		return cut_short(e, "group");
	ret->kind = RECORD_GROUP;
	ret->group = g;
	return 1;
}

static int read_user_or_group(struct snapshot *s, struct cursor *c, struct record *ret,
			      struct err *e)
{
	uint8_t type;

	if (!take(c, &type, 1))
		return cut_short(e, "type");
	if (type > 1) {
		if (s->info->version > 1)
			return 0;
		return err_set(e, -EINVAL, "neither a user nor a group (type %u)", type);
	}
	return type == 0 ? read_user(s, c, ret, e) : read_group(s, c, ret, e);
}

/* ---- processes ---- */

static const struct snap_proc empty_proc = {
	.tid = -1,
	.pid = -1,
	.ptid = -1,
	.sid = -1,
	.vpgid = -1,
	.pgid = -1,
	.vtid = -1,
	.vpid = -1,
	.loginuid = UINT32_MAX,
	.comm = STR_EMPTY,
	.exe = STR_EMPTY,
	.exepath = STR_EMPTY,
	.cwd = STR_EMPTY,
	.root = STR_EMPTY,
	.args = STR_EMPTY,
	.env = STR_EMPTY,
	.cgroups = STR_EMPTY,
};

static bool take_field(struct cursor *c, const struct proc_field *f, struct snap_proc *p)
{
	void *to = (char *)p + f->offset;
	uint8_t byte;

	switch ((enum proc_field_type)f->type) {
	case PROC_BOOL:
		if (!take(c, &byte, 1))
			return false;
		*(bool *)to = byte;
		return true;
	case PROC_32:
		return take(c, to, 4);
	case PROC_64:
		return take(c, to, 8);
	case PROC_TEXT:
	case PROC_LIST:
		return take_text(c, to);
	}
	return false;
}

enum {
	/*
	 * Writers before 0.10.0 knew of the tail only loginuid, exe_writable and the
	 * capabilities: so many bytes, without the two fields that stand before them now.
	 */
	OLD_TAIL_BYTES = 29,
	OLD_TAIL_MISSING = 2,
};

/* As far as it goes. */
static void take_tail(struct cursor *c, const struct proc_field *f, struct snap_proc *p)
{
	if (c->n <= OLD_TAIL_BYTES)
		f += OLD_TAIL_MISSING;
	while (f < proc_fields + n_proc_fields && take_field(c, f, p))
		f++;
}

static int read_proc(struct snapshot *s, struct cursor *c, struct record *ret, struct err *e)
{
	struct snap_proc *p = &s->item.proc;
	const struct proc_field *f;

	*p = empty_proc;
	for (f = proc_fields; f->since < PROC_SINCE_TAIL; f++)
		if (f->since <= s->info->version && !take_field(c, f, p))
			return cut_short(e, f->name);
	if (s->info->version >= 9)
		take_tail(c, f, p);
	ret->kind = RECORD_PROC;
	ret->proc = p;
	return 1;
}

/* ---- file descriptors ---- */

/* A server socket has one end, its own. */
static bool take_tuple(struct cursor *c, struct snap_fd *fd, size_t addr_bytes, bool has_peer)
{
	struct sock_tuple *t = &fd->tuple;

	return (!has_peer || take(c, t->src, addr_bytes)) && take(c, t->dst, addr_bytes) &&
	       (!has_peer || take(c, &t->sport, 2)) && take(c, &t->dport, 2) && take(c, &t->l4, 1);
}

static bool take_file(struct cursor *c, struct snap_fd *fd, bool is_sized)
{
	if (!take(c, &fd->open_flags, 4) || !take_text(c, &fd->name))
		return false;
	if (is_sized)
		take(c, &fd->dev, 4);
	return true;
}

static bool take_unix(struct cursor *c, struct snap_fd *fd)
{
	return take(c, &fd->unix_src, 8) && take(c, &fd->unix_dst, 8) && take_text(c, &fd->name);
}

static bool take_fd(struct cursor *c, struct snap_fd *fd, bool is_sized)
{
	switch (fd->type) {
	case FD_UNKNOWN:
		return true;
	case FD_FILE_V2:
		return take_file(c, fd, is_sized);
	case FD_IPV4_SOCK:
		return take_tuple(c, fd, 4, true);
	case FD_IPV6_SOCK:
		return take_tuple(c, fd, 16, true);
	case FD_IPV4_SERVSOCK:
		return take_tuple(c, fd, 4, false);
	case FD_IPV6_SERVSOCK:
		return take_tuple(c, fd, 16, false);
	case FD_UNIX_SOCK:
		return take_unix(c, fd);
	default:
		return take_text(c, &fd->name);
	}
}

static int read_fd(struct snapshot *s, struct cursor *c, struct record *ret, struct err *e)
{
	struct snap_fd *fd = &s->item.fd;
	bool is_sized = s->info->version > 1;

	*fd = (struct snap_fd){.tid = s->tid, .name = STR_EMPTY};
	if (!take(c, &fd->fd, 8) || !take(c, &fd->ino, 8) || !take(c, &fd->type, 1))
		return cut_short(e, "number");
	if (fd->type < FD_TYPE_COUNT) {
		if (!take_fd(c, fd, is_sized))
			return cut_short(e, "description");
	} else if (is_sized) {
		snprintf(s->text, sizeof(s->text), "unknown-type:[%u]", fd->type);
		fd->name = str_of(s->text);
		fd->type = FD_UNSUPPORTED;
	} else {
		return err_set(e, -EINVAL, "unknown type of descriptor (%u)", fd->type);
	}
	ret->kind = RECORD_FD;
	ret->fd = fd;
	return 1;
}

/* ---- lists ---- */

enum { NEVER = UINT8_MAX };

static const struct list {
	/* 1: a record, 0: an entry to be skipped, negative: an error. */
	int (*read)(struct snapshot *s, struct cursor *c, struct record *ret, struct err *e);
	uint8_t sized_since; /* version from which entries begin with their length */
	uint8_t self_bytes;  /* of the length that it counts itself */
} lists[BLOCK_KIND_COUNT] = {
	[BLOCK_KIND_MACHINE] = {read_machine, NEVER, 0},
	[BLOCK_KIND_INTERFACES] = {read_interface, 2, 0},
	[BLOCK_KIND_USERS] = {read_user_or_group, 2, 4},
	[BLOCK_KIND_PROCS] = {read_proc, 9, 4},
	[BLOCK_KIND_FDS] = {read_fd, 2, 4},
};

void snapshot_start(struct snapshot *s, const struct block *b)
{
	s->info = b->info;
	s->rest = (struct cursor){b->body, b->body_bytes};
	s->n_entries = 0;
	if (b->info->kind == BLOCK_KIND_FDS)
		take(&s->rest, &s->tid, 8);
}

static int read_sized(struct snapshot *s, const struct list *l, struct record *ret, struct err *e)
{
	struct cursor entry;
	uint32_t n;

	if (!take(&s->rest, &n, 4) || n < l->self_bytes)
		return err_set(e, -EINVAL, "has no length");
	n -= l->self_bytes;
	entry = (struct cursor){s->rest.p, n};
	if (!skip(&s->rest, n))
		return err_set(e, -EINVAL, "ends behind the block");
	return l->read(s, &entry, ret, e);
}

int snapshot_next(struct snapshot *s, struct record *ret, struct err *e)
{
	const struct list *l = &lists[s->info->kind];

	while (s->rest.n >= 4) {
		int r;

		s->n_entries++;
		r = s->info->version >= l->sized_since ? read_sized(s, l, ret, e)
						       : l->read(s, &s->rest, ret, e);
		if (r < 0)
			err_prepend(e, "entry %u: ", s->n_entries);
		if (r)
			return r;
	}
	return 0;
}
