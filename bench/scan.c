/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: scan [PROCESSES [FDS [WORKERS]]]
 *
 * WORKERS: threads that read /proc, or 0 for the kernel's iterators, which takes root.
 *
 * How long a scan of this machine takes, after starting so many more processes with so many
 * descriptors each: of ten, three are files, three pipes, two sockets, one is /dev/null and one
 * an eventfd.  Prints the best and the median of five scans, and the least CPU time of five more.
 */
#include "capture/live.h"
#include "capture/scan.h"
#include "schema/schema.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 5, MAX_PROCESSES = 100000 };

static void open_ten(unsigned n)
{
	int two[2];

	for (unsigned i = 0; i < n; i++) {
		int r = 0;

		switch (i % 10) {
		case 0:
		case 1:
		case 2:
			r = open("/etc/passwd", O_RDONLY);
			break;
		case 3:
			r = pipe(two);
			break;
		case 5:
			r = pipe(two);
			close(two[1]);
			break;
		case 6:
			r = socketpair(AF_UNIX, SOCK_STREAM, 0, two);
			break;
		case 8:
			r = open("/dev/null", O_RDWR);
			break;
		case 9:
			r = eventfd(0, 0);
			break;
		default: /* the second of two */
			break;
		}
		if (r < 0) {
			perror("scan: descriptors");
			_exit(1);
		}
	}
}

static void start(unsigned n, unsigned n_fds, pid_t *ret)
{
	int ready[2];
	char byte;

	if (pipe(ready))
		exit(1);
	for (unsigned i = 0; i < n; i++) {
		ret[i] = fork();
		if (ret[i] < 0) {
			perror("scan: fork");
			exit(1);
		}
		if (!ret[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (int fd = 0; fd < 3; fd++)
				close(fd);
			close(ready[0]);
			open_ten(n_fds);
			if (write(ready[1], "", 1) != 1)
				_exit(1);
			close(ready[1]);
			for (;;)
				pause();
		}
		if (read(ready[0], &byte, 1) != 1)
			exit(1);
	}
	close(ready[0]);
	close(ready[1]);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Nothing but the iterators and the programs that are always there. */
static struct live *open_kernel(void)
{
	struct live_config cfg = LIVE_CONFIG_DEFAULT;
	static const uint64_t none[(SC_COUNT + 63) / 64];
	struct err e = {0};
	struct live *l;

	cfg.syscalls = none;
	if (live_open(&cfg, &l, &e) < 0) {
		fprintf(stderr, "scan: %s\n", e.msg);
		exit(1);
	}
	for (unsigned i = 0; i < live_n_refused(l); i++) {
		const char *reason, *program = live_refused(l, i, &reason);

		fprintf(stderr, "scan: the kernel refuses %s: %s\n", program, reason);
	}
	return l;
}

static double scan_once(clockid_t clock, const struct scan_config *cfg, struct scan_stats *ret)
{
	double begin = seconds(clock);
	struct err e = {0};
	struct source *s;
	struct record r;

	if (scan_open(cfg, &s, &e) < 0) {
		fprintf(stderr, "scan: %s\n", e.msg);
		exit(1);
	}
	if (!cfg->n_workers && !scan_has_iterators(s)) {
		fprintf(stderr, "scan: the kernel's iterators do not serve\n");
		exit(1);
	}
	while (source_next(s, &r, &e) > 0)
		;
	scan_get_stats(s, ret);
	source_close(s);
	return seconds(clock) - begin;
}

static int ascending(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	unsigned n_fds = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	struct scan_config cfg = {.n_workers = argc > 3 ? (unsigned)atoi(argv[3]) : 1};
	struct live *kernel = NULL;
	static pid_t pids[MAX_PROCESSES];
	struct scan_stats stats;
	struct rusage usage;
	double times[RUNS], cpu = 1e9;

	if (n > MAX_PROCESSES)
		n = MAX_PROCESSES;
	start(n, n_fds, pids);
	if (!cfg.n_workers) {
		kernel = open_kernel();
		cfg.iterators = live_iterators(kernel);
	}
	for (unsigned i = 0; i < RUNS; i++)
		times[i] = scan_once(CLOCK_MONOTONIC, &cfg, &stats);
	for (unsigned i = 0; i < RUNS; i++) {
		double once = scan_once(CLOCK_PROCESS_CPUTIME_ID, &cfg, &stats);

		cpu = once < cpu ? once : cpu;
	}
	for (unsigned i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	if (kernel)
		source_close(live_source(kernel));
	qsort(times, RUNS, sizeof(*times), ascending);
	getrusage(RUSAGE_SELF, &usage);
	printf("%llu processes, %llu threads, %llu descriptors: best %.0f ms, median %.0f ms, "
	       "best CPU time %.0f ms, %ld KiB at most\n",
	       (unsigned long long)stats.n_processes, (unsigned long long)stats.n_threads,
	       (unsigned long long)stats.n_fds, times[0] * 1e3, times[RUNS / 2] * 1e3, cpu * 1e3,
	       usage.ru_maxrss);
	for (unsigned d = 0; d < SCAN_DROP_COUNT; d++)
		if (stats.n_dropped[d])
			printf("%8llu %s\n", (unsigned long long)stats.n_dropped[d],
			       scan_drop_text(d));
	return 0;
}
