/* SPDX-License-Identifier: Apache-2.0 */
#include "app/scans.h"

#include "app/privilege.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/alloc.h"
#include "output/alert.h"
#include "state/fd.h"
#include "state/place.h"
#include "state/thread.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define TAG "scan"

enum { CHUNK_BYTES = 4096, SCANNER_DEPTH_MAX = 16 /* of processes below the scanner */ };

/* What an alert will say, by the number of its job. */
struct pending_alert {
	struct kept kept;
	struct event ev; /* no more than its time and type is good */
	const void *set; /* whose rule it is; NULL: the job is over */
};

struct scans {
	enum scanner_kind kind;
	struct scanner *scanner;
	struct pending_alert *alerts;
	size_t n_alerts;
	struct scan_job *shown; /* by scans_next() */
	struct moment moment;	/* of that */
	struct arena scratch;
	const struct state *state;
	uint64_t n_asked, n_refused, n_own, n_by_outcome[SCAN_OUTCOMES], longest_ns;
};

/* ---- set up ---- */

struct choice {
	const char *where;
	enum scanner_kind kind;
};

enum { N_KINDS = 3 };

static int choose(const struct choice given[N_KINDS], struct scanner_config *cfg, struct err *e)
{
	for (unsigned i = 0; i < N_KINDS; i++) {
		if (!given[i].where)
			continue;
		if (cfg->where)
			return err_set(e, -EINVAL, "there can be one scanner, not two");
		cfg->where = given[i].where;
		cfg->kind = given[i].kind;
	}
	return 0;
}

/* One on the command line stands instead of whichever the configuration has. */
static int choose_kind(const struct scans_options *o, struct scanner_config *cfg, struct err *e)
{
	const struct choice options[N_KINDS] = {
		{o->command, SCANNER_COMMAND},
		{o->socket, SCANNER_SERVER},
		{o->clamd, SCANNER_CLAMD},
	};
	const struct choice keys[N_KINDS] = {
		{settings_text(NULL, CONFIG_KEY_SCANNER_COMMAND), SCANNER_COMMAND},
		{settings_text(NULL, CONFIG_KEY_SCANNER_SOCKET), SCANNER_SERVER},
		{settings_text(NULL, CONFIG_KEY_SCANNER_CLAMD), SCANNER_CLAMD},
	};
	int r = choose(options, cfg, e);

	return r < 0 || cfg->where ? r : choose(keys, cfg, e);
}

int scans_open(const struct scans_options *o, struct scans **ret, struct err *e)
{
	struct scanner_config cfg = {
		.host_root = getenv("HOST_ROOT"),
		.max_bytes = settings_number(o->max_bytes, CONFIG_KEY_SCANNER_MAX_SIZE),
		.per_second = settings_number(o->per_second, CONFIG_KEY_SCANNER_RATE),
		.timeout_ms = settings_number(o->timeout_ms, CONFIG_KEY_SCANNER_TIMEOUT_MS),
		.n_running = settings_number(o->n_running, CONFIG_KEY_SCANNER_JOBS),
		.n_waiting = settings_number(o->n_waiting, CONFIG_KEY_SCANNER_QUEUE),
	};
	struct scanner *scanner;
	int r = choose_kind(o, &cfg, e);

	if (r < 0 || !cfg.where)
		return r;
	r = scanner_new(&cfg, &scanner, e);
	if (r < 0)
		return r;
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->kind = cfg.kind;
	(*ret)->scanner = scanner;
	(*ret)->n_alerts = cfg.n_waiting;
	(*ret)->alerts = xcalloc(cfg.n_waiting, sizeof(*(*ret)->alerts));
	for (size_t i = 0; i < cfg.n_waiting; i++)
		arena_init(&(*ret)->alerts[i].kept.arena, CHUNK_BYTES);
	arena_init(&(*ret)->scratch, 0);
	return 0;
}

void scans_free(struct scans *s)
{
	if (!s)
		return;
	scanner_free(s->scanner);
	for (size_t i = 0; i < s->n_alerts; i++)
		arena_done(&s->alerts[i].kept.arena);
	arena_done(&s->scratch);
	free(s->alerts);
	free(s);
}

unsigned scans_needs(const struct scans *s)
{
	if (!s)
		return 0;
	return s->kind == SCANNER_COMMAND ? NEED_PROGRAMS : NEED_CONNECT;
}

int scans_start(struct scans *s, struct err *e)
{
	return s ? scanner_start(s->scanner, e) : 0;
}

void scans_stop(struct scans *s)
{
	if (s)
		scanner_stop(s->scanner);
}

bool scans_is_busy(const struct scans *s)
{
	return s && scanner_n_out(s->scanner);
}

/* ---- asking ---- */

static bool has_tag(const struct rule *r)
{
	for (size_t i = 0; i < r->n_tags; i++) {
		if (str_is(r->tags[i], TAG))
			return true;
	}
	return false;
}

/* Whether it is the scanner itself, or what it started, that closes the file. */
static bool is_by_scanner(const struct scans *s, const struct field_ctx *c)
{
	pid_t pid = scanner_pid(s->scanner);

	for (unsigned up = 0; pid && c->m->thread && up < SCANNER_DEPTH_MAX; up++) {
		const struct thread *t = thread_ancestor(c->state, c->m->thread, up);

		if (!t)
			return false;
		if (t->pid == pid)
			return true;
	}
	return false;
}

/* Where it is, as far as that is known. */
static void note_paths(const struct field_ctx *c, const struct fd *fd, struct arena *a,
		       struct scan_target *t)
{
	char *buf = arena_alloc(c->scratch, PLACE_TEXT_MAX);
	struct str host;
	struct place p;

	if (!place_read(fd->place, &p)) {
		t->path = arena_str(a, istr_str(fd->name));
		return;
	}
	t->path = arena_str(a, p.path);
	t->real_dev = p.real_dev;
	t->magic = p.magic;
	if (state_host_path(c->state, fd->place, buf, &host) == PLACE_KNOWN)
		t->host = arena_str(a, host);
}

const void *scans_note(const struct scans *s, const struct field_ctx *c, struct arena *a)
{
	const struct closing *closing = c->m->closing;
	const struct fd *fd = c->m->fd;
	struct scan_target *t;

	if (!closing || !fd)
		return NULL;
	t = arena_calloc(a, 1, sizeof(*t));
	t->tid = c->m->ev.tid;
	t->size = closing->size;
	t->ino = closing->is_told ? closing->ino : fd->ino;
	t->dev = closing->is_told ? closing->dev : fd->dev;
	t->path = t->host = STR_EMPTY;
	t->by_scanner = is_by_scanner(s, c);
	note_paths(c, fd, a, t);
	return t;
}

static void ask(struct scans *s, const struct rule *r, const void *set, struct scan_job *job,
		const struct field_ctx *c)
{
	struct pending_alert *p = &s->alerts[job->number];

	p->ev = c->m->ev;
	p->set = set;
	kept_begin(&p->kept, c);
	alert_keep(r, c, &p->kept);
	p->kept.is_final = true;
	s->state = c->state;
	s->n_asked++;
	scanner_put(s->scanner, job);
}

bool scans_ask(struct scans *s, const struct rule *r, uint32_t id, const void *set,
	       const struct field_ctx *c)
{
	const struct scan_target *t;
	struct scan_job *job;

	if (!has_tag(r))
		return false;
	t = c->kept ? c->kept->noted : scans_note(s, c, c->scratch);
	if (!t)
		return false;
	if (t->by_scanner) {
		s->n_own++;
		return true;
	}
	job = scanner_take(s->scanner, id, t);
	if (job)
		ask(s, r, set, job, c);
	else
		s->n_refused++;
	return true;
}

/* ---- answers ---- */

static void count(struct scans *s, const struct scan_job *job)
{
	if (job->verdict.outcome == SCAN_FAILED && !s->n_by_outcome[SCAN_FAILED])
		report("the scanner fails or cannot be reached: files stay unscanned; how many, "
		       "is said at the end");
	s->n_by_outcome[job->verdict.outcome]++;
	if (job->verdict.outcome <= SCAN_TIMED_OUT && job->wait_ns > s->longest_ns)
		s->longest_ns = job->wait_ns;
}

/* One that says nothing at all still says that. */
static struct str text_of(const struct verdict *v)
{
	return v->n ? (struct str){v->text, v->n} : STR("found");
}

static void show(struct scans *s, struct scan_job *job, struct field_ctx *ret)
{
	struct pending_alert *p = &s->alerts[job->number];

	s->shown = job;
	s->moment = (struct moment){.ev = p->ev};
	p->kept.verdict = text_of(&job->verdict);
	arena_reset(&s->scratch);
	*ret = (struct field_ctx){
		.state = s->state, .m = &s->moment, .scratch = &s->scratch, .kept = &p->kept};
}

static void give_back(struct scans *s, struct scan_job *job)
{
	s->alerts[job->number].set = NULL;
	scanner_give_back(s->scanner, job);
}

bool scans_wait_for(const struct scans *s, const void *set)
{
	for (size_t i = 0; s && i < s->n_alerts; i++)
		if (s->alerts[i].set == set)
			return true;
	return false;
}

bool scans_next(struct scans *s, uint32_t *ret_id, const void **ret_set, struct field_ctx *ret)
{
	struct scan_job *job;

	if (!s)
		return false;
	if (s->shown)
		give_back(s, s->shown);
	s->shown = NULL;
	while ((job = scanner_result(s->scanner))) {
		count(s, job);
		if (job->verdict.outcome == SCAN_FOUND) {
			*ret_id = job->rule;
			*ret_set = s->alerts[job->number].set;
			show(s, job, ret);
			return true;
		}
		give_back(s, job);
	}
	return false;
}

void scans_summarize(const struct scans *s)
{
	static const char *const texts[SCAN_OUTCOMES] = {
		[SCAN_CLEAN] = "clean",
		[SCAN_FOUND] = "with something in it",
		[SCAN_FAILED] = "that the scanner could not tell of",
		[SCAN_TIMED_OUT] = "that took too long",
		[SCAN_GONE] = "that were gone by then",
		[SCAN_DENIED] = "that could not be opened",
		[SCAN_TOO_BIG] = "that are too large",
		[SCAN_UNFIT] = "of file systems whose files are not scanned",
		[SCAN_REPLACED] = "that were written again before their turn",
		[SCAN_UNFINISHED] = "not done by the end",
	};

	if (!s)
		return;
	report_info("%" PRIu64 " files for the scanner, the longest took %" PRIu64 " ms; %" PRIu64
		    " more found no place in the queue, %" PRIu64 " were its own",
		    s->n_asked, s->longest_ns / 1000000, s->n_refused, s->n_own);
	for (unsigned i = 0; i < SCAN_OUTCOMES; i++) {
		if (s->n_by_outcome[i])
			report_info("%8" PRIu64 "  %s", s->n_by_outcome[i], texts[i]);
	}
}
