/* SPDX-License-Identifier: Apache-2.0 */
#include "app/outputs.h"

#include "app/privilege.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/alloc.h"
#include "base/stop.h"
#include "output/senders.h"
#include "output/sequence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* The kinds of outputs there are. */
static const struct way {
	enum config_id enabled;
	const struct sender_kind *kind;
	unsigned needs; /* enum privilege_need */
} ways[] = {
	{CONFIG_KEY_FILE_ENABLED, &file_sender, NEED_WRITE},
	{CONFIG_KEY_SYSLOG_ENABLED, &syslog_sender, NEED_CONNECT},
	{CONFIG_KEY_PROGRAM_ENABLED, &program_sender, NEED_PROGRAMS},
	/* Threads: libcurl has one ask for an address, librdkafka has one for each broker. */
	{CONFIG_KEY_HTTP_ENABLED, &http_sender, NEED_CONNECT | NEED_THREADS},
	{CONFIG_KEY_KAFKA_ENABLED, &kafka_sender, NEED_CONNECT | NEED_THREADS},
	{CONFIG_KEY_REDIS_ENABLED, &redis_sender, NEED_CONNECT},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]), TAGS_BYTES_MAX = 1 << 20, NAP_NS = 1000000 };

struct output {
	struct outlet *outlet;
	bool has_ended, hangs; /* hangs: its thread did not end in time */
	bool patient;	       /* there is time to wait for a queue with room */
};

struct outputs {
	struct output list[WAYS];
	size_t n;
	struct sequence *sequence;
	const char *host;
	bool json;
	struct buf tags;
	/* outputs.rate: how many alerts there may be now, and when that was. */
	double rate, burst, tokens;
	uint64_t filled_ns, n_limited;
};

static volatile sig_atomic_t reopen_asked;

static void on_reopen(int sig)
{
	(void)sig;
	reopen_asked = 1;
}

static bool is_on(const struct way *w)
{
	return config_bool(settings(), w->enabled);
}

static const char *spool_path(void)
{
	return config_text(settings(), CONFIG_KEY_SPOOL_PATH);
}

bool outputs_any(void)
{
	bool any = config_bool(settings(), CONFIG_KEY_STDOUT_ENABLED);

	for (size_t i = 0; i < WAYS; i++)
		any |= is_on(&ways[i]);
	return any;
}

unsigned outputs_needs(void)
{
	unsigned needs = 0;

	for (size_t i = 0; i < WAYS; i++) {
		if (is_on(&ways[i]))
			needs |= ways[i].needs | (*spool_path() ? NEED_WRITE : 0);
	}
	return needs;
}

/* ---- begin ---- */

static int open_spool(const char *name, struct spool **ret, struct err *e)
{
	const char *folder = spool_path();
	char *path;
	int r = 0;

	if (!*folder)
		return 0;
	if (mkdir(folder, 0700) && errno != EEXIST)
		return err_set(e, -errno, "saker.outputs.spool.path: %s: %s", folder,
			       strerror(errno));
	path = xasprintf("%s/%s", folder, name);
	if (spool_open(path, config_number(settings(), CONFIG_KEY_SPOOL_MAX), ret, e) < 0)
		r = err_prepend(e, "saker.outputs.spool.path: ");
	free(path);
	return r;
}

static int open_way(struct outputs *o, const struct way *w, bool patient, uint64_t *last_seq,
		    struct err *e)
{
	const struct config *c = settings();
	struct output *out = &o->list[o->n];
	struct outlet_config cfg = {
		.kind = w->kind,
		.queue_bytes = config_number(c, CONFIG_KEY_QUEUE_MEMORY),
		.queue_alerts = config_number(c, CONFIG_KEY_OUTPUTS_QUEUE),
		.timeout_ms = config_number(c, CONFIG_KEY_OUTPUT_TIMEOUT),
		.retry_max_ms = config_number(c, CONFIG_KEY_RETRY_MAX),
	};
	int r = open_spool(w->kind->name, &cfg.spool, e);

	if (r < 0)
		return r;
	if (cfg.spool && spool_last_seq(cfg.spool) > *last_seq)
		*last_seq = spool_last_seq(cfg.spool);
	cfg.sender = w->kind->open(c, e);
	if (!cfg.sender) {
		spool_close(cfg.spool);
		return e->code ? e->code : -EINVAL;
	}
	r = outlet_open(&cfg, &out->outlet, e);
	if (r < 0)
		return r;
	out->patient = patient;
	o->n++;
	return 0;
}

static int open_sequence(struct outputs *o, uint64_t last_seq, struct err *e)
{
	char *path = *spool_path() && o->n ? xasprintf("%s/sequence", spool_path()) : NULL;
	int r = sequence_open(path, last_seq, &o->sequence, e);

	free(path);
	return r;
}

int outputs_open(const char *host, bool json, bool patient, struct outputs **ret, struct err *e)
{
	struct sigaction reopen = {.sa_handler = on_reopen, .sa_flags = SA_RESTART};
	struct outputs *o = xcalloc(1, sizeof(*o));
	uint64_t last_seq = 0;
	int r = 0;

	o->host = host;
	o->json = json;
	o->rate = config_decimal(settings(), CONFIG_KEY_OUTPUTS_RATE);
	o->burst = o->tokens = (double)config_number(settings(), CONFIG_KEY_OUTPUTS_BURST);
	buf_init(&o->tags, TAGS_BYTES_MAX);
	sigaction(SIGUSR1, &reopen, NULL);
	for (size_t i = 0; i < WAYS && !r; i++) {
		if (is_on(&ways[i]))
			r = open_way(o, &ways[i], patient, &last_seq, e);
	}
	if (!r)
		r = open_sequence(o, last_seq, e);
	if (r < 0) {
		outputs_free(o);
		return r;
	}
	*ret = o;
	return 0;
}

int outputs_start(struct outputs *o, struct err *e)
{
	int r = 0;

	for (size_t i = 0; o && i < o->n && !r; i++)
		r = outlet_start(o->list[i].outlet, e);
	return r;
}

/* ---- alerts ---- */

bool outputs_may(struct outputs *o, uint64_t ns)
{
	if (o->rate <= 0)
		return true;
	if (ns > o->filled_ns && o->filled_ns)
		o->tokens += (double)(ns - o->filled_ns) / 1e9 * o->rate;
	if (ns > o->filled_ns)
		o->filled_ns = ns;
	if (o->tokens > o->burst)
		o->tokens = o->burst;
	if (o->tokens < 1) {
		o->n_limited++;
		return false;
	}
	o->tokens--;
	return true;
}

static struct str join_tags(struct outputs *o, const struct rule *r)
{
	buf_reset(&o->tags);
	for (size_t i = 0; i < r->n_tags; i++) {
		if (i)
			buf_addc(&o->tags, ',');
		buf_adds(&o->tags, r->tags[i]);
	}
	return buf_str(&o->tags);
}

/* For as long as we would wait at the end; having waited in vain once is enough. */
static bool wait_for_room(struct output *out, const struct alert *a)
{
	uint64_t left = config_number(settings(), CONFIG_KEY_DRAIN) * 1000000 / NAP_NS;
	const struct timespec nap = {0, NAP_NS};

	for (; left && !stop_due(); left--) {
		nanosleep(&nap, NULL);
		if (outlet_put(out->outlet, a, true) != -EAGAIN)
			return true;
	}
	out->patient = false;
	return false;
}

void outputs_put(struct outputs *o, const struct rule *r, uint64_t ns, struct str line)
{
	struct alert a;

	if (!o || !o->n || !line.n)
		return;
	a = (struct alert){
		.time = ns,
		.line = str_head(line, line.n - 1),
		.rule = r->name,
		.source = r->source,
		.host = str_of(o->host),
		.tags = join_tags(o, r),
		.priority = r->priority,
		.json = o->json,
	};
	outputs_give(o, &a);
}

void outputs_give(struct outputs *o, const struct alert *alert)
{
	struct alert a = *alert;

	if (!o || !o->n)
		return;
	a.seq = sequence_next(o->sequence);
	for (size_t i = 0; i < o->n; i++) {
		struct output *out = &o->list[i];

		if (outlet_put(out->outlet, &a, out->patient) == -EAGAIN && out->patient &&
		    !wait_for_room(out, &a))
			outlet_put(out->outlet, &a, false);
	}
}

/* ---- what happens to them ---- */

static void tell(const char *name, enum outlet_news n, const struct err *why)
{
	static const char *const texts[] = {
		[NEWS_AWAY] = "alerts wait and are tried again",
		[NEWS_BACK] = "it works again",
		[NEWS_STUCK] = "longer than output_timeout a call does not return; nothing else "
			       "waits for it",
		[NEWS_REFUSED] = "an alert was refused, which is said once",
		[NEWS_SPOOL] = "nothing can be put on disk",
	};

	report("%s_output: %s%s%s%s", name, texts[n], *why->msg ? " (" : "", why->msg,
	       *why->msg ? ")" : "");
}

static void tell_all(const struct output *out)
{
	enum outlet_news n;
	struct err why;

	for (;;) {
		why = (struct err){0};
		n = outlet_take_news(out->outlet, &why);
		if (n == NEWS_NONE)
			return;
		tell(outlet_name(out->outlet), n, &why);
	}
}

void outputs_tick(struct outputs *o)
{
	bool reopens = reopen_asked;

	reopen_asked = 0;
	for (size_t i = 0; o && i < o->n; i++) {
		if (reopens)
			outlet_reopen(o->list[i].outlet);
		tell_all(&o->list[i]);
	}
}

/* ---- end ---- */

/* What a thread that does not end has not passed on is as good as lost. */
static void final_stats(const struct output *out, struct outlet_stats *ret)
{
	outlet_get_stats(out->outlet, ret);
	if (out->hangs)
		ret->n_lost[LOST_END] += ret->n_waiting;
}

static void end_output(struct output *out)
{
	out->hangs = !outlet_join(out->outlet);
	out->has_ended = true;
	tell_all(out);
}

enum exit_status outputs_end(struct outputs *o)
{
	uint64_t within_ms = config_number(settings(), CONFIG_KEY_DRAIN);
	enum exit_status status = EXIT_DONE;

	outputs_tick(o);
	for (size_t i = 0; o && i < o->n; i++)
		outlet_end(o->list[i].outlet, within_ms);
	for (size_t i = 0; o && i < o->n; i++) {
		struct outlet_stats s;

		end_output(&o->list[i]);
		final_stats(&o->list[i], &s);
		/* The usual configuration enables a log that many containers do not have. */
		if (s.n_lost[LOST_END] && !s.is_missing)
			status = EXIT_FAULT;
	}
	return status;
}

static void summarize(const struct output *out, bool quiet)
{
	const char *name = outlet_name(out->outlet);
	struct outlet_stats s;

	final_stats(out, &s);
	if (!quiet)
		report_info("%s_output: %" PRIu64 " sent, %" PRIu64 " calls made again%s", name,
			    s.n_sent, s.n_retried,
			    out->hangs ? "; its last call did not return" : "");
	if (s.n_spool && !quiet)
		report_info("%s_output: %" PRIu64 " alerts wait on disk for the next start", name,
			    s.n_spool);
	for (unsigned i = 0; i < LOST_COUNT; i++) {
		if (s.n_lost[i])
			report("%s_output: %" PRIu64 " alerts lost: %s", name, s.n_lost[i],
			       outlet_loss_texts[i]);
	}
}

void outputs_summarize(const struct outputs *o, bool quiet)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n; i++)
		summarize(&o->list[i], quiet);
	if (o->n_limited)
		report_warning("%" PRIu64 " alerts were more than outputs.rate allows",
			       o->n_limited);
}

void outputs_free(struct outputs *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n; i++) {
		if (!o->list[i].has_ended)
			outlet_end(o->list[i].outlet, 0);
		if (outlet_join(o->list[i].outlet))
			outlet_close(o->list[i].outlet);
	}
	sequence_close(o->sequence);
	buf_done(&o->tags);
	free(o);
}

/* ---- for metrics ---- */

bool outputs_stats(const struct outputs *o, size_t i, const char **ret_name,
		   struct outlet_stats *ret)
{
	if (!o || i >= o->n)
		return false;
	*ret_name = outlet_name(o->list[i].outlet);
	outlet_get_stats(o->list[i].outlet, ret);
	return true;
}

uint64_t outputs_n_limited(const struct outputs *o)
{
	return o ? o->n_limited : 0;
}
