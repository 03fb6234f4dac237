/* SPDX-License-Identifier: Apache-2.0 */
#include "app/act.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 256 };

/* ---- places: nobody can know them before, for the mark has a random part ---- */

enum place {
	PLACE_FOLDER,
	PLACE_PROGRAM,
	PLACE_LINK,
	PLACE_FILE,
	PLACE_DETOUR,
	PLACE_SHM,
	PLACE_LOG
};

static const char *const places[] = {
	[PLACE_FOLDER] = "/tmp/.%s",
	[PLACE_PROGRAM] = "/tmp/.%s/program",
	[PLACE_LINK] = "/tmp/.%s/link",
	[PLACE_FILE] = "/tmp/.%s/file",
	[PLACE_DETOUR] = "/proc/self/root/tmp/.%s/file",
	[PLACE_SHM] = "/dev/shm/%s",
	[PLACE_LOG] = "/var/log/%s.log",
};

static const char *at(enum place place, const char *mark, char out[PATH_BYTES])
{
	const char *rest = strstr(places[place], "%s");

	snprintf(out, PATH_BYTES, "%.*s%s%s", (int)(rest - places[place]), places[place], mark,
		 rest + 2);
	return out;
}

void act_clean(const char *mark)
{
	char path[PATH_BYTES];

	for (unsigned i = PLACE_PROGRAM; i < sizeof(places) / sizeof(places[0]); i++)
		unlink(at(i, mark, path));
	rmdir(at(PLACE_FOLDER, mark, path));
}

static int failed(const char *what, struct err *e)
{
	return err_set(e, -errno, "%s: %s", what, strerror(errno));
}

static int make_folder(const char *mark, struct err *e)
{
	char path[PATH_BYTES];

	return mkdir(at(PLACE_FOLDER, mark, path), 0700) ? failed(path, e) : 0;
}

/* An empty file, or a copy of this program: its descriptor. */
static int make_file(const char *path, mode_t mode, struct err *e)
{
	int fd = open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, mode);

	return fd < 0 ? failed(path, e) : fd;
}

/* ---- copies of this program, executed ---- */

static int copy_self(int to, struct err *e)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (from >= 0)
		while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
			;
	if (n < 0)
		failed("copying /proc/self/exe", e);
	if (from >= 0)
		close(from);
	return n < 0 ? e->code : 0;
}

/* path: or fd, when it is NULL.  It does nothing, with the mark in its arguments. */
static int execute(const char *path, int fd, const char *name, const char *mark, struct err *e)
{
	const char *const argv[] = {name, "doctor", "--perform", "nothing", "--mark", mark, NULL};
	char *const *args = (char *const *)(uintptr_t)argv;
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return failed("fork", e);
	if (!pid) {
		if (path)
			execv(path, args);
		else
			fexecve(fd, args, environ);
		_exit(errno);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? failed(path ? path : "a program in memory", e) : 0;
}

static int execute_copy(const char *path, const char *mark, struct err *e)
{
	int fd = make_file(path, 0700, e), r;

	if (fd < 0)
		return fd;
	r = copy_self(fd, e);
	close(fd); /* what is open for writing cannot be executed */
	if (!r)
		r = execute(path, -1, "saker", mark, e);
	unlink(path);
	return r;
}

static int do_nothing(const char *mark, struct err *e)
{
	return 0;
}

static int from_memory(const char *mark, struct err *e)
{
	int fd = memfd_create(mark, MFD_CLOEXEC), r;

	if (fd < 0)
		return failed("memfd_create", e);
	r = copy_self(fd, e);
	if (!r)
		r = execute(NULL, fd, "saker", mark, e);
	close(fd);
	return r;
}

static int from_shm(const char *mark, struct err *e)
{
	char path[PATH_BYTES];

	return execute_copy(at(PLACE_SHM, mark, path), mark, e);
}

static int from_hidden(const char *mark, struct err *e)
{
	char path[PATH_BYTES];
	int r = make_folder(mark, e);

	if (!r)
		r = execute_copy(at(PLACE_PROGRAM, mark, path), mark, e);
	return r;
}

static int pose(const char *mark, struct err *e)
{
	return execute("/proc/self/exe", -1, "[saker-doctor]", mark, e);
}

/* ---- files ---- */

static int read_secret(const char *mark, struct err *e)
{
	int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return failed("/etc/shadow", e);
	close(fd); /* nothing was read */
	return 0;
}

static int make_link(const char *mark, struct err *e)
{
	char path[PATH_BYTES];
	int r = make_folder(mark, e);

	if (!r && symlink("/etc/shadow", at(PLACE_LINK, mark, path)))
		r = failed(path, e);
	return r;
}

/* Empty, and not executable. */
static int set_setuid(const char *mark, struct err *e)
{
	char path[PATH_BYTES];
	int r = make_folder(mark, e), fd = r ? r : make_file(at(PLACE_FILE, mark, path), 0600, e);

	if (fd < 0)
		return fd;
	close(fd);
	return chmod(path, S_ISUID | 0600) ? failed(path, e) : 0;
}

static int write_in_detour(const char *mark, struct err *e)
{
	char path[PATH_BYTES];
	int r = make_folder(mark, e), fd = r ? r : make_file(at(PLACE_DETOUR, mark, path), 0600, e);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* One of our own. */
static int delete_log(const char *mark, struct err *e)
{
	char path[PATH_BYTES];
	int fd = make_file(at(PLACE_LOG, mark, path), 0600, e);

	if (fd < 0)
		return fd;
	close(fd);
	return unlink(path) ? failed(path, e) : 0;
}

/* Its tracer is who started it, who does not know. */
static int refuse_tracing(const char *mark, struct err *e)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? failed("ptrace", e) : 0;
}

/* ---- all ---- */

const struct act acts[] = {
	{"nothing", "a program is started", {NULL}, do_nothing, NULL},
	{"secret",
	 "/etc/shadow is opened",
	 {"Password Hashes Read", "Read sensitive file untrusted", NULL},
	 read_secret,
	 NULL},
	{"memory",
	 "a program is executed from memory",
	 {"Program Executed from Memory", "Fileless execution via memfd_create", NULL},
	 from_memory,
	 NULL},
	{"shm",
	 "a program is executed from /dev/shm",
	 {"Program Executed from Shared Memory", "Execution from /dev/shm", NULL},
	 from_shm,
	 NULL},
	{"hidden",
	 "a program is executed from a hidden folder of /tmp",
	 {"Hidden Program Executed from Temporary Directory", NULL},
	 from_hidden,
	 NULL},
	{"pose",
	 "a program calls itself as a kernel thread",
	 {"Program Posing as Kernel Thread", NULL},
	 pose,
	 NULL},
	{"link",
	 "a symbolic link to /etc/shadow is made",
	 {"Link to Sensitive File", "Create Symlink Over Sensitive Files", NULL},
	 make_link,
	 NULL},
	{"setuid",
	 "a file gets the setuid bit",
	 {"Setuid Bit Set", "Set Setuid or Setgid bit", NULL},
	 set_setuid,
	 NULL},
	{"detour",
	 "a file is written through /proc/self/root",
	 {"File Reached in a Detour", NULL},
	 write_in_detour,
	 NULL},
	{"log", "a log is deleted", {"Log Emptied or Deleted", NULL}, delete_log, NULL},
	{"trace",
	 "a process refuses to be traced",
	 {"Process Refuses to Be Traced", "PTRACE anti-debug attempt", NULL},
	 refuse_tracing,
	 NULL},
	{"container-shell",
	 "a shell is started on a terminal in a container",
	 {"Interactive Shell in Container", "Terminal shell in container", NULL},
	 NULL,
	 ":"},
	{"container-secret",
	 "/etc/shadow is opened in a container",
	 {"Password Hashes Read", "Read sensitive file untrusted", NULL},
	 NULL,
	 "cat /etc/shadow >/dev/null"},
	{"container-drop",
	 "a program that is not in the image is executed in a container",
	 {"New Binary Executed in Container", "Drop and execute new binary in container", NULL},
	 NULL,
	 "cp /bin/sh /tmp/saker-doctor && { /tmp/saker-doctor -c : >/dev/null 2>&1; :; }"},
};

const unsigned n_acts = sizeof(acts) / sizeof(acts[0]);

const struct act *act_find(const char *name)
{
	for (unsigned i = 0; i < n_acts; i++) {
		if (acts[i].perform && !strcmp(acts[i].name, name))
			return &acts[i];
	}
	return NULL;
}

bool act_is_mark(const char *mark)
{
	size_t n = strspn(mark, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && n <= MARK_MAX && !mark[n];
}
