/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reload.h"

#include "app/files.h"
#include "app/gating.h"
#include "app/hosts.h"
#include "app/report.h"
#include "app/restart.h"
#include "app/rulefiles.h"
#include "base/alloc.h"
#include "base/filewatch.h"
#include "base/now.h"
#include "base/queue.h"
#include "base/stop.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	QUIET_MS = 100,	     /* without changes, before files are read */
	QUIET_TRIES = 20,    /* ... but no more of that than this */
	READ_TRIES = 10,     /* while files change as they are read */
	REPLACED_MAX = 8,    /* generations with something to say yet; the next one waits */
	DONE_MAX = 64,	     /* generations on their way back */
	FILE_MAX = 64 << 20, /* bytes */
};

/* What is added to the eventfd: SIGHUP adds 1. */
#define WAKE ((uint64_t)1 << 32)

struct reload {
	struct reload_config cfg;
	struct reload_stats stats;
	int wake;
	atomic_bool stop;
	_Atomic(struct generation *) next; /* for the event thread */
	struct queue *done;		   /* struct generation *, to be freed */
	pthread_t thread;
	/* The reloading thread's: */
	const struct generation *newest; /* that is in force */
	struct filewatch *files;	 /* NULL: only on SIGHUP */
	char **paths;			 /* that matter */
	size_t n_paths, cap_paths;
	struct startup startup; /* what the kernel is asked for */
	unsigned pending;	/* enum why: what came while something else was waited for */
};

enum why { WHY_HANGUP = 1 << 0, WHY_FILES = 1 << 1 };

/* ---- what is read ---- */

/* No pipe, nor standard input. */
static bool can_be_read_again(const char *path)
{
	struct stat st;

	return strcmp(path, "-") != 0 &&
	       (stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

bool reload_is_possible(const struct settings_options *s, const struct watch_options *o)
{
	bool ret = !s->path || can_be_read_again(s->path);

	for (size_t i = 0; i < o->choice.rules.n; i++)
		ret &= can_be_read_again(o->choice.rules.items[i]);
	return ret;
}

static void forget_paths(struct reload *r)
{
	for (size_t i = 0; i < r->n_paths; i++)
		free(r->paths[i]);
	r->n_paths = 0;
}

static void add_path(void *arg, const char *path)
{
	struct reload *r = arg;

	r->paths = xgrow(r->paths, &r->cap_paths, r->n_paths + 1, sizeof(*r->paths));
	r->paths[r->n_paths++] = xstrdup(path);
}

static void add_included(struct reload *r, const struct node *item)
{
	const struct node *path = node_is(item, YAML_MAP) ? node_get(item, STR("path")) : item;

	if (node_is(path, YAML_SCALAR) && path->text.n)
		add_path(r, path->text.p);
}

/* What the settings() of this thread and the command line name, there or not. */
static void list_paths(struct reload *r)
{
	const struct node *list = config_node(settings(), CONFIG_KEY_CONFIG_FILES);

	forget_paths(r);
	if (r->cfg.settings->path)
		add_path(r, r->cfg.settings->path);
	for (uint32_t i = 0; node_is(list, YAML_LIST) && i < list->n; i++)
		add_included(r, list->items[i]);
	if (node_is(list, YAML_SCALAR))
		add_included(r, list);
	rulefiles_each(&r->cfg.watch->o->choice.rules, add_path, r);
}

static void watch_files(struct reload *r)
{
	unsigned n;

	if (!r->files)
		return;
	filewatch_begin(r->files);
	for (size_t i = 0; i < r->n_paths; i++)
		filewatch_add(r->files, r->paths[i]);
	n = filewatch_end(r->files);
	if (n)
		report("reload: %u folders and files are not watched, as there are too many "
		       "(fs.inotify.max_user_watches); SIGHUP loads their changes",
		       n);
}

static const struct config *config_of(const struct generation *g)
{
	return g->config ? g->config : settings();
}

static void compare_file(void *arg, const struct file *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool *is_same = arg;
	char block[16384], hash[SHA256_TEXT];
	struct buf text;
	ssize_t n;

	buf_init(&text, FILE_MAX);
	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0)
		buf_add(&text, block, (size_t)n);
	sha256_text(buf_str(&text), hash);
	*is_same &= fd >= 0 && !strcmp(hash, f->sha256);
	buf_done(&text);
	if (fd >= 0)
		close(fd);
}

/* What changed between its reading and the watch over it. */
static bool is_as_read(const struct generation *g)
{
	bool is_same = true;

	files_each(config_of(g), g->rules, compare_file, &is_same);
	return is_same;
}

static bool is_like(const struct generation *a, const struct generation *b)
{
	char x[SHA256_TEXT], y[SHA256_TEXT];

	files_hash(config_of(a), a->rules, x);
	files_hash(config_of(b), b->rules, y);
	return !strcmp(x, y);
}

/* ---- a generation ---- */

/* Which system calls, and what of state, it needs. */
static int choose(struct reload *r, struct generation *g, struct err *e)
{
	struct base_syscalls_config cfg;
	int ret = r->cfg.choose(r->cfg.choose_arg, &cfg, e);

	if (ret < 0)
		return ret;
	r->startup = *r->cfg.startup;
	startup_choose(&r->startup, &cfg, g->rules);
	r->startup.live.wants_places |= r->cfg.watch->scans != NULL;
	g->no_fds = r->startup.no_fds;
	g->no_closings = watch_has_no_closings(r->cfg.watch, g->rules);
	return 0;
}

/* NULL: there are errors, which have been reported. */
static struct generation *make(struct reload *r)
{
	struct config *c = settings_load(r->cfg.settings);
	struct generation *g;
	struct err e = {0};

	if (!c)
		return NULL;
	settings_use(c);
	list_paths(r);
	if (!generation_load(r->cfg.watch, c, &g)) {
		if (!g->rules->n_rules || choose(r, g, &e) < 0) {
			if (e.code)
				report("reload: %s", e.msg);
			generation_free(g);
			g = NULL;
		} else {
			watch_prepare(r->cfg.watch, g);
		}
	}
	settings_use(NULL);
	return g;
}

/* ---- waiting ---- */

/* For ms (negative: as long as it takes), or until something happens. */
static unsigned wait_for(struct reload *r, int ms)
{
	struct pollfd fds[] = {{.fd = r->wake, .events = POLLIN},
			       {.fd = r->files ? filewatch_fd(r->files) : -1, .events = POLLIN}};
	unsigned why = 0;
	uint64_t n;

	if (poll(fds, 2, ms) <= 0)
		return 0;
	if (read(r->wake, &n, sizeof(n)) == sizeof(n) && n % WAKE)
		why |= WHY_HANGUP;
	if (r->files && filewatch_take(r->files))
		why |= WHY_FILES;
	return why;
}

/* Whoever writes several files, or one in pieces, is given time to end. */
static unsigned wait_for_quiet(struct reload *r)
{
	unsigned all = 0, why;

	for (unsigned i = 0; i < QUIET_TRIES && !r->stop; i++) {
		why = wait_for(r, QUIET_MS);
		all |= why;
		if (!(why & WHY_FILES))
			break;
	}
	return all;
}

static void free_done(struct reload *r)
{
	struct generation *g;
	bool any = false;

	while (queue_take(r->done, &g)) {
		any |= g != NULL;
		generation_free(g);
	}
	if (any)
		malloc_trim(0);
}

/* ---- putting in force ---- */

static void tell_file(void *arg, const struct file *f)
{
	(void)arg;
	report("   %s %s", f->path, f->sha256);
}

static void tell_applied(struct reload *r, const struct generation *g)
{
	const char *lacks = r->cfg.live ? live_lacks(r->cfg.live, &r->startup.live) : NULL;
	const char *keys;
	char hash[SHA256_TEXT];
	struct arena a;

	arena_init(&a, 0);
	keys = restart_keys(settings(), config_of(g), &a);
	files_hash(config_of(g), g->rules, hash);
	if (!r->cfg.quiet) {
		report("reload: %zu rules are in force, of these files (all together %.16s):",
		       g->rules->n_rules, hash);
		files_each(config_of(g), g->rules, tell_file, NULL);
	}
	if (*keys)
		report("reload: these keys have other values now, which takes a restart: %s", keys);
	if (lacks)
		report("reload: rules ask now for %s, which takes a restart", lacks);
	if (hosts_are_unasked())
		report("reload: conditions name hosts now, whose addresses take a restart");
	arena_done(&a);
}

/* Until the event thread has it.  False: there is not going to be one any more. */
static bool hand_over(struct reload *r, struct generation *g)
{
	atomic_store(&r->next, g);
	while (atomic_load(&r->next) && !r->stop) {
		r->pending |= wait_for(r, QUIET_MS);
		free_done(r);
	}
	return !atomic_load(&r->next);
}

/* Until these rules are in force nothing is cut, which is right for those before and for them. */
static bool put_in_force(struct reload *r, struct generation *g)
{
	struct gating *gate = r->cfg.is_gated ? gating_new(g->rules) : NULL;
	bool done;

	if (gate)
		gating_set(r->cfg.live, NULL);
	done = hand_over(r, g);
	if (gate && done)
		gating_set(r->cfg.live, gate);
	gating_free(gate);
	return done;
}

static bool apply(struct reload *r, struct generation *g)
{
	struct err e = {0};

	if (r->cfg.live && live_widen(r->cfg.live, &r->startup.live, &e) < 0) {
		report("reload: %s", e.msg);
		generation_free(g);
		return false;
	}
	generation_follow(g, r->newest);
	if (!put_in_force(r, g))
		return true;
	r->newest = g;
	if (r->cfg.live)
		live_narrow(r->cfg.live, &r->startup.live);
	tell_applied(r, g);
	return true;
}

static void refuse(struct reload *r)
{
	r->stats.n_refused++;
	r->stats.is_refused = true;
	report("reload: refused for the errors above; the rules before stay in force");
}

static void leave_unchanged(struct reload *r, struct generation *g)
{
	generation_free(g);
	r->stats.n_unchanged++;
	if (r->stats.is_refused)
		report("reload: the files are again those that the rules in force came from");
	r->stats.is_refused = false;
}

/* Read until nothing changes meanwhile. */
static struct generation *read_all(struct reload *r)
{
	struct generation *g = make(r);

	for (unsigned i = 0; i < READ_TRIES && !r->stop; i++) {
		watch_files(r);
		if (!r->files || ((!g || is_as_read(g)) && !filewatch_take(r->files)))
			break;
		generation_free(g);
		wait_for_quiet(r);
		g = make(r);
	}
	return g;
}

static void reload(struct reload *r, unsigned why)
{
	struct generation *g = read_all(r);

	if (!g)
		refuse(r);
	else if (!(why & WHY_HANGUP) && is_like(g, r->newest))
		leave_unchanged(r, g);
	else if (!apply(r, g))
		refuse(r);
	else
		r->stats.is_refused = false;
}

/* ---- the thread ---- */

static void *work(void *arg)
{
	struct reload *r = arg;
	unsigned why;

	watch_files(r);
	if (r->files && !is_as_read(r->newest))
		r->pending = WHY_FILES;
	while (!r->stop) {
		why = r->pending ? r->pending : wait_for(r, -1);
		r->pending = 0;
		if (why & WHY_FILES)
			why |= wait_for_quiet(r);
		if (why && !r->stop)
			reload(r, why);
		free_done(r);
	}
	return NULL;
}

static void wake(struct reload *r)
{
	static const uint64_t one = WAKE;

	(void)!write(r->wake, &one, sizeof(one));
}

int reload_start(const struct reload_config *cfg, struct reload **ret, struct err *e)
{
	struct reload *r = xcalloc(1, sizeof(*r));
	int code = 0;

	r->cfg = *cfg;
	r->newest = cfg->watch->now;
	r->done = queue_new(DONE_MAX, sizeof(struct generation *));
	r->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->wake < 0)
		code = err_set(e, -errno, "eventfd: %s", strerror(errno));
	if (!code && config_bool(settings(), CONFIG_KEY_WATCH_CONFIG_FILES))
		code = filewatch_new(&r->files, e);
	list_paths(r);
	if (!code)
		code = thread_start(work, r, &r->thread, e);
	if (code) {
		r->stop = true;
		reload_free(r);
		return code;
	}
	cfg->watch->reloads = &r->stats;
	stop_pass_hangups(r->wake);
	*ret = r;
	return 0;
}

void reload_stop(struct reload *r)
{
	if (!r || r->stop)
		return;
	stop_pass_hangups(-1);
	r->stop = true;
	wake(r);
	pthread_join(r->thread, NULL);
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	reload_stop(r);
	free_done(r);
	generation_free(atomic_load(&r->next));
	queue_free(r->done);
	filewatch_free(r->files);
	forget_paths(r);
	free(r->paths);
	if (r->wake >= 0)
		close(r->wake);
	free(r);
}

/* ---- the event thread ---- */

static void count_pause(struct reload_stats *s, uint64_t ns)
{
	unsigned i = 0;

	while (i + 1 < RELOAD_PAUSES && ns > (uint64_t)1000 << i)
		i++;
	s->n_by_pause[i]++;
	s->pause_ns += ns;
	if (ns > s->pause_max_ns)
		s->pause_max_ns = ns;
	s->n_applied++;
	s->applied_ns = clock_ns(CLOCK_REALTIME);
}

static void give_back_done(struct reload *r)
{
	struct generation *g;
	bool any = false;

	while ((g = watch_take_done(r->cfg.watch))) {
		any = true;
		if (!queue_put(r->done, &g))
			generation_free(g);
	}
	if (any)
		wake(r);
}

void reload_poll(struct reload *r)
{
	struct generation *g;
	uint64_t before_ns;

	if (!r)
		return;
	if (r->cfg.watch->replaced)
		give_back_done(r);
	g = atomic_load_explicit(&r->next, memory_order_acquire);
	if (!g || r->cfg.watch->n_replaced >= REPLACED_MAX)
		return;
	before_ns = clock_ns(CLOCK_MONOTONIC);
	watch_replace(r->cfg.watch, g);
	count_pause(&r->stats, clock_ns(CLOCK_MONOTONIC) - before_ns);
	atomic_store(&r->next, NULL);
	wake(r);
}

uint64_t reload_pause_ns(const struct reload_stats *s, double part)
{
	uint64_t n = 0;
	unsigned i = 0;

	for (; i + 1 < RELOAD_PAUSES; i++) {
		n += s->n_by_pause[i];
		if ((double)n >= part * (double)s->n_applied)
			break;
	}
	return (uint64_t)1000 << i;
}

void reload_summarize(const struct reload *r)
{
	if (!r || !(r->stats.n_applied + r->stats.n_refused))
		return;
	report("%" PRIu64 " reloads, %" PRIu64 " refused; events waited for one at most %" PRIu64
	       " us, of 99 %% at most %" PRIu64 " us",
	       r->stats.n_applied, r->stats.n_refused, (r->stats.pause_max_ns + 999) / 1000,
	       reload_pause_ns(&r->stats, 0.99) / 1000);
}
