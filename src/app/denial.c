/* SPDX-License-Identifier: Apache-2.0 */
#include "app/denial.h"

#include "capture/file.h"
#include "capture/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

/* ---- looking ---- */

static bool read_word(const char *path, char *out, size_t max)
{
	ssize_t n = file_read_all(AT_FDCWD, path, out, max - 1);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return *out;
}

/* Which security module keeps this process within which bounds. */
static void find_module(char *out, size_t max)
{
	char text[128], yes[8];

	*out = '\0';
	if (read_word("/sys/module/apparmor/parameters/enabled", yes, sizeof(yes)) && *yes == 'Y' &&
	    (read_word("/proc/self/attr/apparmor/current", text, sizeof(text)) ||
	     read_word("/proc/self/attr/current", text, sizeof(text))))
		snprintf(out, max, "AppArmor profile %s", text);
	else if (read_word("/sys/fs/selinux/enforce", yes, sizeof(yes)) && *yes == '1' &&
		 read_word("/proc/self/attr/current", text, sizeof(text)))
		snprintf(out, max, "SELinux context %s", text);
}

static bool is_filtered(void)
{
	static const struct str key = {"\nSeccomp:\t", 10};
	char text[TEXT_MAX];
	ssize_t n = file_read_all(AT_FDCWD, "/proc/self/status", text, sizeof(text));
	struct str all = {text, n > 0 ? (size_t)n : 0};
	ptrdiff_t at = str_find(all, key);

	return at >= 0 && str_starts(str_from(all, (size_t)at + key.n), STR("2"));
}

/* The first folder of the path that may not be searched; "" when all may. */
static void find_hidden(const char *path, char *out, size_t max)
{
	for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
		snprintf(out, max, "%.*s", (int)(slash - path), path);
		if (faccessat(AT_FDCWD, out, X_OK, AT_EACCESS) < 0 && errno == EACCES)
			return;
	}
	*out = '\0';
}

/* What owner, group and mode alone say of writing, to whom no capability helps. */
static bool mode_allows(const struct stat *st)
{
	gid_t groups[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, groups);
	bool is_member = st->st_gid == getegid();

	for (int i = 0; i < n; i++)
		is_member |= groups[i] == st->st_gid;
	if (st->st_uid == geteuid())
		return st->st_mode & S_IWUSR;
	return st->st_mode & (is_member ? S_IWGRP : S_IWOTH);
}

/* Not by owner and mode.  Modules say EACCES; filters what they were told to. */
static enum socket_fault refused_by_kernel(const struct denial *d)
{
	if (d->error == EACCES && *d->module)
		return SOCKET_MODULE;
	return is_filtered() ? SOCKET_FILTERED : SOCKET_MODULE;
}

/* It was refused, and by whom? */
static enum socket_fault refused_by(struct denial *d, const struct stat *st)
{
	find_module(d->module, sizeof(d->module));
	if (d->no_socket || d->error == EPERM)
		return refused_by_kernel(d);
	find_hidden(*d->link ? d->link : d->path, d->folder, sizeof(d->folder));
	if (*d->folder)
		return SOCKET_HIDDEN;
	return mode_allows(st) ? refused_by_kernel(d) : SOCKET_OTHERS;
}

static enum socket_fault fault_of(struct denial *d, const struct stat *st)
{
	switch (d->error) {
	case 0:
		return SOCKET_GOOD;
	case EACCES:
	case EPERM:
		return refused_by(d, st);
	case ECONNREFUSED:
		return SOCKET_DEAD;
	case EAGAIN:
		return SOCKET_BUSY;
	}
	return SOCKET_ODD;
}

/* 0 or errno. */
static int connect_to(const char *path, bool *no_socket)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd, error = 0;

	if (strlen(path) >= sizeof(to.sun_path))
		return ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	*no_socket = fd < 0;
	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		error = errno;
	close(fd);
	return error;
}

static enum socket_fault missing(struct denial *d)
{
	if (d->error == EACCES || d->error == EPERM)
		return refused_by(d, &(struct stat){.st_mode = 0});
	if (d->error != ENOENT && d->error != ENOTDIR)
		return SOCKET_ODD;
	return *d->link ? SOCKET_DANGLING : SOCKET_ABSENT;
}

/* Where a symbolic link leads, seen from everywhere; "" when it is none. */
static void find_target(const char *path, char ret[PATH_MAX])
{
	char target[PATH_MAX];
	int error;
	struct str t = link_read(AT_FDCWD, path, target, sizeof(target), &error);
	ptrdiff_t slash = str_rchr(str_of(path), '/');

	if (!t.n)
		*ret = '\0';
	else if (*t.p == '/' || slash < 0)
		snprintf(ret, PATH_MAX, "%.*s", STR_ARG(t));
	else
		snprintf(ret, PATH_MAX, "%.*s/%.*s", (int)slash, path, STR_ARG(t));
}

void denial_look(const char *path, struct denial *ret)
{
	struct stat st;

	*ret = (struct denial){.euid = geteuid()};
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	find_target(path, ret->link);
	if (stat(path, &st) < 0) {
		ret->error = errno;
		ret->fault = missing(ret);
		return;
	}
	ret->mode = st.st_mode;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	if (!S_ISSOCK(st.st_mode)) {
		ret->fault = SOCKET_NONE;
		return;
	}
	ret->error = connect_to(path, &ret->no_socket);
	ret->fault = fault_of(ret, &st);
}

/* ---- words ---- */

static const char *kind_of(mode_t mode)
{
	return S_ISDIR(mode)   ? "a folder"
	       : S_ISREG(mode) ? "a regular file"
	       : S_ISCHR(mode) ? "a device"
			       : "something else";
}

static void say_others(const struct denial *d, struct buf *out)
{
	buf_addf(out,
		 "permission denied: it belongs to user %u and group %u with mode %04o, and this "
		 "is user %u",
		 d->uid, d->gid, d->mode & 07777, d->euid);
}

static void say_none(const struct denial *d, struct buf *out)
{
	buf_addf(out, "it is no socket but %s", kind_of(d->mode));
}

static void say_hidden(const struct denial *d, struct buf *out)
{
	buf_addf(out, "permission denied: user %u may not search %s", d->euid, d->folder);
}

static void say_module(const struct denial *d, struct buf *out)
{
	buf_addf(out, "permission denied, not by its owner and mode: %s",
		 *d->module ? d->module : "a security module refuses it");
}

static void say_odd(const struct denial *d, struct buf *out)
{
	buf_addz(out, strerror(d->error));
}

void denial_add_why(const struct denial *d, struct buf *out)
{
	static const struct {
		const char *words; /* or else */
		void (*say)(const struct denial *d, struct buf *out);
	} whys[SOCKET_FAULTS] = {
		[SOCKET_ABSENT] = {"there is nothing", NULL},
		[SOCKET_DANGLING] = {"there is nothing there", NULL},
		[SOCKET_NONE] = {NULL, say_none},
		[SOCKET_HIDDEN] = {NULL, say_hidden},
		[SOCKET_OTHERS] = {NULL, say_others},
		[SOCKET_MODULE] = {NULL, say_module},
		[SOCKET_FILTERED] = {"permission denied by the seccomp filter of this process",
				     NULL},
		[SOCKET_DEAD] = {"nobody listens", NULL},
		[SOCKET_BUSY] = {"who listens does not accept connections", NULL},
		[SOCKET_ODD] = {NULL, say_odd},
	};

	if (d->fault == SOCKET_GOOD)
		return;
	if (*d->link)
		buf_addf(out, "it is a link to %s; ", d->link);
	if (whys[d->fault].words)
		buf_addz(out, whys[d->fault].words);
	else
		whys[d->fault].say(d, out);
}

static void mend_others(const struct denial *d, struct buf *out)
{
	if (d->mode & S_IWGRP)
		buf_addf(out,
			 "run in its group: SupplementaryGroups=%u of a systemd unit, --group-add "
			 "%u of docker, supplementalGroups: [%u] of a pod",
			 d->gid, d->gid, d->gid);
	else
		buf_addf(out,
			 "let user %u write to it: setfacl -m u:%u:rw %s; or start with "
			 "CAP_DAC_OVERRIDE, which only a helper keeps that connects to it",
			 d->euid, d->euid, d->path);
}

static void mend_module(const struct denial *d, struct buf *out)
{
	bool is_apparmor = str_starts(str_of(d->module), STR("AppArmor"));

	if (is_apparmor && d->no_socket)
		buf_addz(out, "let its profile have a line 'network unix stream,'");
	else if (is_apparmor)
		buf_addf(out, "let its profile have a line '%s rw,'", *d->link ? d->link : d->path);
	else if (*d->module)
		buf_addz(out, "let its SELinux type connect there (ausearch -m avc | audit2allow "
			      "says how); of a container, --security-opt label=disable");
	else
		buf_addz(out, "let the security module that is in force allow connect() to it");
}

void denial_add_mend(const struct denial *d, struct buf *out)
{
	static const char *const mends[SOCKET_FAULTS] = {
		[SOCKET_ABSENT] = "name the socket that the runtime has",
		[SOCKET_DANGLING] = "start what listens there, or remove the link",
		[SOCKET_NONE] = "name the socket itself; in a container, mount the folder that it "
				"is in, once the runtime has made it",
		[SOCKET_FILTERED] = "allow socket() and connect() in that filter",
		[SOCKET_DEAD] = "start the runtime, or the unit that listens for it",
		[SOCKET_BUSY] = "see why the runtime is stuck, and start it anew",
		[SOCKET_ODD] = "see what the error says of the path",
	};

	if (d->fault == SOCKET_OTHERS)
		mend_others(d, out);
	else if (d->fault == SOCKET_MODULE)
		mend_module(d, out);
	else if (d->fault == SOCKET_HIDDEN)
		buf_addf(out,
			 "let user %u search it: setfacl -m u:%u:x %s; or give the program "
			 "CAP_DAC_READ_SEARCH",
			 d->euid, d->euid, d->folder);
	else if (mends[d->fault])
		buf_addz(out, mends[d->fault]);
}
