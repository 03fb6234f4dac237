/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files: the .scap format, versions 1.0 to 1.2, every block type and version,
 * plain or gzip (format: spec of the field, "scap" major 1).
 *
 * Reading streams: memory does not grow with the file.  Records of older formats are
 * converted to today's on the way (schema/convert.def).
 */
#pragma once

#include "base/buf.h"
#include "capture/source.h"

/*
 * Open path, or standard input for "-".  -errno and *e ("path: why") on failure.
 * Errors of next() name path, offset in the uncompressed stream and block type.
 */
int capfile_open(const char *path, struct source **ret, struct err *e);
/* The same for an open file, which is taken over; name is for messages. */
int capfile_open_fd(int fd, const char *name, struct source **ret, struct err *e);
/* Have idle called each time before the file, which may be a pipe, makes the reader wait. */
void capfile_on_idle(struct source *s, void (*idle)(void *arg), void *arg);

struct capfile_writer;

/*
 * Write to path ("-": standard output).  compress: gzip.  A file that is there is emptied when the
 * first block is put, and not before; -ETXTBSY when another writer has it.
 */
int capfile_create(const char *path, bool compress, struct capfile_writer **ret, struct err *e);
/* The same of a file that is open and empty, which is taken over; name is for messages. */
struct capfile_writer *capfile_create_fd(int fd, const char *name, bool compress);
/* Blocks one after another behind what is in out; -ENOBUFS, and out as before, where it is full. */
struct capfile_writer *capfile_create_memory(struct buf *out);
/* Bytes that are in the file so far. */
uint64_t capfile_written(const struct capfile_writer *w);
/* Append the blocks of record.raw; an empty one does nothing. */
int capfile_write_raw(struct capfile_writer *w, struct str raw, struct err *e);
/* Append the block of an event, its record unchanged, marked to change state and not be shown. */
int capfile_write_state_only(struct capfile_writer *w, struct str raw, struct err *e);
/* Append a RECORD_EVENT as a block of the current version, stamped as the wall clock was. */
int capfile_write_event(struct capfile_writer *w, const struct record *r, bool state_only,
			struct err *e);
/* Metadata blocks of the current version, for captures that Saker makes itself. */
int capfile_write_section(struct capfile_writer *w, struct err *e);
/* Behind the section: that Saker recorded it, and so replays see what a live watcher saw. */
int capfile_write_saker(struct capfile_writer *w, struct err *e);
int capfile_write_machine(struct capfile_writer *w, const struct snap_machine *m, struct err *e);
int capfile_write_interfaces(struct capfile_writer *w, const struct snap_interface *list, size_t n,
			     struct err *e);
int capfile_write_users(struct capfile_writer *w, const struct snap_user *users, size_t n_users,
			const struct snap_group *groups, size_t n_groups, struct err *e);
int capfile_write_procs(struct capfile_writer *w, const struct snap_proc *list, size_t n,
			struct err *e);
/* One block a process; all entries carry the same tid. */
int capfile_write_fds(struct capfile_writer *w, int64_t tid, const struct snap_fd *list, size_t n,
		      struct err *e);
/* Have all that was put so far in the file, where it can be read; costs nothing if it is there. */
int capfile_flush(struct capfile_writer *w, struct err *e);
/*
 * Flush and close; the writer is gone whatever it returns.  A new file that nothing could be put
 * into is removed.
 */
int capfile_finish(struct capfile_writer *w, struct err *e);
