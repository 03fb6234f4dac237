/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/procfs.h"
#include "capture/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BILLION = 1000000000 };

static void on_stat_line(struct str line, void *arg)
{
	struct str word;
	uint64_t s;

	if (text_word(&line, &word) && str_is(word, "btime") && text_word(&line, &word) &&
	    str_u64(word, &s) && s < UINT64_MAX / BILLION)
		*(uint64_t *)arg = s * BILLION;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	return clock_gettime(id, &ts) ? 0 : (uint64_t)ts.tv_sec * BILLION + (uint64_t)ts.tv_nsec;
}

/* The kernel cuts the time of boot to whole seconds, from the same two clocks. */
static uint64_t fine_boot(uint64_t boot_ns)
{
	uint64_t fine = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);

	return fine + BILLION > boot_ns && fine < boot_ns + 2 * (uint64_t)BILLION ? fine : boot_ns;
}

/* The first number of "NSpid" in our own status there is our id there. */
static bool shares_pids(int proc)
{
	struct proc_status s;
	char text[8192];
	ssize_t n = file_read(proc, "self/status", text, sizeof(text));

	return n > 0 && proc_status_parse((struct str){text, (size_t)n}, &s) && s.pid == getpid();
}

static uint64_t first_start(const struct host *h)
{
	char text[TASK_STAT_MAX];
	struct proc_stat stat;
	ssize_t n = file_read(h->proc, "1/stat", text, sizeof(text));

	if (n <= 0 || !proc_stat_parse((struct str){text, (size_t)n}, &stat))
		return 0;
	return h->fine_boot_ns + stat.start_ticks * h->ns_per_tick;
}

static int open_folders(struct host *h, const char *root, struct err *e)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/proc", root);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, -ENAMETOOLONG, "HOST_ROOT is too long");
	h->proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->proc < 0)
		return err_set(e, -errno, "%s: %s; processes cannot be read%s", path,
			       strerror(errno), *root ? ": is HOST_ROOT right?" : "");
	h->root = openat(h->proc, "1/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->root < 0)
		h->root = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

int host_open(struct host *h, const char *root, struct err *e)
{
	int r;

	*h = (struct host){.root = -1, .proc = -1};
	mounts_init(&h->mounts);
	r = open_folders(h, root, e);
	if (r)
		goto fail;
	file_lines(h->proc, "stat", on_stat_line, &h->boot_ns);
	if (!h->boot_ns) {
		r = err_set(e, -ENODATA, "%s/proc/stat does not say when the machine started",
			    root);
		goto fail;
	}
	h->fine_boot_ns = fine_boot(h->boot_ns);
	h->ns_per_tick = BILLION / (uint64_t)sysconf(_SC_CLK_TCK);
	h->same_pidns = shares_pids(h->proc);
	h->first_start_ns = first_start(h);
	h->cgroups = cgroups_new(h->proc);
	return 0;

fail:
	host_close(h);
	return r;
}

void host_forget(struct host *h)
{
	mounts_clear(&h->mounts);
	cgroups_forget(h->cgroups);
	memset(h->pidns, 0, sizeof(h->pidns));
}

void host_close(struct host *h)
{
	if (h->root >= 0)
		close(h->root);
	if (h->proc >= 0)
		close(h->proc);
	cgroups_free(h->cgroups);
	mounts_done(&h->mounts);
}
