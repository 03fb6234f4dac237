/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that do odd things, for faults.py: actor WHAT ARGUMENTS...
 *
 * What can be known only from the inside is printed, a line each.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

static void open_and_close(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd >= 0)
		close(fd);
}

/* ---- names that change while the call is under way ---- */

/* A page with the name, and what is to happen to it while open(2) of the FIFO waits. */
struct late {
	char *page;
	const char *fifo, *how, *other;
};

static void *change(void *arg)
{
	struct late *l = arg;
	long size = sysconf(_SC_PAGESIZE);
	int fd;

	usleep(100000); /* open(2) has read the name by now, and waits for us */
	if (!strcmp(l->how, "unmap"))
		munmap(l->page, (size_t)size);
	else if (!strcmp(l->how, "drop"))
		madvise(l->page, (size_t)size, MADV_DONTNEED);
	else if (!strcmp(l->how, "protect"))
		mprotect(l->page, (size_t)size, PROT_NONE);
	else
		strcpy(l->page, l->other);
	fd = open(l->fifo, O_WRONLY);
	usleep(100000);
	close(fd);
	return NULL;
}

/* late FIFO unmap|drop|protect|change OTHER */
static int late(char **args)
{
	struct late l = {.fifo = args[0], .how = args[1], .other = args[2]};
	pthread_t thread;

	l.page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(l.page, args[0]);
	pthread_create(&thread, NULL, change, &l);
	if (open(l.page, O_RDONLY) < 0)
		return fail("open");
	pthread_join(thread, NULL);
	return 0;
}

static _Atomic bool over;

static void *flip(void *arg)
{
	volatile char *last = arg;

	while (!over)
		*last = *last == 'a' ? 'b' : 'a';
	return NULL;
}

/* flip PATH COUNT: open PATH, whose last letter another thread changes between a and b */
static int flip_names(char **args)
{
	char path[4096];
	pthread_t thread;

	strcpy(path, args[0]);
	pthread_create(&thread, NULL, flip, path + strlen(path) - 1);
	for (int n = atoi(args[1]); n--;)
		open_and_close(path);
	over = true;
	pthread_join(thread, NULL);
	return 0;
}

/* cold FILE: opens the path that FILE holds, from a mapping of it that nobody has looked at */
static int cold(char **args)
{
	int fd = open(args[0], O_RDONLY);
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	madvise(page, 4096, MADV_PAGEOUT);
	open_and_close(page);
	return 0;
}

/* bad: calls with addresses where nothing is */
static int bad(char **args)
{
	static const long odd[] = {0, 1, -1, -4096, 1L << 47, (1L << 47) - 1, 1L << 62};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		const void *p = (const void *)odd[i];

		for (long nr = 0; nr < 4; nr++)
			syscall((long[]){2, 257, 437, 85}[nr], p, p, p, p);
		syscall(42, 0, p, 100);		    /* connect */
		syscall(44, 0, p, 100L, 0, p, 100); /* sendto */
		syscall(46, 0, p, 0);		    /* sendmsg */
		syscall(59, p, p, p);		    /* execve */
		syscall(20, 1, p, 8);		    /* writev */
		syscall(7, p, 5, 0);		    /* poll */
		syscall(435, p, 88);		    /* clone3 */
		syscall(165, p, p, p, 0, p);	    /* mount */
		syscall(101, 1, 0, p, p);	    /* ptrace */
	}
	open_and_close(args[0]);
	return 0;
}

/* ---- many ---- */

enum { STACK = 32768 };

static pthread_barrier_t all_there;

static void *one_of_many(void *arg)
{
	open_and_close(arg);
	pthread_barrier_wait(&all_there);
	return NULL;
}

/* threads PATH COUNT: that many at a time, each of which opens PATH; prints how many there were */
static int threads(char **args)
{
	unsigned want = (unsigned)atoi(args[1]), n = 0;
	pthread_t *list = calloc(want, sizeof(*list));
	char *stacks = mmap(NULL, (size_t)want * STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_attr_t small;

	if (stacks == MAP_FAILED)
		return fail("mmap");
	pthread_attr_init(&small);
	pthread_barrier_init(&all_there, NULL, want + 1);
	for (; n < want; n++) {
		/* All in one mapping: of mappings there may be fewer than of threads. */
		pthread_attr_setstack(&small, stacks + (size_t)n * STACK, STACK);
		if (pthread_create(&list[n], &small, one_of_many, args[0]))
			break;
	}
	printf("%u\n", n);
	fflush(stdout);
	if (n < want)
		return 0;
	pthread_barrier_wait(&all_there);
	while (n--)
		pthread_join(list[n], NULL);
	return 0;
}

/*
 * bomb UID PROCESSES SECONDS: processes that only fork, no more than PROCESSES at a time; all
 * of them end in time.  Prints how many have begun.
 */
static int bomb(char **args)
{
	struct rlimit most = {strtoul(args[1], NULL, 10), strtoul(args[1], NULL, 10)};
	double end = now() + atof(args[2]);
	_Atomic unsigned *begun =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	signal(SIGCHLD, SIG_IGN);
	if (setrlimit(RLIMIT_NPROC, &most) || setuid((uid_t)atoi(args[0])))
		return fail("bomb");
	if (fork()) {
		/* Nobody of this user is left once the time is over. */
		while (now() < end)
			usleep(10000);
		for (int i = 0; i < 100 && wait(NULL) > 0; i++)
			;
		usleep(300000);
		printf("%u\n", *begun);
		return 0;
	}
	++*begun;
	while (now() < end) {
		pid_t pid = fork();

		if (!pid)
			++*begun;
		else if (pid < 0)
			usleep(1000);
	}
	_exit(0);
}

/* ---- who they are ---- */

static void print_file(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	close(fd);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\0'))
		n--;
	for (ssize_t i = 0; i < n; i++)
		putchar(text[i] ? text[i] : ' ');
	putchar('\t');
}

static void print_link(const char *path)
{
	char text[4096];
	ssize_t n = readlink(path, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	printf("%s\t", text);
}

/* who FILE: all that the process can tell about itself, and then it opens FILE */
static int who(char **args)
{
	char parent[64];

	snprintf(parent, sizeof(parent), "/proc/%d/comm", getppid());
	printf("%d\t", getpid());
	print_file("/proc/self/comm");
	print_file("/proc/self/cmdline");
	print_link("/proc/self/cwd");
	print_file(parent);
	printf("%u\t%s\n", geteuid(), args[0]);
	fflush(stdout);
	open_and_close(args[0]);
	return 0;
}

/* family FOLDER UID PROGRAM ARGUMENTS...: a child, in that folder, of that user, runs PROGRAM */
static int family(char **args)
{
	pid_t pid = fork();
	int status = 1;

	if (pid) {
		waitpid(pid, &status, 0);
		return status != 0;
	}
	if (chdir(args[0]) || setuid((uid_t)atoi(args[1])))
		_exit(fail("family"));
	execv(args[2], args + 2);
	_exit(fail("exec"));
}

/* title PATH TEXT: overwrites all its arguments and the environment behind them, then opens PATH,
 * and so does a child */
static int title(char **args)
{
	extern char **environ;
	char *begin = args[-2], *end = begin, path[4096], text[256];

	snprintf(path, sizeof(path), "%s", args[0]);
	snprintf(text, sizeof(text), "%s", args[1]);
	for (char **v = environ; *v; v++)
		end = *v + strlen(*v);
	memset(begin, 0, (size_t)(end - begin));
	strcpy(begin, text);
	open_and_close(path);
	if (!fork()) {
		open_and_close(path);
		_exit(0);
	}
	wait(NULL);
	return 0;
}

/* name NAME PATH: calls itself NAME and opens PATH */
static int name(char **args)
{
	prctl(PR_SET_NAME, args[0]);
	open_and_close(args[1]);
	return 0;
}

/* brief PATH COUNT: children that end as soon as they have opened PATH */
static int brief(char **args)
{
	for (int n = atoi(args[1]); n--;) {
		pid_t pid = fork();

		if (!pid) {
			open_and_close(args[0]);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	return 0;
}

/* opens PATH COUNT: as fast as it can */
static int opens(char **args)
{
	for (long n = atol(args[1]); n--;)
		open_and_close(args[0]);
	return 0;
}

/* counts COUNT: calls that nobody else makes */
static int counts(char **args)
{
	for (long n = atol(args[0]); n--;)
		munlockall();
	return 0;
}

static const struct {
	const char *what;
	int (*run)(char **args);
	int n_args;
} acts[] = {
	{"late", late, 3},     {"flip", flip_names, 2}, {"cold", cold, 1},
	{"bad", bad, 1},       {"threads", threads, 2}, {"bomb", bomb, 3},
	{"who", who, 1},       {"family", family, 3},	{"title", title, 2},
	{"name", name, 2},     {"brief", brief, 2},	{"opens", opens, 2},
	{"counts", counts, 1},
};

int main(int n, char **args)
{
	for (size_t i = 0; n > 1 && i < sizeof(acts) / sizeof(acts[0]); i++)
		if (!strcmp(args[1], acts[i].what) && n - 2 >= acts[i].n_args)
			return acts[i].run(args + 2);
	return 2;
}
