/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many bytes of a transfer its record has: by the ports of the socket, by the first bytes,
 * and without any of that.
 */
#include "base/test.h"

#include "capture/live.h"
#include "event/event.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 20000, SNAP = 80, FULL_FIRST = 7000, FULL_LAST = 7010, STATSD = 9125 };

/* How it is sent; all but datagrams and files are then read at the other end. */
enum way { WRITE, WRITEV, SENDTO, SENDMSG, DATAGRAM, TO_FILE };

struct transfer {
	const char *what;
	enum way way;
	uint16_t port; /* where to; 0: any */
	struct str head;
	unsigned n;	    /* bytes, all zeros behind the head */
	unsigned sent, got; /* of those in the two records */
};

#define HEAD(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct transfer transfers[] = {
	{"a port of which all is wanted", WRITE, 7000, HEAD("x"), 17001, 16000, 16000},
	{"the last of them", WRITEV, 7010, HEAD("x"), 17002, 16000, 16000},
	{"less than all of it", SENDTO, 7005, HEAD("x"), 1003, 1003, 1003},
	{"the port behind them", SENDMSG, 7011, HEAD("x"), 17004, SNAP, SNAP},
	{"a question to a name server", DATAGRAM, 53, HEAD("x"), 1005, 512, 0},
	{"one over TCP", WRITE, 53, HEAD("x"), 1006, 512, SNAP},
	{"StatsD", DATAGRAM, STATSD, HEAD("x"), 3007, 2000, 0},
	{"where StatsD is elsewhere", DATAGRAM, 8125, HEAD("x"), 3008, SNAP, 0},
	{"HTTP", WRITE, 0, HEAD("GET / HTTP/1.1"), 3009, 2000, 2000},
	{"an answer", SENDTO, 0, HEAD("HTTP/1.1 200"), 3010, 2000, 2000},
	{"DELETE", WRITE, 0, HEAD("DELETE /"), 3011, 2000, 2000},
	{"OPTIONS", WRITE, 0, HEAD("OPTIONS *"), 3012, 2000, 2000},
	{"what only looks like it", WRITE, 0, HEAD("GETTING"), 3013, SNAP, SNAP},
	{"HTTP in pieces", WRITEV, 0, HEAD("GET / HTTP/1.1"), 3014, SNAP, 2000},
	{"HTTP in a message", SENDMSG, 0, HEAD("GET / HTTP/1.1"), 3015, SNAP, 2000},
	{"HTTP to a file", TO_FILE, 0, HEAD("GET / HTTP/1.1"), 3016, SNAP, 0},
	{"MySQL", WRITE, 3306, HEAD("\x10\0\0\0\3select"), 3017, 2000, 2000},
	{"nothing of MySQL there", WRITE, 3306, HEAD("\0\0\0\0"), 3018, SNAP, SNAP},
	{"MySQL elsewhere", WRITE, 3307, HEAD("\x10\0\0\0\3select"), 3019, SNAP, SNAP},
	{"PostgreSQL", WRITE, 5432, HEAD("Q\0\0\0\x20select"), 3020, 2000, 2000},
	{"its beginning", WRITE, 5432, HEAD("\0\0\0\x08\0\3\0\0"), 3021, 2000, 2000},
	{"nothing of it there", WRITE, 5432, HEAD("Q\xff\0\0\0"), 3022, SNAP, SNAP},
	{"MongoDB by its port", WRITE, 27017, HEAD("x"), 3023, 2000, 2000},
	{"MongoDB by its words", WRITE, 0, HEAD("\x30\0\0\0\1\0\0\0\0\0\0\0\xd4\7\0\0"), 3024, 2000,
	 2000},
};

enum { N_TRANSFERS = sizeof(transfers) / sizeof(transfers[0]) };

static char bytes[MOST];

static struct sockaddr_in address(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = inet_addr("127.77.3.9")};
}

/* Both ends of a connection to that port. */
static bool connection(uint16_t port, int *ret_client, int *ret_server)
{
	struct sockaddr_in at = address(port);
	socklen_t n = sizeof(at);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	*ret_client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&at, n) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&at, &n) ||
	    connect(*ret_client, (struct sockaddr *)&at, n))
		return false;
	*ret_server = accept(listener, NULL, NULL);
	close(listener);
	return *ret_server >= 0;
}

static ssize_t send_it(const struct transfer *t, int fd)
{
	struct iovec v[2] = {{bytes, t->n / 2}, {bytes + t->n / 2, t->n - t->n / 2}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	struct sockaddr_in to = address(t->port);

	switch (t->way) {
	case WRITEV:
		return writev(fd, v, 2);
	case SENDTO:
		return send(fd, bytes, t->n, 0);
	case SENDMSG:
		return sendmsg(fd, &m, 0);
	case DATAGRAM:
		return sendto(fd, bytes, t->n, 0, (struct sockaddr *)&to, sizeof(to));
	case WRITE:
	case TO_FILE:
		break;
	}
	return write(fd, bytes, t->n);
}

static bool make(const struct transfer *t)
{
	int from, to = -1;
	bool ok;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, t->head.p, t->head.n);
	if (t->way == DATAGRAM)
		from = socket(AF_INET, SOCK_DGRAM, 0);
	else if (t->way == TO_FILE)
		from = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	else if (!connection(t->port, &from, &to))
		return false;
	ok = send_it(t, from) == t->n;
	if (ok && to >= 0)
		ok = recv(to, bytes, t->n, MSG_PEEK | MSG_WAITALL) == t->n &&
		     read(to, bytes, MOST) == t->n;
	close(from);
	close(to);
	return ok;
}

static struct live *live;

static void watch(bool dynamic)
{
	static const uint16_t codes[] = {SC_READ, SC_WRITE, SC_WRITEV, SC_SENDTO, SC_SENDMSG};
	static uint64_t wanted[SC_COUNT / 64 + 1];
	struct live_config lc = LIVE_CONFIG_DEFAULT;
	struct err e = {0};

	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		wanted[codes[i] / 64] |= 1ULL << codes[i] % 64;
	lc.syscalls = wanted;
	lc.snaplen = SNAP;
	lc.more.is_on = dynamic;
	lc.more.full_first = FULL_FIRST;
	lc.more.full_last = FULL_LAST;
	lc.more.statsd_port = STATSD;
	if (live_open(&lc, &live, &e) < 0)
		fail_msg("%s", e.msg);
	for (unsigned i = 0; i < live_n_refused(live); i++) {
		const char *reason, *program = live_refused(live, i, &reason);

		printf("# %s is refused: %s\n", program, reason);
	}
}

/* Bytes in the record of such a transfer: as it was sent, or received. */
static size_t data_of(const struct event *ev, bool *ret_sent)
{
	*ret_sent = ev->type != EV_SYSCALL_READ_X;
	return event_param(ev, 1).n;
}

static unsigned n_found, n_wrong;

static void look(const struct event *ev, bool dynamic)
{
	for (unsigned i = 0; i < N_TRANSFERS; i++) {
		const struct transfer *t = &transfers[i];
		size_t n, want;
		bool sent;

		if (event_i64(ev, 0) != t->n)
			continue;
		n = data_of(ev, &sent);
		want = dynamic ? (sent ? t->sent : t->got) : SNAP;
		n_found++;
		if (n == want)
			return;
		n_wrong++;
		printf("# %s, %s: %zu bytes, should be %zu\n", t->what, sent ? "sent" : "received",
		       n, want);
	}
}

static void look_at_all(pid_t child, bool dynamic)
{
	uint64_t now = live_now(live);
	struct err e = {0};
	struct record r;
	struct event ev;
	bool is_last;

	do {
		is_last = live_settled(live) >= now;
		while (source_next(live_source(live), &r, &e) > 0)
			if (event_decode(r.event.p, r.event.n, &ev, NULL) >= 0 && ev.tid == child)
				look(&ev, dynamic);
		live_wait(live, 5000000);
	} while (!is_last);
}

static void check_transfers(bool dynamic)
{
	unsigned n_expected = 0;
	int status;
	pid_t pid;

	watch(dynamic);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = 0; i < N_TRANSFERS; i++)
			if (!make(&transfers[i]))
				_exit(1 + (int)i);
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	n_found = n_wrong = 0;
	look_at_all(pid, dynamic);
	source_close(live_source(live));
	for (unsigned i = 0; i < N_TRANSFERS; i++)
		n_expected += transfers[i].got ? 2 : 1;
	CHECK_INT(n_wrong, 0);
	CHECK_INT(n_found, n_expected);
}

static bool can_watch(void)
{
	return !geteuid() && !access("/sys/kernel/btf/vmlinux", R_OK);
}

TEST(records_have_more_of_what_goes_over_certain_ports_or_begins_like_certain_protocols)
{
	if (!can_watch())
		SKIP();
	check_transfers(true);
}

TEST(without_that_all_have_the_same)
{
	if (!can_watch())
		SKIP();
	check_transfers(false);
}
