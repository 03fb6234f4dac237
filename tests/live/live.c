/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe against the running kernel: a child makes system calls and says what their records
 * must hold (want.h); the records are compared parameter by parameter.  Every event type that
 * the probe can send must have been wanted.
 */
#include "tests/live/want.h"

#include "capture/live.h"
#include "event/event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WANTS = 1024, TEXT_BYTES = 4 << 20, RECORD_BYTES = 64 << 20 };

enum param_kind { IS_BYTES, IS_ANY, IS_RANGE };

struct param {
	enum param_kind kind;
	uint32_t at, n; /* in text */
	uint64_t low, high;
};

struct wanted {
	enum event_code type;
	pid_t tid;
	const char *note; /* NULL: none */
	unsigned n;
	struct param params[EVENT_MAX_PARAMS];
};

/* Shared by parent and child. */
struct wishes {
	unsigned n;
	uint32_t used;
	bool done;
	struct wanted list[MAX_WANTS];
	uint8_t text[TEXT_BYTES];
};

static struct wishes *wishes;
static unsigned n_tests, n_failed;
static bool has_compat;

void want_of(enum event_code type, pid_t tid)
{
	struct wanted *w = &wishes->list[wishes->n];

	if (wishes->n + 1 == MAX_WANTS)
		abort();
	w->type = type;
	w->tid = tid;
	wishes->n++;
}

void want(enum event_code type)
{
	want_of(type, (pid_t)syscall(SYS_gettid));
}

void want_note(const char *note)
{
	wishes->list[wishes->n - 1].note = note;
}

static struct param *new_param(enum param_kind kind)
{
	struct wanted *w = &wishes->list[wishes->n - 1];
	struct param *p = &w->params[w->n++];

	p->kind = kind;
	return p;
}

void pbytes(const void *bytes, size_t n)
{
	struct param *p = new_param(IS_BYTES);

	p->at = wishes->used;
	p->n = (uint32_t)n;
	memcpy(wishes->text + wishes->used, bytes, n);
	wishes->used += (uint32_t)n;
}

void p8(uint8_t v)
{
	pbytes(&v, sizeof(v));
}

void p16(uint16_t v)
{
	pbytes(&v, sizeof(v));
}

void p32(uint32_t v)
{
	pbytes(&v, sizeof(v));
}

void p64(uint64_t v)
{
	pbytes(&v, sizeof(v));
}

void pstr(const char *s)
{
	pbytes(s, strlen(s) + 1);
}

void pempty(void)
{
	pbytes("", 0);
}

void pany(size_t n)
{
	new_param(IS_ANY)->n = (uint32_t)n;
}

void prange(uint64_t low, uint64_t high, size_t bytes)
{
	struct param *p = new_param(IS_RANGE);

	p->low = low;
	p->high = high;
	p->n = (uint32_t)bytes;
}

long result(long r)
{
	return r == -1 ? -errno : r;
}

/* What came. */

struct records {
	uint8_t *bytes;
	size_t n;
};

static void keep(struct records *all, const struct record *r)
{
	if (all->n + r->event.n > RECORD_BYTES)
		return;
	memcpy(all->bytes + all->n, r->event.p, r->event.n);
	all->n += r->event.n;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* On an emulated machine, which is slow, as many times as long as it says. */
static unsigned wait_seconds(void)
{
	const char *patience = getenv("SAKER_PATIENCE");

	return 20 * (patience ? (unsigned)atoi(patience) : 1);
}

/* Everything until the child has ended, and what was still on its way. */
static int collect(struct live *l, pid_t child, struct records *all)
{
	double end = seconds() + wait_seconds();
	struct record r;
	struct err e = {0};
	bool ended = false;
	int status = 0, more;

	while (seconds() < end) {
		more = source_next(live_source(l), &r, &e);
		if (more < 0) {
			printf("Bail out! %s\n", e.msg);
			exit(1);
		}
		if (more) {
			keep(all, &r);
			continue;
		}
		if (!ended && waitpid(child, &status, WNOHANG) == child) {
			ended = true;
			end = seconds() + 0.2;
		}
		live_wait(l, 1000000);
	}
	return ended ? status : -1;
}

static bool param_fits(const struct param *p, struct str got)
{
	if (p->kind == IS_ANY)
		return !p->n || got.n == p->n;
	if (got.n != p->n)
		return false;
	if (p->kind == IS_BYTES)
		return !memcmp(wishes->text + p->at, got.p, got.n);
	return str_le(got) >= p->low && str_le(got) <= p->high;
}

static void print_bytes(const char *what, struct str s)
{
	printf("#     %s %zu bytes:", what, s.n);
	for (size_t i = 0; i < s.n && i < 48; i++)
		printf(" %02x", (uint8_t)s.p[i]);
	printf("  '");
	for (size_t i = 0; i < s.n && i < 48; i++)
		putchar(s.p[i] >= ' ' && s.p[i] < 127 ? s.p[i] : '.');
	printf("'\n");
}

/* The first parameter that is wrong, or -1. */
static int mismatch(const struct wanted *w, const struct event *ev)
{
	for (unsigned i = 0; i < w->n; i++) {
		if (i >= ev->n_params || !param_fits(&w->params[i], event_param(ev, i)))
			return (int)i;
	}
	return -1;
}

static void explain(const struct wanted *w, const struct event *ev)
{
	int i = mismatch(w, ev);
	const struct param *p = &w->params[i];

	if (i >= event_table[w->type].n_params) {
		printf("#   the test wants more parameters than there are\n");
		return;
	}
	printf("#   parameter %d, %s\n", i, event_table[w->type].params[i].name);
	if (p->kind == IS_BYTES)
		print_bytes("want", (struct str){(char *)wishes->text + p->at, p->n});
	else
		printf("#     want %u bytes from %llu to %llu\n", p->n, (unsigned long long)p->low,
		       (unsigned long long)p->high);
	print_bytes("got ", event_param(ev, (unsigned)i));
}

static void outcome(bool ok, const char *what, const struct wanted *w)
{
	n_failed += !ok;
	printf("%sok %u - %s%s%s%s\n", ok ? "" : "not ", ++n_tests, what,
	       w ? event_table[w->type].name : "", w && w->note ? " " : "",
	       w && w->note ? w->note : "");
}

/* Some record of the thread fits; if none does, the one that comes nearest is shown. */
static void check(const struct wanted *w, const struct records *all)
{
	struct event ev, nearest = {0};
	int best = -1;

	for (size_t at = 0; at < all->n;) {
		uint32_t n;
		int bad;

		memcpy(&n, all->bytes + at + 16, sizeof(n));
		if (event_decode(all->bytes + at, n, &ev, NULL) < 0) {
			outcome(false, "a record that cannot be decoded", NULL);
			return;
		}
		at += n;
		if (ev.type != w->type || ev.tid != w->tid)
			continue;
		bad = mismatch(w, &ev);
		if (bad < 0) {
			outcome(w->n == event_table[w->type].n_params, "", w);
			return;
		}
		if (bad > best) {
			best = bad;
			nearest = ev;
		}
	}
	outcome(false, "", w);
	if (best < 0)
		printf("#   no record of thread %d\n", w->tid);
	else
		explain(w, &nearest);
}

static bool is_wanted(unsigned type)
{
	for (unsigned i = 0; i < wishes->n; i++) {
		if (wishes->list[i].type == type)
			return true;
	}
	return false;
}

/* Of calls that only 32-bit programs have, where the kernel runs none. */
static bool is_impossible(unsigned type)
{
	static const uint16_t only_compat[] = {EV_SYSCALL_UMOUNT_1_X, EV_SYSCALL_LLSEEK_X,
					       EV_SYSCALL_MMAP2_X,    EV_SYSCALL_STAT64_X,
					       EV_SYSCALL_LSTAT64_X,  EV_SYSCALL_FSTAT64_X,
					       EV_SOCKET_SEND_X,      EV_SOCKET_RECV_X};

	for (size_t i = 0; i < sizeof(only_compat) / sizeof(only_compat[0]); i++) {
		if (only_compat[i] == type)
			return !has_compat;
	}
	return false;
}

/* No event type of the probe without a test. */
static void check_table(void)
{
	for (unsigned code = 1; code < SC_COUNT; code++) {
		unsigned type = syscall_table[code].exit;

		if (is_wanted(type) || is_impossible(type))
			continue;
		printf("# %s has no test\n", event_table[type].name);
		outcome(false, "every type has a test", NULL);
		return;
	}
	outcome(true, "every type has a test", NULL);
}

static void check_programs(struct live *l)
{
	struct live_stats s;

	live_get_stats(l, &s);
	outcome(!live_n_refused(l), "no program was refused", NULL);
	outcome(s.lost_by_reason[LOSS_TOO_MANY] >= 2, "messages left out are counted", NULL);
	outcome(s.shortened[SHORTENED_VECTOR] && s.shortened[SHORTENED_POLL],
		"what is left out of records is counted", NULL);
	printf("# programs loaded: %u\n", s.n_programs);
	for (unsigned i = 0; i < live_n_refused(l); i++) {
		const char *reason, *program = live_refused(l, i, &reason);

		printf("# refused: %s: %s\n", program, reason);
	}
}

static void child(void)
{
	char dir[] = "/tmp/saker-live-XXXXXX";

	alarm(wait_seconds());
	if (!mkdtemp(dir) || chdir(dir) < 0)
		_exit(1);
	cases_file();
	cases_socket();
	cases_memory();
	cases_uring();
	if (has_compat)
		cases_compat();
	cases_process();
	_exit(0);
}

static void skip(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(0);
}

int main(void)
{
	struct live_config cfg = LIVE_CONFIG_DEFAULT;
	uint64_t every[(SC_COUNT + 63) / 64];
	struct records all = {0};
	struct err e = {0};
	struct live *l;
	pid_t pid;
	int status;

	if (geteuid())
		skip("needs root");
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		skip("needs a kernel with BTF");
	wishes = mmap(NULL, sizeof(*wishes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	all.bytes = malloc(RECORD_BYTES);
	memset(every, 0xff, sizeof(every));
	every[SC_SCHED_SWITCH / 64] &= ~((uint64_t)1 << SC_SCHED_SWITCH % 64);
	cfg.syscalls = every;
	if (live_open(&cfg, &l, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		return 1;
	}
	has_compat = compat_is_there();
	fflush(stdout);
	pid = fork();
	if (!pid)
		child();
	status = collect(l, pid, &all);
	outcome(WIFEXITED(status) && !WEXITSTATUS(status), "the calls were made", NULL);
	check_programs(l);
	for (unsigned i = 0; i < wishes->n; i++)
		check(&wishes->list[i], &all);
	check_table();
	printf("1..%u\n", n_tests);
	source_close(live_source(l));
	free(all.bytes);
	return n_failed != 0;
}
