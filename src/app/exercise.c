/* SPDX-License-Identifier: Apache-2.0 */
#include "app/exercise.h"

#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "app/subprocess.h"
#include "base/alloc.h"
#include "base/stop.h"
#include "enrich/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

enum {
	ARGS_MAX = 1024,
	READY_MS = 120000, /* loading the kernel's programs takes long on a busy machine */
	END_MS = 60000,
	ACT_MS = 20000,
	RECORD_MS = 120000,
	TURN_MS = 100,
	/* Longer than events wait for metadata of their containers. */
	AFTERWARDS_MS = 1500,
};

struct args {
	const char *list[ARGS_MAX];
	unsigned n;
};

static void add(struct args *a, const char *word)
{
	if (a->n < ARGS_MAX - 1)
		a->list[a->n++] = word;
	a->list[a->n] = NULL;
}

static void add_pair(struct args *a, const char *option, const char *value)
{
	if (!value)
		return;
	add(a, option);
	add(a, value);
}

/* ---- the one who watches ---- */

struct watcher {
	struct subprocess p;
	char *bundled; /* NULL: the user names rules */
};

static void add_rules(struct args *a, const struct exercise *x, const char *bundled)
{
	add_pair(a, "--rules", bundled);
	for (size_t i = 0; i < x->o->rules->n; i++)
		add_pair(a, "--rules", x->o->rules->items[i]);
}

static void add_runtimes(struct args *a, const struct exercise_options *o)
{
	for (size_t i = 0; i < o->sockets->n; i++)
		add_pair(a, "--runtime-socket", o->sockets->items[i]);
	add_pair(a, "--k8s-api", o->kube->api);
	add_pair(a, "--k8s-api-cert", o->kube->cert);
	add_pair(a, "--kubeconfig", o->kube->config);
	add_pair(a, "--k8s-node", o->kube->node);
}

/* `saker run` with the same rules and one of our own. */
static int start_watching(struct watcher *w, const struct exercise *x, struct err *e)
{
	struct subprocess_options o = {.input = STR_EMPTY};
	struct args a = {.n = 0};
	struct buf rule;
	int r;

	buf_init(&rule, 1 << 16);
	exercise_add_rule(x->mark, &rule);
	o.input = buf_str(&rule);
	add(&a, SELF);
	add(&a, "run");
	add(&a, "--json");
	add(&a, "--all-matches");
	add_rules(&a, x, w->bundled);
	add_pair(&a, "--rules", "-");
	add_runtimes(&a, x->o);
	r = subprocess_start(&w->p, a.list, &o, e);
	buf_done(&rule);
	return r;
}

/* Keep what matters of the whole lines that came; whether one has this mark. */
static bool take_lines(struct watcher *w, struct exercise *x, const char *mark)
{
	struct str rest = buf_str(&w->p.said);
	bool has_mark = false;
	struct buf tail;
	ptrdiff_t end;

	while ((end = str_chr(rest, '\n')) >= 0) {
		struct str line = str_head(rest, (size_t)end);

		has_mark |= *mark && str_find(line, str_of(mark)) >= 0;
		exercise_take(x, line);
		rest = str_from(rest, (size_t)end + 1);
	}
	buf_init(&tail, SUBPROCESS_TEXT_MAX);
	buf_adds(&tail, rest);
	buf_reset(&w->p.said);
	buf_adds(&w->p.said, buf_str(&tail));
	buf_done(&tail);
	return has_mark;
}

static bool listen_for(struct watcher *w, struct exercise *x, const char *mark, int ms)
{
	for (; ms > 0 && !stop_signal; ms -= TURN_MS) {
		bool goes_on = subprocess_listen(&w->p, TURN_MS);

		if (take_lines(w, x, mark))
			return true;
		if (!goes_on)
			return false;
	}
	return false;
}

/* ---- doing ---- */

static int perform(const struct exercise *x, const char *act, const char *suffix,
		   struct subprocess *p, struct err *e)
{
	const struct subprocess_options none = {.input = STR_EMPTY};
	char mark[MARK_MAX];
	struct args a = {.n = 0};

	snprintf(mark, sizeof(mark), "%s-%s", x->mark, suffix);
	add(&a, SELF);
	add(&a, "doctor");
	add_pair(&a, "--perform", act);
	add_pair(&a, "--mark", mark);
	return subprocess_run(p, a.list, &none, ACT_MS, e);
}

/* Programs with this mark are started until one is told of. */
static bool until_seen(struct watcher *w, struct exercise *x, const char *suffix, int ms)
{
	char mark[MARK_MAX];

	snprintf(mark, sizeof(mark), "%s-%s", x->mark, suffix);
	for (; ms > 0 && !stop_signal && w->p.pid; ms -= 2 * TURN_MS) {
		struct subprocess p;
		struct err e = {0};

		perform(x, "nothing", suffix, &p, &e);
		subprocess_done(&p);
		if (listen_for(w, x, mark, 2 * TURN_MS))
			return true;
	}
	return false;
}

static void do_act(struct exercise *x, struct outcome *o)
{
	struct str said;
	struct subprocess p;
	struct err e = {0};
	char mark[MARK_MAX];

	if (perform(x, o->act->name, o->act->name, &p, &e) < 0)
		buf_addz(&o->why, e.msg);
	o->was_done = !e.code && !p.status;
	said = str_trim(buf_str(&p.complained));
	if (str_starts(said, STR("saker: ")))
		said = str_from(said, 7);
	if (!o->was_done && !e.code)
		buf_adds(&o->why, said);
	subprocess_done(&p);
	snprintf(mark, sizeof(mark), "%s-%s", x->mark, o->act->name);
	act_clean(mark);
}

static void do_all(struct watcher *w, struct exercise *x)
{
	for (unsigned i = 0; i < n_acts && !stop_signal; i++) {
		if (!acts[i].perform)
			continue;
		do_act(x, &x->outcomes[i]);
		listen_for(w, x, "", TURN_MS);
	}
	if (x->o->image && !stop_signal)
		sandbox_run(x);
}

static int tell_no_watch(struct watcher *w, struct err *e)
{
	struct str said;

	subprocess_finish(&w->p, 0);
	said = str_trim(buf_str(&w->p.complained));
	return err_set(e, -EIO, "saker run does not watch: %.*s", STR_ARG(said));
}

static int watch(struct watcher *w, struct exercise *x, struct err *e)
{
	if (!until_seen(w, x, "ready", READY_MS))
		return stop_signal ? err_set(e, -EINTR, "interrupted") : tell_no_watch(w, e);
	do_all(w, x);
	if (!until_seen(w, x, "end", END_MS) && !stop_signal)
		return tell_no_watch(w, e);
	listen_for(w, x, "", AFTERWARDS_MS);
	subprocess_finish(&w->p, 0); /* it tells what is left then */
	take_lines(w, x, "");
	return stop_signal ? err_set(e, -EINTR, "interrupted") : 0;
}

/* ---- why ---- */

/* What the rule's condition said of the act at most; "" when that cannot be told. */
static void add_ending(const json_t *explained, struct buf *why)
{
	const json_t *ended = json_object_get(explained, "ended");
	size_t n = json_array_size(ended);
	const json_t *last = n ? json_array_get(ended, n - 1) : NULL;
	struct str text = tree_text(last, "text"), value = tree_text(last, "value");

	if (tree_number(explained, "matched"))
		buf_addz(why, "done again, it was recorded, and of that the rule speaks");
	else if (text.n)
		buf_addf(why, "its condition ends at '%.*s', which found '%.*s'", STR_ARG(text),
			 STR_ARG(value));
	else
		buf_addz(why, "no event of the rule's types came of it");
}

static int record_act(const struct exercise *x, const struct outcome *o, const char *path,
		      struct err *e)
{
	const struct subprocess_options none = {.input = STR_EMPTY};
	char mark[MARK_MAX], filter[2 * MARK_MAX];
	struct args a = {.n = 0};
	struct subprocess p;
	int r;

	snprintf(mark, sizeof(mark), "%s-again-%s", x->mark, o->act->name);
	snprintf(filter, sizeof(filter), "proc.cmdline contains %s and proc.name != record", mark);
	add(&a, SELF);
	add_pair(&a, "record", path);
	add_pair(&a, "--filter", filter);
	add(&a, "--no-runtimes");
	add(&a, "--");
	add(&a, SELF);
	add(&a, "doctor");
	add_pair(&a, "--perform", o->act->name);
	add_pair(&a, "--mark", mark);
	r = subprocess_run(&p, a.list, &none, RECORD_MS, e);
	if (!r && p.status)
		r = err_set(e, -EIO, "it cannot be recorded");
	subprocess_done(&p);
	act_clean(mark);
	return r;
}

static void explain_act(const struct exercise *x, struct outcome *o, const char *path,
			const char *bundled)
{
	const struct subprocess_options none = {.input = STR_EMPTY};
	char *rule = xstrndup(o->rule->name.p, o->rule->name.n);
	struct args a = {.n = 0};
	struct subprocess p;
	struct err e = {0};
	json_t *explained;

	if (record_act(x, o, path, &e) < 0) {
		buf_addz(&o->why, e.msg);
		free(rule);
		return;
	}
	add(&a, SELF);
	add_pair(&a, "explain", path);
	add_pair(&a, "--rule", rule);
	add(&a, "--json");
	add_rules(&a, x, bundled);
	subprocess_run(&p, a.list, &none, RECORD_MS, &e);
	explained = tree_parse(buf_str(&p.said));
	add_ending(explained, &o->why);
	json_decref(explained);
	subprocess_done(&p);
	free(rule);
}

/* What did not make its rule speak is done again, and recorded, to be explained. */
static void explain_all(struct exercise *x, const char *bundled)
{
	for (unsigned i = 0; i < n_acts && !stop_signal; i++) {
		struct outcome *o = &x->outcomes[i];
		char path[] = "/tmp/saker-doctor-XXXXXX";
		int fd;

		if (o->kind != OUTCOME_MISSED || !o->was_seen || o->why.n)
			continue;
		if (!o->rule || !o->act->perform) {
			buf_addz(&o->why, "its events came, but the rule's condition did not hold");
			continue;
		}
		fd = mkstemp(path);
		if (fd < 0) {
			buf_addf(&o->why, "%s: %s", path, strerror(errno));
			continue;
		}
		explain_act(x, o, path, bundled);
		close(fd);
		unlink(path);
	}
}

/* ---- all ---- */

static int name_it(struct exercise *x, struct err *e)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_set(e, -errno, "no random numbers: %s", strerror(errno));
	snprintf(x->mark, sizeof(x->mark), "saker-doctor-%" PRIx64, random);
	if (x->o->image)
		snprintf(x->name, sizeof(x->name), "%s-container", x->mark);
	return 0;
}

/* They are read twice: by us, and by who watches. */
static int check_rules(const struct exercise *x, struct err *e)
{
	for (size_t i = 0; i < x->o->rules->n; i++) {
		if (!strcmp(x->o->rules->items[i], "-"))
			return err_set(e, -EINVAL,
				       "--exercise cannot take rules from standard input");
	}
	return 0;
}

static enum exit_status tell(const struct exercise *x)
{
	enum exit_status status;
	struct sink s;
	bool good;

	sink_init(&s);
	good = (x->o->json ? exercise_json : exercise_text)(x, &s.text);
	status = sink_close(&s);
	return good ? status : EXIT_FAULT;
}

enum exit_status exercise(const struct exercise_options *o, const struct ruleset *rules)
{
	struct watcher w = {.bundled = o->rules->n ? NULL : rulefiles_bundled()};
	enum exit_status status = EXIT_FAULT;
	struct exercise x;
	struct err e = {0};
	int r;

	stop_on_signals();
	exercise_init(&x, o, rules);
	r = check_rules(&x, &e);
	if (!r)
		r = name_it(&x, &e);
	if (!r) {
		r = start_watching(&w, &x, &e);
		if (!r)
			r = watch(&w, &x, &e);
		subprocess_done(&w.p);
	}
	if (!r) {
		exercise_judge(&x);
		explain_all(&x, w.bundled);
		status = tell(&x);
	} else {
		report("doctor: %s", e.msg);
		status = r == -EINVAL ? EXIT_USAGE : EXIT_FAULT;
	}
	exercise_done(&x);
	free(w.bundled);
	return status;
}
