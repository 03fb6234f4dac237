/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that change what a call was given while it is under way: the enter event tells what
 * was there first, and comes only then.
 */
#include "base/test.h"

#include "base/alloc.h"
#include "capture/live.h"
#include "event/event.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RACES = 1000, SEEN_MAX = 8192, NAME_BYTES = 512, SETTLE_NS = 5000000, SPINS_MAX = 1500 };

/* What the kernel says within to a call that a signal ends. */
enum { ERESTARTSYS = 512 };

#define SECRET "secret"
#define DECOY "decoy!"

struct seen {
	uint16_t type;
	int64_t res;
	char name[NAME_BYTES];
};

static struct live *live;
static struct seen *seen;
static unsigned n_seen;
/* Of the child. */
static char name[NAME_BYTES];
static struct sockaddr_un address;
static struct open_how how;
static pid_t caller;
static int server, sleeps_in;
static volatile int round_no, round_done;

static void must(bool ok)
{
	if (!ok)
		_exit(3);
}

/* ---- watching ---- */

/* Where each has its result and the name; -1: no result. */
static const struct {
	uint16_t type;
	int res, name;
} places[] = {
	{EV_SYSCALL_OPEN_E, -1, 0},	{EV_SYSCALL_OPEN_X, 0, 1},
	{EV_SYSCALL_CREAT_E, -1, 0},	{EV_SYSCALL_CREAT_X, 0, 1},
	{EV_SYSCALL_OPENAT_2_E, -1, 1}, {EV_SYSCALL_OPENAT_2_X, 0, 2},
	{EV_SYSCALL_OPENAT2_E, -1, 1},	{EV_SYSCALL_OPENAT2_X, 0, 2},
	{EV_SOCKET_CONNECT_E, -1, 1},	{EV_SOCKET_CONNECT_X, 0, 3},
};

static void watch(void)
{
	static const uint16_t codes[] = {SC_OPEN, SC_CREAT, SC_OPENAT, SC_OPENAT2, SC_CONNECT};
	struct live_config cfg = LIVE_CONFIG_DEFAULT;
	uint64_t set[(SC_COUNT + 63) / 64] = {0};
	struct err e = {0};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		set[codes[i] / 64] |= 1ULL << codes[i] % 64;
	set[SC_SCHED_PROCESS_EXIT / 64] |= 1ULL << SC_SCHED_PROCESS_EXIT % 64;
	cfg.syscalls = cfg.enters = set;
	CHECK_INT(live_open(&cfg, &live, &e), 0);
	CHECK(!live_no_enters(live));
	CHECK_INT(live_n_refused(live), 0);
	seen = xcalloc(SEEN_MAX, sizeof(*seen));
}

static void note(const struct event *ev)
{
	struct seen *s = &seen[n_seen];
	struct str text;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].type != ev->type || n_seen == SEEN_MAX)
			continue;
		text = event_param(ev, (unsigned)places[i].name);
		if (ev->type == EV_SOCKET_CONNECT_E || ev->type == EV_SOCKET_CONNECT_X)
			text = str_from(text, 1); /* the family */
		*s = (struct seen){.type = ev->type};
		if (places[i].res >= 0)
			s->res = event_i64(ev, (unsigned)places[i].res);
		snprintf(s->name, NAME_BYTES, "%.*s", (int)text.n, text.p ? text.p : "");
		n_seen++;
	}
}

/* What the child's first thread does there. */
static void see(void (*act)(void))
{
	uint64_t end = 0;
	struct err e = {0};
	int status = 0;
	pid_t child;

	if (geteuid() || access("/sys/kernel/btf/vmlinux", R_OK))
		SKIP();
	if (!live)
		watch();
	n_seen = 0;
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		char dir[] = "/tmp/saker-forged-XXXXXX";

		alarm(60);
		must(mkdtemp(dir) && !chdir(dir));
		caller = getpid();
		act();
		_exit(0);
	}
	while (!end || live_settled(live) < end) {
		struct record r;
		struct event ev;
		int more = source_next(live_source(live), &r, &e);

		CHECK(more >= 0);
		if (more && !event_decode(r.event.p, r.event.n, &ev, NULL) && ev.tid == child)
			note(&ev);
		if (!end && waitpid(child, &status, WNOHANG) == child)
			end = live_now(live);
		if (!more)
			live_wait(live, SETTLE_NS);
	}
	CHECK_INT(status, 0);
}

/* The one enter event, and right behind it its exit. */
static void check_forged(uint16_t enter, int64_t res)
{
	unsigned i = 0;

	while (i < n_seen && seen[i].type != enter)
		i++;
	CHECK(i + 1 < n_seen);
	CHECK_STR(seen[i].name, SECRET);
	CHECK_INT(seen[i + 1].type, enter + 1);
	CHECK_STR(seen[i + 1].name, DECOY);
	CHECK(res < 0 ? seen[i + 1].res == res : seen[i + 1].res >= 0);
	for (i++; i < n_seen; i++)
		CHECK(seen[i].type != enter);
}

/* ---- changing it for certain: the call sleeps meanwhile ---- */

/* "257 0x3 ..." while it sleeps in that call, "running" else. */
static void wait_for_sleep(void)
{
	char path[64], text[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", caller);
	do {
		usleep(1000);
		fd = open(path, O_RDONLY);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		must(n > 0);
		text[n] = '\0';
	} while (text[0] < '0' || text[0] > '9' || atoi(text) != sleeps_in);
}

static void change(void)
{
	wait_for_sleep();
	strcpy(name, DECOY);
	strcpy(address.sun_path, DECOY);
	memset(&how, 0, sizeof(how));
}

static void *change_and_read(void *arg)
{
	change();
	open(SECRET, O_RDONLY);
	return NULL;
}

static void *change_and_write(void *arg)
{
	change();
	open(SECRET, O_WRONLY);
	return NULL;
}

static void *change_and_interrupt(void *arg)
{
	change();
	syscall(SYS_tgkill, caller, caller, SIGUSR1);
	return NULL;
}

static void *change_and_accept(void *arg)
{
	change();
	accept(server, NULL, NULL);
	accept(server, NULL, NULL);
	return NULL;
}

static void on_signal(int signal)
{
}

/* Before a call that will sleep. */
static void begin_change(int call, void *(*changer)(void *))
{
	struct sigaction a = {.sa_handler = on_signal};
	pthread_t t;

	sigaction(SIGUSR1, &a, NULL);
	sleeps_in = call;
	strcpy(name, SECRET);
	if (changer != change_and_accept)
		must(!mkfifo(SECRET, 0600));
	must(!pthread_create(&t, NULL, changer, NULL));
}

static void act_open(void)
{
	begin_change(SYS_open, change_and_write);
	must(syscall(SYS_open, name, O_RDONLY) >= 0);
}

TEST(an_open_is_seen_as_given)
{
	see(act_open);
	check_forged(EV_SYSCALL_OPEN_E, 0);
}

static void act_creat(void)
{
	begin_change(SYS_creat, change_and_read);
	must(syscall(SYS_creat, name, 0600) >= 0);
}

TEST(a_creat_is_seen_as_given)
{
	see(act_creat);
	check_forged(EV_SYSCALL_CREAT_E, 0);
}

static void act_openat(void)
{
	begin_change(SYS_openat, change_and_write);
	must(syscall(SYS_openat, AT_FDCWD, name, O_RDONLY) >= 0);
}

TEST(an_openat_is_seen_as_given)
{
	see(act_openat);
	check_forged(EV_SYSCALL_OPENAT_2_E, 0);
}

static void act_openat2(void)
{
	how.flags = O_RDONLY;
	begin_change(SYS_openat2, change_and_write);
	must(syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how)) >= 0);
}

TEST(an_openat2_is_seen_as_given)
{
	see(act_openat2);
	check_forged(EV_SYSCALL_OPENAT2_E, 0);
}

static void act_failure(void)
{
	begin_change(SYS_openat, change_and_interrupt);
	must(syscall(SYS_openat, AT_FDCWD, name, O_RDONLY) < 0 && errno == EINTR);
}

TEST(an_openat_that_fails_is_seen_as_given)
{
	see(act_failure);
	check_forged(EV_SYSCALL_OPENAT_2_E, -ERESTARTSYS);
}

/* The queue of the listening socket is full: the second one sleeps. */
static void act_connect(void)
{
	int one = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);

	address = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = SECRET};
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	must(!bind(server, (struct sockaddr *)&address, sizeof(address)) && !listen(server, 0));
	must(!connect(one, (struct sockaddr *)&address, sizeof(address)));
	begin_change(SYS_connect, change_and_accept);
	must(!connect(other, (struct sockaddr *)&address, sizeof(address)));
}

TEST(a_connect_is_seen_as_given)
{
	see(act_connect);
	check_forged(EV_SOCKET_CONNECT_E, 0);
}

/* ---- racing ---- */

static void *flip(void *arg)
{
	for (int i = 1; i <= RACES; i++) {
		while (round_no != i)
			;
		for (volatile int spin = rand() % SPINS_MAX; spin; spin--)
			;
		memcpy(name, DECOY, sizeof(DECOY));
		round_done = i;
	}
	return NULL;
}

/* The decoy exists and the secret does not: so the result tells which of them the kernel took. */
static void act_race(void)
{
	pthread_t t;

	close((int)syscall(SYS_open, DECOY, O_CREAT, 0600));
	must(!pthread_create(&t, NULL, flip, NULL));
	for (int i = 1; i <= RACES; i++) {
		long fd;

		memcpy(name, SECRET, sizeof(SECRET));
		round_no = i;
		fd = syscall(SYS_open, name, O_RDONLY);
		if (fd >= 0)
			close((int)fd);
		while (round_done != i)
			sched_yield();
	}
}

/*
 * What the kernel took is hidden in the end, or would be but for the enter event.  The other
 * way round, both names are told: it was changed before the kernel came to read it.
 */
TEST(of_a_thousand_races_what_the_kernel_took_is_seen_in_each)
{
	unsigned n = 0, n_secret = 0, n_hidden = 0, n_right = 0, n_both = 0;

	see(act_race);
	for (unsigned i = 0; i < n_seen; i++) {
		const struct seen *x = &seen[i], *first = x;
		bool took_secret = x->res == -ENOENT;

		if (x->type != EV_SYSCALL_OPEN_X)
			continue;
		if (i && seen[i - 1].type == EV_SYSCALL_OPEN_E)
			first--;
		n++;
		n_secret += took_secret;
		n_hidden += took_secret && strcmp(x->name, SECRET);
		n_right += took_secret && !strcmp(first->name, SECRET);
		n_both += !took_secret && !strcmp(first->name, SECRET);
		CHECK(took_secret || !strcmp(x->name, DECOY));
	}
	print_message("# of %u races the kernel took the secret in %u, where the end hid it in %u "
		      "and %u were seen as they were; in %u it was changed before the kernel read "
		      "it\n",
		      n, n_secret, n_hidden, n_right, n_both);
	CHECK_INT(n, RACES + 1); /* and one that makes the decoy */
	CHECK_INT(n_right, n_secret);
}

/* ---- not changing it ---- */

static void act_honest(void)
{
	struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "nowhere"};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	how.flags = O_RDONLY;
	for (int i = 0; i < RACES; i++) {
		snprintf(name, sizeof(name), "name-%0*d", i % 200, i);
		syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
		syscall(SYS_open, "/", O_RDONLY);
		syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how));
		connect(s, (struct sockaddr *)&nowhere, sizeof(nowhere));
	}
}

TEST(honest_calls_send_nothing_more)
{
	unsigned n_exits = 0, n_enters = 0;

	see(act_honest);
	for (unsigned i = 0; i < n_seen; i++) {
		n_exits += seen[i].type % 2;
		n_enters += seen[i].type % 2 == 0;
	}
	CHECK_INT(n_exits, 4 * RACES);
	CHECK_INT(n_enters, 0);
}

static void act_long(void)
{
	memset(name, '/', 300);
	strcpy(name + 300, SECRET);
	syscall(SYS_openat, AT_FDCWD, name, O_RDONLY);
}

TEST(a_name_too_long_to_keep_is_sent_at_once)
{
	see(act_long);
	CHECK_INT(n_seen, 2);
	CHECK_INT(seen[0].type, EV_SYSCALL_OPENAT_2_E);
	CHECK_INT(strlen(seen[0].name), 300 + strlen(SECRET));
	CHECK_STR(seen[0].name, seen[1].name);
}
