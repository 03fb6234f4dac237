/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capfile.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "capture/block.h"
#include "capture/bytes.h"
#include "capture/snapshot.h"
#include "schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	GZ_BUFFER_BYTES = 64 << 10,
	/* A list goes on in another block once one is so long; no entry is as long as that. */
	LIST_BYTES = 1 << 20,
	/* Most that readers of the format take. */
	NAME_MAX_BYTES = 255,
	INTERFACE_NAME_MAX_BYTES = 1023,
};

struct capfile_writer {
	int fd;
	gzFile gz; /* plain too; NULL until the first put, then it owns fd */
	char *name;
	bool is_stdout, compress;
	bool is_new;	    /* a file that was not there before */
	struct buf block;   /* the one being put together */
	struct buf *memory; /* not a file: everything goes here, and fd is -1 */
};

static int file_error(struct capfile_writer *w, struct err *e)
{
	int code = errno, z;
	const char *text = gzerror(w->gz, &z);

	if (z == Z_ERRNO)
		return err_set(e, code ? -code : -EIO, "%s: %s", w->name, strerror(code));
	return err_set(e, -EIO, "%s: %s", w->name, text);
}

/* Now that there is something to write, what was in the file may go. */
static int begin(struct capfile_writer *w, struct err *e)
{
	struct stat st;

	if (!w->is_stdout && !fstat(w->fd, &st) && S_ISREG(st.st_mode) && ftruncate(w->fd, 0) < 0)
		return err_set(e, -errno, "%s: %s", w->name, strerror(errno));
	w->gz = gzdopen(w->fd, w->compress ? "wb" : "wbT");
	if (!w->gz)
		return err_set(e, -ENOMEM, "%s: %s", w->name, strerror(ENOMEM));
	gzbuffer(w->gz, GZ_BUFFER_BYTES);
	return 0;
}

static int put_in_memory(struct buf *b, const void *p, size_t n, struct err *e)
{
	if (n > b->max - b->n)
		return err_set(e, -ENOBUFS, "no room for a block of %zu bytes", n);
	buf_add(b, p, n);
	return 0;
}

static int put(struct capfile_writer *w, const void *p, size_t n, struct err *e)
{
	if (w->memory)
		return put_in_memory(w->memory, p, n, e);
	if (!w->gz && begin(w, e) < 0)
		return e->code;
	/* gzwrite() takes no more than an int at once. */
	while (n) {
		unsigned part = n < 1 << 30 ? (unsigned)n : 1 << 30;

		errno = 0;
		if (gzwrite(w->gz, p, part) != (int)part)
			return file_error(w, e);
		p = (const char *)p + part;
		n -= part;
	}
	return 0;
}

/*
 * Captures hold what processes read and wrote: for their owner only.  Two writers would ruin each
 * other's: so one has it locked, where files can be.
 */
static int open_file(const char *path, bool *is_new)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	*is_new = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return fd;
	close(fd);
	errno = ETXTBSY;
	return -1;
}

struct capfile_writer *capfile_create_fd(int fd, const char *name, bool compress)
{
	struct capfile_writer *w = xcalloc(1, sizeof(*w));

	w->name = xstrdup(name);
	w->fd = fd;
	w->is_new = fd >= 0;
	w->compress = compress;
	buf_init(&w->block, 2 * LIST_BYTES);
	return w;
}

struct capfile_writer *capfile_create_memory(struct buf *out)
{
	struct capfile_writer *w = capfile_create_fd(-1, "memory", false);

	w->memory = out;
	return w;
}

uint64_t capfile_written(const struct capfile_writer *w)
{
	z_off_t n = w->gz ? gzoffset(w->gz) : 0;

	return n > 0 ? (uint64_t)n : 0;
}

int capfile_create(const char *path, bool compress, struct capfile_writer **ret, struct err *e)
{
	bool is_stdout = !strcmp(path, "-"), is_new = false;
	int fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open_file(path, &is_new);
	struct capfile_writer *w;

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path,
			       errno == ETXTBSY ? "another program is writing to it"
						: strerror(errno));
	w = capfile_create_fd(fd, is_stdout ? "standard output" : path, compress);
	w->is_stdout = is_stdout;
	w->is_new = is_new;
	*ret = w;
	return 0;
}

int capfile_flush(struct capfile_writer *w, struct err *e)
{
	errno = 0;
	return w->gz && gzflush(w->gz, Z_SYNC_FLUSH) != Z_OK ? file_error(w, e) : 0;
}

/* A file that we made and that nothing got into is of no use to anybody. */
static void remove_empty(const struct capfile_writer *w)
{
	struct stat st;

	if (w->is_new && !lstat(w->name, &st) && S_ISREG(st.st_mode) && !st.st_size)
		unlink(w->name);
}

int capfile_finish(struct capfile_writer *w, struct err *e)
{
	int z, r = 0;

	errno = 0;
	z = w->gz ? gzclose(w->gz) : w->fd >= 0 ? close(w->fd) : Z_OK;
	if (z != Z_OK)
		r = err_set(e, errno ? -errno : -EIO, "%s: %s", w->name,
			    errno ? strerror(errno) : "cannot be completed");
	remove_empty(w);
	buf_done(&w->block);
	free(w->name);
	free(w);
	return r;
}

/* ---- blocks ---- */

static void add8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, 1);
}

static void add16(struct buf *b, uint16_t v)
{
	buf_add(b, &v, 2);
}

static void add32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, 4);
}

static void add64(struct buf *b, uint64_t v)
{
	buf_add(b, &v, 8);
}

static void add_text(struct buf *b, struct str s, size_t max)
{
	s = str_head(s, max);
	add16(b, (uint16_t)s.n);
	buf_adds(b, s);
}

static void block_begin(struct capfile_writer *w, uint32_t type)
{
	buf_reset(&w->block);
	add32(&w->block, type);
	add32(&w->block, 0); /* total length, set at the end */
}

static int block_end(struct capfile_writer *w, struct err *e)
{
	static const char padding[4];
	struct buf *b = &w->block;

	buf_add(b, padding, -b->n & 3);
	add32(b, (uint32_t)b->n + BLOCK_TRAILER_BYTES);
	store32((uint8_t *)b->p + 4, (uint32_t)b->n);
	return put(w, b->p, b->n, e);
}

/* Entries with a length in front: returns where it stands. */
static size_t entry_begin(struct buf *b)
{
	add32(b, 0);
	return b->n - 4;
}

static void entry_end(struct buf *b, size_t start)
{
	store32((uint8_t *)b->p + start, (uint32_t)(b->n - start));
}

/*
 * Between two entries of a list: a long block is closed and another begun, with the same
 * n_head bytes in front.
 */
static int list_break(struct capfile_writer *w, size_t n_head, struct err *e)
{
	char head[16];
	int r;

	if (w->block.n < LIST_BYTES)
		return 0;
	memcpy(head, w->block.p, n_head);
	r = block_end(w, e);
	buf_reset(&w->block);
	buf_add(&w->block, head, n_head);
	return r;
}

int capfile_write_raw(struct capfile_writer *w, struct str raw, struct err *e)
{
	return put(w, raw.p, raw.n, e);
}

int capfile_write_state_only(struct capfile_writer *w, struct str raw, struct err *e)
{
	const uint8_t *p = (const uint8_t *)raw.p;
	const struct block_info *own = block_find(load32(p)), *info = block_with_flags(own);
	size_t n_head = BLOCK_HEADER_BYTES + EVENT_CPU_BYTES + EVENT_FLAGS_BYTES;
	size_t n_own = n_head - (own->has_flags ? 0 : EVENT_FLAGS_BYTES);
	uint32_t total = (uint32_t)(raw.n + n_head - n_own), flags = EVENT_STATE_ONLY;
	uint8_t head[16];
	int r;

	if (!info->is_large && total > BLOCK_HEADER_BYTES + BLOCK_EVENT_MAX_BYTES)
		return err_set(e, -E2BIG, "%s: no room for flags in an event block of %zu bytes",
			       w->name, raw.n);
	if (own->has_flags)
		flags |= load32(p + BLOCK_HEADER_BYTES + EVENT_CPU_BYTES);
	store32(head, info->type);
	store32(head + 4, total);
	memcpy(head + 8, p + BLOCK_HEADER_BYTES, EVENT_CPU_BYTES);
	store32(head + 10, flags);
	r = put(w, head, n_head, e);
	/* Flags are four bytes, and so leave the padding as it is. */
	if (!r)
		r = put(w, p + n_own, raw.n - n_own - BLOCK_TRAILER_BYTES, e);
	return r ? r : put(w, head + 4, BLOCK_TRAILER_BYTES, e);
}

int capfile_write_section(struct capfile_writer *w, struct err *e)
{
	block_begin(w, BLOCK_SECTION);
	add32(&w->block, SECTION_MAGIC);
	add16(&w->block, SECTION_MAJOR);
	add16(&w->block, SECTION_MINOR);
	add64(&w->block, UINT64_MAX); /* length not known */
	return block_end(w, e);
}

int capfile_write_saker(struct capfile_writer *w, struct err *e)
{
	static const char name[] = "saker";

	block_begin(w, BLOCK_SAKER);
	buf_add(&w->block, name, sizeof(name) - 1);
	return block_end(w, e);
}

int capfile_write_machine(struct capfile_writer *w, const struct snap_machine *m, struct err *e)
{
	static const char zeros[128];
	struct str host = str_head(m->hostname, sizeof(zeros) - 1);

	block_begin(w, BLOCK_MACHINE);
	add32(&w->block, m->n_cpus);
	add64(&w->block, m->memory_bytes);
	add64(&w->block, 0); /* highest pid: readers expect none */
	buf_adds(&w->block, host);
	buf_add(&w->block, zeros, sizeof(zeros) - host.n);
	add64(&w->block, m->boot_ns);
	buf_add(&w->block, zeros, 3 * 8); /* flags, reserved */
	return block_end(w, e);
}

static void add_interface(struct buf *b, const struct snap_interface *i)
{
	struct str name = str_head(i->name, INTERFACE_NAME_MAX_BYTES);
	size_t start = entry_begin(b), n = i->is_v6 ? 16 : 4;

	add16(b, i->is_v6 ? 2 : 1);
	add16(b, (uint16_t)name.n);
	buf_add(b, i->addr, n);
	buf_add(b, i->netmask, n);
	buf_add(b, i->broadcast, n);
	add64(b, 0); /* speed */
	buf_adds(b, name);
	/* Unlike the other lists, the length does not count itself. */
	store32((uint8_t *)b->p + start, (uint32_t)(b->n - start - 4));
}

int capfile_write_interfaces(struct capfile_writer *w, const struct snap_interface *list, size_t n,
			     struct err *e)
{
	int r = 0;

	block_begin(w, BLOCK_INTERFACES_V2);
	/* Readers expect those of IPv4 first. */
	for (unsigned v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < n && !r; i++) {
			if (list[i].is_v6 != v6)
				continue;
			r = list_break(w, BLOCK_HEADER_BYTES, e);
			add_interface(&w->block, &list[i]);
		}
	}
	return r ? r : block_end(w, e);
}

static void add_user(struct buf *b, const struct snap_user *u)
{
	size_t start = entry_begin(b);

	add8(b, 0);
	add32(b, u->uid);
	add32(b, u->gid);
	add_text(b, u->name, NAME_MAX_BYTES);
	add_text(b, u->home, NAME_MAX_BYTES);
	add_text(b, u->shell, NAME_MAX_BYTES);
	entry_end(b, start);
}

static void add_group(struct buf *b, const struct snap_group *g)
{
	size_t start = entry_begin(b);

	add8(b, 1);
	add32(b, g->gid);
	add_text(b, g->name, NAME_MAX_BYTES);
	entry_end(b, start);
}

int capfile_write_users(struct capfile_writer *w, const struct snap_user *users, size_t n_users,
			const struct snap_group *groups, size_t n_groups, struct err *e)
{
	int r = 0;

	block_begin(w, BLOCK_USERS_V2);
	for (size_t i = 0; i < n_users && !r; i++) {
		r = list_break(w, BLOCK_HEADER_BYTES, e);
		add_user(&w->block, &users[i]);
	}
	for (size_t i = 0; i < n_groups && !r; i++) {
		r = list_break(w, BLOCK_HEADER_BYTES, e);
		add_group(&w->block, &groups[i]);
	}
	return r ? r : block_end(w, e);
}

static void add_proc_field(struct buf *b, const struct proc_field *f, const struct snap_proc *p)
{
	const void *v = (const char *)p + f->offset;

	switch ((enum proc_field_type)f->type) {
	case PROC_BOOL:
		add8(b, *(const bool *)v);
		return;
	case PROC_32:
		buf_add(b, v, 4);
		return;
	case PROC_64:
		buf_add(b, v, 8);
		return;
	case PROC_TEXT:
		add_text(b, *(const struct str *)v, PROC_TEXT_MAX);
		return;
	case PROC_LIST:
		add_text(b, *(const struct str *)v, PROC_LIST_MAX);
		return;
	}
}

static void add_proc(struct buf *b, const struct snap_proc *p)
{
	struct snap_proc copy = *p;
	size_t start = entry_begin(b);

	if (!copy.cwd.n)
		copy.cwd = STR("/");
	for (unsigned i = 0; i < n_proc_fields; i++)
		add_proc_field(b, &proc_fields[i], &copy);
	entry_end(b, start);
}

int capfile_write_procs(struct capfile_writer *w, const struct snap_proc *list, size_t n,
			struct err *e)
{
	int r = 0;

	block_begin(w, BLOCK_PROCS_V9);
	for (size_t i = 0; i < n && !r; i++) {
		r = list_break(w, BLOCK_HEADER_BYTES, e);
		add_proc(&w->block, &list[i]);
	}
	return r ? r : block_end(w, e);
}

static void add_tuple(struct buf *b, const struct sock_tuple *t, size_t addr_bytes, bool has_peer)
{
	if (has_peer)
		buf_add(b, t->src, addr_bytes);
	buf_add(b, t->dst, addr_bytes);
	if (has_peer)
		add16(b, t->sport);
	add16(b, t->dport);
	add8(b, t->l4);
}

static void add_fd_value(struct buf *b, const struct snap_fd *fd)
{
	switch (fd->type) {
	case FD_FILE_V2:
		add32(b, fd->open_flags);
		add_text(b, fd->name, PROC_TEXT_MAX);
		add32(b, fd->dev);
		return;
	case FD_IPV4_SOCK:
		add_tuple(b, &fd->tuple, 4, true);
		return;
	case FD_IPV6_SOCK:
		add_tuple(b, &fd->tuple, 16, true);
		return;
	case FD_IPV4_SERVSOCK:
		add_tuple(b, &fd->tuple, 4, false);
		return;
	case FD_IPV6_SERVSOCK:
		add_tuple(b, &fd->tuple, 16, false);
		return;
	case FD_UNIX_SOCK:
		add64(b, fd->unix_src);
		add64(b, fd->unix_dst);
		break;
	}
	add_text(b, fd->name, PROC_TEXT_MAX);
}

static void add_fd(struct buf *b, const struct snap_fd *fd)
{
	size_t start = entry_begin(b);

	add64(b, (uint64_t)fd->fd);
	add64(b, fd->ino);
	add8(b, fd->type);
	add_fd_value(b, fd);
	entry_end(b, start);
}

int capfile_write_fds(struct capfile_writer *w, int64_t tid, const struct snap_fd *list, size_t n,
		      struct err *e)
{
	int r = 0;

	block_begin(w, BLOCK_FDS_V2);
	add64(&w->block, (uint64_t)tid);
	for (size_t i = 0; i < n && !r; i++) {
		/* Readers know nothing to do with a descriptor of no type. */
		if (list[i].type == FD_UNKNOWN || list[i].type >= FD_TYPE_COUNT)
			continue;
		r = list_break(w, BLOCK_HEADER_BYTES + sizeof(tid), e);
		add_fd(&w->block, &list[i]);
	}
	return r ? r : block_end(w, e);
}

int capfile_write_event(struct capfile_writer *w, const struct record *rec, bool state_only,
			struct err *e)
{
	const uint8_t *p = rec->event.p;
	uint32_t n = rec->event.n;
	struct event_frame frame;
	uint8_t wall[8];
	int r;

	if (n < RECORD_HEADER_BYTES || load32(p + 16) != n)
		return err_set(e, -EINVAL, "%s: not an event record", w->name);
	if (!event_frame(&frame, p, n, rec->event.cpu, state_only))
		return err_set(e, -E2BIG, "%s: an event of %u bytes is too long", w->name, n);
	store64(wall, load64(p) + (uint64_t)rec->event.wall_by_ns);
	if (w->memory && frame.total > w->memory->max - w->memory->n)
		return err_set(e, -ENOBUFS, "no room for an event of %u bytes", n);
	r = put(w, frame.head, frame.n_head, e);
	if (!r)
		r = put(w, wall, sizeof(wall), e);
	if (!r)
		r = put(w, p + sizeof(wall), n - sizeof(wall), e);
	return r ? r : put(w, frame.tail, frame.n_tail, e);
}
