/* SPDX-License-Identifier: Apache-2.0 */
#include "app/pictured.h"

static const uint8_t kinds[FD_TYPE_COUNT] = {
	[FD_UNKNOWN] = PICTURED_ANON,	     [FD_FILE] = PICTURED_REGULAR,
	[FD_DIRECTORY] = PICTURED_DIRECTORY, [FD_IPV4_SOCK] = PICTURED_INET,
	[FD_IPV6_SOCK] = PICTURED_INET6,     [FD_IPV4_SERVSOCK] = PICTURED_INET,
	[FD_IPV6_SERVSOCK] = PICTURED_INET6, [FD_FIFO] = PICTURED_PIPE,
	[FD_UNIX_SOCK] = PICTURED_UNIX,	     [FD_EVENT] = PICTURED_ANON,
	[FD_UNSUPPORTED] = PICTURED_ANON,    [FD_SIGNALFD] = PICTURED_ANON,
	[FD_EVENTPOLL] = PICTURED_ANON,	     [FD_INOTIFY] = PICTURED_ANON,
	[FD_TIMERFD] = PICTURED_ANON,	     [FD_NETLINK] = PICTURED_NETLINK,
	[FD_FILE_V2] = PICTURED_REGULAR,     [FD_BPF] = PICTURED_ANON,
	[FD_USERFAULTFD] = PICTURED_ANON,    [FD_IOURING] = PICTURED_ANON,
	[FD_MEMFD] = PICTURED_MEMFD,	     [FD_PIDFD] = PICTURED_ANON,
};

void pictured_count(struct pictured *p, const struct record *r)
{
	if (r->kind == RECORD_PROC)
		p->n_tasks++;
	else if (r->kind == RECORD_FD && r->fd->type < FD_TYPE_COUNT)
		p->n_files[kinds[r->fd->type]]++;
}

void pictured_end(struct pictured *p, const struct scan_stats *stats)
{
	const uint64_t *n = stats->n_dropped;

	p->n_tasks_dropped = n[SCAN_THREAD_DENIED] + n[SCAN_THREAD_ODD] + n[SCAN_THREAD_LIMIT];
	p->n_files_dropped = n[SCAN_FDS_DENIED] + n[SCAN_FD_LIMIT];
	p->n_cut = n[SCAN_CUT];
}
