/* SPDX-License-Identifier: Apache-2.0 */
#include "app/diskwriter.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "capture/capfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { JOIN_S = 10 };

enum order_kind { ORDER_BEGIN, ORDER_PUT, ORDER_END, ORDER_STOP };

struct order {
	TAILQ_ENTRY(order) in_line;
	enum order_kind kind;
	char *p; /* of a beginning the path, else blocks */
	size_t n;
};

TAILQ_HEAD(orders, order);

struct diskwriter {
	struct diskwriter_config cfg;
	char *prefix;
	pthread_t thread;

	pthread_mutex_t lock; /* of all this, and never held while the disk is at work */
	pthread_cond_t wake, room;
	struct orders line;
	size_t n_waiting;
	struct diskwriter_stats stats;
	struct err complaint; /* code 0: none */

	unsigned n_begun;      /* the caller's: files */
	atomic_uint full;      /* which of them was full, from 1 */
	atomic_ullong written; /* of the one that is written */

	/* The thread's. */
	struct capfile_writer *file;
	unsigned number; /* which it is */
};

/* ---- both ---- */

static void give(struct diskwriter *d, enum order_kind kind, char *p, size_t n)
{
	struct order *o = xcalloc(1, sizeof(*o));

	o->kind = kind;
	o->p = p;
	o->n = n;
	pthread_mutex_lock(&d->lock);
	TAILQ_INSERT_TAIL(&d->line, o, in_line);
	d->n_waiting += n;
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

static struct order *take(struct diskwriter *d)
{
	struct order *o;

	pthread_mutex_lock(&d->lock);
	while (TAILQ_EMPTY(&d->line))
		pthread_cond_wait(&d->wake, &d->lock);
	o = TAILQ_FIRST(&d->line);
	TAILQ_REMOVE(&d->line, o, in_line);
	pthread_mutex_unlock(&d->lock);
	return o;
}

/* What has been written waits no more. */
static void done(struct diskwriter *d, struct order *o)
{
	pthread_mutex_lock(&d->lock);
	d->n_waiting -= o->n;
	pthread_cond_signal(&d->room);
	pthread_mutex_unlock(&d->lock);
	free(o->p);
	free(o);
}

static void complain(struct diskwriter *d, uint64_t *counter, struct err e)
{
	pthread_mutex_lock(&d->lock);
	++*counter;
	d->complaint = e;
	pthread_mutex_unlock(&d->lock);
}

/* ---- the thread: how much there is ---- */

struct folder {
	char path[4096];
	const char *name; /* what files in it begin with */
};

static void split_prefix(const char *prefix, struct folder *ret)
{
	const char *slash = strrchr(prefix, '/');
	size_t n = slash ? (size_t)(slash - prefix) : 0;

	ret->name = slash ? slash + 1 : prefix;
	if (!slash || n >= sizeof(ret->path))
		memcpy(ret->path, ".", 2);
	else if (!n)
		memcpy(ret->path, "/", 2);
	else {
		memcpy(ret->path, prefix, n);
		ret->path[n] = '\0';
	}
}

static bool is_ours(const struct folder *f, const char *name)
{
	size_t n = strlen(f->name);

	return !strncmp(name, f->name, n) && name[n] == '_' && str_ends(str_of(name), STR(".scap"));
}

static void measure(const char *prefix, uint64_t *ret_files, uint64_t *ret_bytes)
{
	struct folder f;
	const struct dirent *entry;
	struct stat st;
	DIR *dir;

	*ret_files = *ret_bytes = 0;
	split_prefix(prefix, &f);
	dir = opendir(f.path);
	while (dir && (entry = readdir(dir))) {
		if (!is_ours(&f, entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		++*ret_files;
		*ret_bytes += (uint64_t)st.st_size;
	}
	if (dir)
		closedir(dir);
}

static int check_room(const struct diskwriter *d, struct err *e)
{
	uint64_t n, bytes;

	if (!d->cfg.max_files && !d->cfg.max_folder_bytes)
		return 0;
	measure(d->prefix, &n, &bytes);
	if (d->cfg.max_files && n >= d->cfg.max_files)
		return err_set(e, -EDQUOT,
			       "no new capture: there are %llu files %s_*.scap (saker.capture)",
			       (unsigned long long)n, d->prefix);
	if (d->cfg.max_folder_bytes && bytes >= d->cfg.max_folder_bytes)
		return err_set(e, -EDQUOT,
			       "no new capture: the files %s_*.scap have %llu bytes "
			       "(saker.capture)",
			       d->prefix, (unsigned long long)bytes);
	return 0;
}

/* ---- the thread: files ---- */

static void begin(struct diskwriter *d, const char *path)
{
	struct err e = {0};
	int fd;

	d->number++;
	if (check_room(d, &e) < 0) {
		complain(d, &d->stats.n_refused, e);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_set(&e, -errno, "%s: %s", path, strerror(errno));
		complain(d, &d->stats.n_failed, e);
		return;
	}
	d->file = capfile_create_fd(fd, path, true);
}

static void end(struct diskwriter *d)
{
	struct err e = {0};

	if (!d->file)
		return;
	if (capfile_finish(d->file, &e) < 0)
		complain(d, &d->stats.n_failed, e);
	d->file = NULL;
	pthread_mutex_lock(&d->lock);
	d->stats.n_files++;
	pthread_mutex_unlock(&d->lock);
}

static bool is_long_enough(struct diskwriter *d)
{
	uint64_t n = capfile_written(d->file);

	atomic_store(&d->written, n);
	return d->cfg.max_file_bytes && n >= d->cfg.max_file_bytes;
}

static void put(struct diskwriter *d, struct str blocks)
{
	struct err e = {0};

	if (!d->file)
		return;
	if (capfile_write_raw(d->file, blocks, &e) < 0 || capfile_flush(d->file, &e) < 0) {
		complain(d, &d->stats.n_failed, e);
		e = (struct err){0};
		capfile_finish(d->file, &e);
		d->file = NULL;
		return;
	}
	pthread_mutex_lock(&d->lock);
	d->stats.n_bytes += blocks.n;
	pthread_mutex_unlock(&d->lock);
	if (!is_long_enough(d))
		return;
	end(d);
	pthread_mutex_lock(&d->lock);
	d->stats.n_full++;
	d->stats.full_bytes = atomic_load(&d->written);
	pthread_mutex_unlock(&d->lock);
	atomic_store(&d->full, d->number);
}

static void *work(void *arg)
{
	struct diskwriter *d = arg;
	enum order_kind kind;

	do {
		struct order *o = take(d);

		kind = o->kind;
		if (kind == ORDER_BEGIN)
			begin(d, o->p);
		else if (kind == ORDER_PUT)
			put(d, (struct str){o->p, o->n});
		else
			end(d);
		done(d, o);
	} while (kind != ORDER_STOP);
	return NULL;
}

/* ---- the caller ---- */

static void free_all(struct diskwriter *d)
{
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->wake);
	pthread_cond_destroy(&d->room);
	free(d->prefix);
	free(d);
}

int diskwriter_open(const struct diskwriter_config *cfg, struct diskwriter **ret, struct err *e)
{
	struct diskwriter *d = xcalloc(1, sizeof(*d));

	d->cfg = *cfg;
	d->prefix = xstrdup(cfg->prefix);
	TAILQ_INIT(&d->line);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	pthread_cond_init(&d->room, NULL);
	if (thread_start(work, d, &d->thread, e) < 0) {
		free_all(d);
		return e->code;
	}
	*ret = d;
	return 0;
}

bool diskwriter_close(struct diskwriter *d, struct diskwriter_stats *ret_stats,
		      struct err *ret_complaint)
{
	struct timespec until;

	give(d, ORDER_STOP, NULL, 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_S;
	if (pthread_timedjoin_np(d->thread, NULL, &until)) {
		diskwriter_get_stats(d, ret_stats);
		return false;
	}
	*ret_stats = d->stats;
	*ret_complaint = d->complaint;
	free_all(d);
	return true;
}

void diskwriter_begin(struct diskwriter *d, const char *path)
{
	d->n_begun++;
	give(d, ORDER_BEGIN, xstrdup(path), 0);
}

bool diskwriter_put(struct diskwriter *d, struct buf *b)
{
	size_t max = b->max;
	bool fits;

	if (!b->n)
		return true;
	pthread_mutex_lock(&d->lock);
	while (d->cfg.waits && d->n_waiting && d->n_waiting + b->n > d->cfg.max_waiting_bytes)
		pthread_cond_wait(&d->room, &d->lock);
	fits = d->n_waiting + b->n <= d->cfg.max_waiting_bytes;
	if (!fits) {
		d->stats.n_lost++;
		d->stats.n_lost_bytes += b->n;
	}
	pthread_mutex_unlock(&d->lock);
	if (!fits) {
		buf_reset(b);
		return false;
	}
	give(d, ORDER_PUT, b->p, b->n);
	buf_init(b, max);
	return true;
}

void diskwriter_end(struct diskwriter *d)
{
	give(d, ORDER_END, NULL, 0);
}

bool diskwriter_is_full(const struct diskwriter *d, uint64_t *ret_bytes)
{
	*ret_bytes = atomic_load(&d->written);
	return d->n_begun && atomic_load(&d->full) == d->n_begun;
}

bool diskwriter_complaint(struct diskwriter *d, struct err *ret)
{
	bool any;

	pthread_mutex_lock(&d->lock);
	any = d->complaint.code;
	if (any)
		*ret = d->complaint;
	d->complaint.code = 0;
	pthread_mutex_unlock(&d->lock);
	return any;
}

void diskwriter_get_stats(struct diskwriter *d, struct diskwriter_stats *ret)
{
	pthread_mutex_lock(&d->lock);
	*ret = d->stats;
	pthread_mutex_unlock(&d->lock);
}
