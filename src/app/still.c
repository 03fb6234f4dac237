/* SPDX-License-Identifier: Apache-2.0 */
#include "app/still.h"

#include "app/picturenote.h"
#include "base/alloc.h"
#include "schema/place.h"
#include "state/edit.h"
#include "state/place.h"

#include <stdlib.h>

enum { PLACE_BYTES = 16 << 10 };

struct still {
	const struct state *state;
	still_take take;
	void *arg;
	struct err *e;
	int ret;
	int64_t tid;		  /* whose descriptors */
	uint64_t listening[1024]; /* bits of local ports */
	uint64_t ts;
	const struct thread *thread; /* of tid */
	struct picturenote note;
	uint8_t place[PLACE_BYTES];
};

static void give(struct still *s, const struct record *r)
{
	if (s->ret >= 0)
		s->ret = s->take(s->arg, r, s->e);
}

/* ---- threads ---- */

static void give_thread(struct still *s, const struct thread *t)
{
	bool is_main = thread_is_main(t);
	struct snap_proc p = {
		.tid = t->tid,
		.pid = t->pid,
		.ptid = t->ptid,
		.sid = t->sid,
		.vpgid = t->vpgid,
		.pgid = t->pgid,
		.vtid = t->vtid,
		.vpid = t->vpid,
		.comm = istr_str(t->comm),
		.exe = istr_str(t->exe),
		.exepath = istr_str(t->exepath),
		.cwd = is_main ? istr_str(t->cwd) : STR_EMPTY,
		.root = istr_str(t->root),
		.args = istr_str(t->args),
		.env = is_main ? istr_str(t->env) : STR_EMPTY,
		.cgroups = istr_str(t->cgroups),
		.fdlimit = (uint64_t)t->fdlimit,
		.flags = t->flags,
		.uid = t->uid,
		.gid = t->gid,
		.loginuid = t->loginuid,
		.tty = t->tty,
		.vmsize_kb = t->vmsize_kb,
		.vmrss_kb = t->vmrss_kb,
		.vmswap_kb = t->vmswap_kb,
		.pfmajor = t->pfmajor,
		.pfminor = t->pfminor,
		.pidns_init_start_ns = t->pidns_init_start_ns,
		.cap_inheritable = t->cap_inheritable,
		.cap_permitted = t->cap_permitted,
		.cap_effective = t->cap_effective,
		.exe_ino = t->exe_ino,
		.exe_ino_ctime_ns = t->exe_ino_ctime_ns,
		.exe_ino_mtime_ns = t->exe_ino_mtime_ns,
		.exe_writable = t->exe_writable,
		.exe_upper_layer = t->exe_upper_layer,
		.exe_lower_layer = t->exe_lower_layer,
		.exe_from_memfd = t->exe_from_memfd,
	};

	give(s, &(struct record){.kind = RECORD_PROC, .proc = &p});
}

/* Who has ended and whom nobody descends from is of no use to a reader. */
static bool is_wanted(const struct thread *t)
{
	return !thread_is_invalid(t) && (!thread_is_dead(t) || t->n_children);
}

/* ---- descriptors ---- */

static bool note_listener(int64_t num, struct fd *fd, void *arg)
{
	struct still *s = arg;

	if (fd_is_server_sock(fd))
		s->listening[fd->tuple.dport / 64] |= 1ULL << (fd->tuple.dport % 64);
	return true;
}

/*
 * State has the client's end first.  Readers find the server by who listens, and turn what they
 * find: where they will, it is given as the machine has it, the own end first.
 */
static struct sock_tuple own_end_first(const struct still *s, const struct fd *fd)
{
	struct sock_tuple t = fd->tuple;

	if (fd->type != FD_IPV4_SOCK || !(fd->flags & FDF_ROLE_SERVER) ||
	    !(s->listening[t.dport / 64] >> (t.dport % 64) & 1))
		return t;
	memcpy(t.src, fd->tuple.dst, sizeof(t.src));
	memcpy(t.dst, fd->tuple.src, sizeof(t.dst));
	t.sport = fd->tuple.dport;
	t.dport = fd->tuple.sport;
	return t;
}

/* With what has become of it since the file was opened. */
static uint32_t flags_of(const struct still *s, int64_t num, const struct fd *fd)
{
	return fd_closes_on_exec(s->thread, num) ? fd->open_flags | PPM_O_CLOEXEC
						 : fd->open_flags & ~(uint32_t)PPM_O_CLOEXEC;
}

static bool give_fd(int64_t num, struct fd *fd, void *arg)
{
	struct still *s = arg;
	struct snap_fd f = {
		.tid = s->tid,
		.fd = num,
		.ino = fd->ino,
		.type = fd->type,
		.open_flags = flags_of(s, num, fd),
		.dev = fd->dev,
		.name = istr_str(fd->name),
	};

	if (fd_is_ip(fd))
		f.tuple = own_end_first(s, fd);
	if (fd->type == FD_UNIX_SOCK) {
		f.unix_src = fd->unix_sock.src;
		f.unix_dst = fd->unix_sock.dst;
		f.name = istr_str(fd->unix_sock.path);
	}
	give(s, &(struct record){.kind = RECORD_FD, .fd = &f});
	return s->ret >= 0;
}

/* ---- what an exec closes ---- */

static void give_notes(struct still *s)
{
	struct record r;

	while (s->ret >= 0 && picturenote_take(&s->note, &r))
		give(s, &r);
}

static bool note_closing(int64_t num, struct fd *fd, void *arg)
{
	struct still *s = arg;
	struct snap_fd f = {.tid = s->tid, .fd = num, .type = fd->type, .closes_on_exec = true};

	if (!fd_closes_on_exec(s->thread, num))
		return true;
	picturenote_add(&s->note, &(struct record){.kind = RECORD_FD, .fd = &f});
	return s->ret >= 0;
}

/* ---- places ---- */

static void give_place(struct still *s, int64_t tid, const struct place_head *head,
		       const struct place *p)
{
	static const char name[] = PLACE_FOUND_EVENT;
	uint8_t data[PLACE_BYTES / 2];
	size_t n = sizeof(*head) + p->path.n + p->real.n + 2;
	struct event_arg args[] = {{&(uint32_t){0}, 4}, {name, sizeof(name)}, {data, (uint32_t)n}};
	int n_rec;

	if (n > sizeof(data))
		return;
	memset(data, 0, n);
	memcpy(data, head, sizeof(*head));
	memcpy(data + sizeof(*head), p->path.p, p->path.n);
	memcpy(data + sizeof(*head) + p->path.n + 1, p->real.p, p->real.n);
	n_rec = event_encode(s->place, sizeof(s->place), EV_ASYNCEVENT_E, s->ts, tid, args, 3);
	if (n_rec > 0)
		give(s, &(struct record){.kind = RECORD_EVENT,
					 .event = {.p = s->place, .n = (uint32_t)n_rec}});
}

static struct place_head head_of(int64_t fd, uint64_t ino, uint32_t dev, const struct place *p)
{
	return (struct place_head){.fd = fd,
				   .ino = ino,
				   .dev = dev,
				   .real_dev = p->real_dev,
				   .magic = p->magic,
				   .layer = p->layer};
}

static bool give_fd_place(int64_t num, struct fd *fd, void *arg)
{
	struct still *s = arg;
	struct place_head head;
	struct place p;

	if (place_read(fd->place, &p)) {
		head = head_of(num, fd->ino, fd->dev, &p);
		give_place(s, s->tid, &head, &p);
	}
	return s->ret >= 0;
}

static void give_exe_place(struct still *s, const struct thread *t)
{
	struct place_head head;
	struct place p;

	if (!place_read(t->exe_place, &p))
		return;
	head = head_of(PLACE_EXE, t->exe_ino, 0, &p);
	give_place(s, t->tid, &head, &p);
}

/* ---- all ---- */

/* One that has a table of its own, or whose process' table is listed under its name. */
static bool has_table(const struct thread *t)
{
	return is_wanted(t) && (thread_is_main(t) || t->files);
}

static void each_fd(struct still *s, const int64_t *tids, size_t n,
		    bool (*fn)(int64_t num, struct fd *fd, void *arg))
{
	for (size_t i = 0; i < n && s->ret >= 0; i++) {
		const struct thread *t = thread_find(s->state, tids[i]);

		s->tid = tids[i];
		s->thread = t;
		if (t && has_table(t))
			fd_each(s->state, t, fn, s);
	}
}

static int64_t *all_threads(const struct state *s, size_t *ret_n)
{
	int64_t *tids = xcalloc(thread_count(s) + 1, sizeof(*tids));

	*ret_n = thread_ids(s, tids, thread_count(s));
	return tids;
}

static struct still *still_new(const struct state *state, still_take take, void *arg, struct err *e)
{
	struct still *s = xcalloc(1, sizeof(*s));

	picturenote_init(&s->note);
	s->state = state;
	s->take = take;
	s->arg = arg;
	s->e = e;
	return s;
}

static int still_end(struct still *s, int64_t *tids)
{
	int ret = s->ret;

	picturenote_done(&s->note);
	free(tids);
	free(s);
	return ret;
}

int still_each(const struct state *state, still_take take, void *arg, struct err *e)
{
	struct still *s = still_new(state, take, arg, e);
	size_t n;
	int64_t *tids = all_threads(state, &n);

	each_fd(s, tids, n, note_listener);
	for (size_t i = 0; i < n && s->ret >= 0; i++) {
		const struct thread *t = thread_find(state, tids[i]);

		if (t && is_wanted(t))
			give_thread(s, t);
	}
	each_fd(s, tids, n, give_fd);
	return still_end(s, tids);
}

int still_each_note(const struct state *state, uint64_t ts, still_take take, void *arg,
		    struct err *e)
{
	struct still *s = still_new(state, take, arg, e);
	size_t n;
	int64_t *tids = all_threads(state, &n);

	s->ts = ts;
	each_fd(s, tids, n, note_closing);
	give_notes(s);
	for (size_t i = 0; i < n && s->ret >= 0; i++) {
		const struct thread *t = thread_find(state, tids[i]);

		if (t && is_wanted(t))
			give_exe_place(s, t);
	}
	each_fd(s, tids, n, give_fd_place);
	return still_end(s, tids);
}
