/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/scan.h"

#include "base/alloc.h"
#include "capture/calls.h"
#include "capture/machine.h"
#include "capture/picture.h"
#include "capture/reader.h"
#include "capture/users.h"
#include "capture/workers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Reading /proc is the kernel's work, which several threads get done sooner.  Without workers
 * the reader below does it all.
 */
struct scan {
	struct source source;
	struct census census;
	struct reader reader;
	struct picture *picture; /* NULL: the iterators do not serve */
	struct workers *workers; /* NULL: none */
	struct machine machine;
	struct users users;
	unsigned phase;
};

const char *scan_drop_text(enum scan_drop d)
{
	static const char *const texts[SCAN_DROP_COUNT] = {
		[SCAN_THREAD_GONE] = "threads that ended meanwhile",
		[SCAN_THREAD_NO_EXE] = "kernel threads and zombies",
		[SCAN_THREAD_DENIED] = "threads that may not be read",
		[SCAN_THREAD_ODD] = "threads whose state makes no sense",
		[SCAN_THREAD_LIMIT] = "threads beyond the limit",
		[SCAN_FDS_DENIED] =
			("processes whose open files the kernel does not show to Saker (see saker "
			 "doctor); their names are unknown until they are used anew"),
		[SCAN_FD_GONE] = "descriptors that were closed meanwhile",
		[SCAN_FD_NO_SOCKET] = "sockets that are in no table of their namespace",
		[SCAN_FD_LIMIT] = "descriptors beyond the limit",
		[SCAN_SOCKET_LIMIT] = "sockets beyond the limit",
		[SCAN_TIMEOUT] = "scans that ran out of time",
		[SCAN_CUT] = "listings that the kernel ended early",
		[SCAN_USERS_UNREAD] =
			"files of users and groups (/etc/passwd, /etc/group) that cannot be read",
	};

	return texts[d];
}

/* ---- the whole machine ---- */

static struct scan *of(const struct source *s)
{
	return (struct scan *)s;
}

static bool next_machine(struct scan *s, struct record *ret)
{
	return machine_next(&s->machine, ret);
}

static bool next_user(struct scan *s, struct record *ret)
{
	return !s->census.cfg.skip_users && users_next(&s->users, ret);
}

static bool next_pictured(struct scan *s, struct record *ret)
{
	return s->picture && picture_next(s->picture, ret);
}

/* Nothing is left when the picture is whole. */
static bool next_process(struct scan *s, struct record *ret)
{
	if (s->reader.is_foreign || (s->picture && !picture_failed(s->picture)))
		return false;
	return s->workers ? workers_next(s->workers, ret) : reader_next(&s->reader, ret);
}

/* Of what the others told of. */
static bool next_place(struct scan *s, struct record *ret)
{
	return s->picture && picture_next_place(s->picture, ret);
}

static int scan_next(struct source *source, struct record *ret, struct err *e)
{
	static bool (*const phases[])(struct scan * s, struct record * ret) = {
		next_machine, next_user, next_pictured, next_process, next_place};
	struct scan *s = of(source);

	for (; s->phase < sizeof(phases) / sizeof(*phases); s->phase++)
		if (phases[s->phase](s, ret))
			return 1;
	return 0;
}

/* It has no events. */
static void no_stats(const struct source *s, struct source_stats *ret)
{
	*ret = (struct source_stats){.n_events = 0};
}

static void scan_close(struct source *source)
{
	struct scan *s = of(source);

	workers_stop(s->workers);
	picture_close(s->picture);
	machine_close(&s->machine);
	users_close(&s->users);
	reader_close(&s->reader);
	census_done(&s->census);
	free(s);
}

void scan_get_stats(const struct source *s, struct scan_stats *ret)
{
	*ret = (struct scan_stats){.n_threads = 0};
	reader_add_stats(&of(s)->reader, ret);
	workers_add_stats(of(s)->workers, ret);
	ret->n_dropped[SCAN_USERS_UNREAD] += of(s)->users.n_unread;
}

bool scan_is_foreign(const struct source *s)
{
	return of(s)->reader.is_foreign;
}

bool scan_has_iterators(const struct source *s)
{
	return of(s)->picture;
}

int scan_open(const struct scan_config *cfg, struct source **ret, struct err *e)
{
	static const struct source_ops ops = {scan_next, no_stats, scan_close};
	struct scan *s = xcalloc(1, sizeof(*s));
	int failed;

	s->source.ops = &ops;
	census_init(&s->census, cfg);
	failed = reader_open(&s->reader, &s->census, e);
	if (failed) {
		census_done(&s->census);
		free(s);
		return failed;
	}
	machine_open(&s->machine, s->reader.host.boot_ns);
	if (!cfg->skip_users)
		users_open(&s->users, s->census.cfg.host_root);
	failed = census_start(&s->census, s->reader.host.proc);
	if (failed) {
		scan_close(&s->source);
		return err_set(e, failed, "/proc: %s", strerror(-failed));
	}
	s->picture = picture_open(cfg->iterators, &s->reader);
	if (cfg->n_workers > 1 && !s->picture && !s->reader.is_foreign)
		s->workers = workers_start(&s->census, cfg->n_workers);
	*ret = &s->source;
	return 0;
}

/* ---- one thread ---- */

struct fetcher {
	struct census census;
	struct reader reader;
	int64_t tid; /* to be read; 0: done */
	int64_t fd;  /* the only one that is asked for; -1: all */
	bool in_fds;
};

int fetcher_open(const struct scan_config *cfg, struct fetcher **ret, struct err *e)
{
	struct fetcher *f = xcalloc(1, sizeof(*f));
	int failed;

	census_init(&f->census, cfg);
	failed = reader_open(&f->reader, &f->census, e);
	if (failed) {
		census_done(&f->census);
		free(f);
		return failed;
	}
	*ret = f;
	return 0;
}

void fetcher_close(struct fetcher *f)
{
	if (!f)
		return;
	reader_close(&f->reader);
	census_done(&f->census);
	free(f);
}

/* Each fetch has the limits for itself, and sees the present. */
void fetcher_start(struct fetcher *f, int64_t tid, bool sockets)
{
	struct reader *r = &f->reader;

	reader_leave(r);
	host_forget(&r->host);
	sockets_clear(&r->sockets);
	r->descriptors.sockets = sockets ? &r->sockets : NULL;
	f->census.n_fds = f->census.n_threads = 0;
	f->tid = tid > 0 && !r->is_foreign ? tid : 0;
	f->fd = -1;
	f->in_fds = false;
}

void fetcher_start_fd(struct fetcher *f, int64_t pid, int64_t fd)
{
	fetcher_start(f, pid, true);
	f->fd = fd;
}

bool fetcher_next(struct fetcher *f, struct record *ret)
{
	struct reader *r = &f->reader;
	char name[24];

	if (f->in_fds)
		return reader_next_fd(r, ret);
	if (!f->tid)
		return false;
	snprintf(name, sizeof(name), "%lld", (long long)f->tid);
	f->in_fds = reader_enter(r, name, f->tid, ret);
	if (f->in_fds && f->fd >= 0)
		descriptors_start_one(&r->descriptors, r->dir, r->pid, f->fd);
	else if (f->in_fds && f->tid == r->pid && !f->census.cfg.skip_fds)
		descriptors_start(&r->descriptors, r->dir, r->pid);
	f->tid = 0;
	return f->in_fds;
}

bool fetcher_is_quiet(struct fetcher *f)
{
	return f->reader.dir >= 0 && calls_are_quiet(f->reader.dir);
}
