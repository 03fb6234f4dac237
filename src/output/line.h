/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of alerts into an open file or pipe, which may be full: for senders that write to one. */
#pragma once

#include "output/sender.h"

/* What has gone out of the first alert that has not gone out whole. */
struct line_writer {
	size_t n_begun;
};

/*
 * Write the lines of alerts[0..n) with a newline behind each.  *n_done: how many are out whole.  To
 * a descriptor that does not block it waits at most timeout_ms in all.  -errno: -ETIMEDOUT when
 * nothing more could be written.
 *
 * The next call goes on within the alert where this one stopped, so the same alerts must come
 * again; line_forget() when it must begin anew.
 */
int line_write(struct line_writer *w, int fd, const struct alert *alerts, size_t n, size_t *n_done,
	       uint64_t timeout_ms);
static inline void line_forget(struct line_writer *w)
{
	w->n_begun = 0;
}
