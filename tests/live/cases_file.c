/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/live/want.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALL(...) result(syscall(__VA_ARGS__))

/* As the kernel encodes st_dev for user space in 32 bits. */
static uint32_t device_of(const struct stat *s)
{
	unsigned ma = major(s->st_dev), mi = minor(s->st_dev);

	return (mi & 0xff) | ma << 8 | (mi & ~0xffu) << 12;
}

void pdevino(int fd)
{
	struct stat s = {0};

	if (fd >= 0)
		fstat(fd, &s);
	p32(fd >= 0 ? device_of(&s) : 0);
	p64(fd >= 0 ? s.st_ino : 0);
}

static void open_family(void)
{
	struct open_how how = {.flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			       .mode = 0640,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	long fd = CALL(SYS_open, "one", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	want(EV_SYSCALL_OPEN_X);
	p64(fd), pstr("one");
	p32(PPM_O_WRONLY | PPM_O_CREAT | PPM_O_TRUNC | PPM_O_F_CREATED), p32(0644), pdevino(fd);
	close(fd);

	fd = CALL(SYS_open, "absent", O_RDONLY);
	want(EV_SYSCALL_OPEN_X);
	p64(fd), pstr("absent"), p32(PPM_O_RDONLY), p32(0), pdevino(fd);

	fd = CALL(SYS_openat, AT_FDCWD, "one", O_RDWR | O_APPEND | O_NONBLOCK | O_SYNC, 0777);
	want(EV_SYSCALL_OPENAT_2_X);
	p64(fd), p64(-100), pstr("one");
	p32(PPM_O_RDWR | PPM_O_APPEND | PPM_O_NONBLOCK | PPM_O_DSYNC | PPM_O_SYNC);
	p32(0), pdevino(fd);
	close(fd);

	fd = CALL(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	want(EV_SYSCALL_OPENAT_2_X);
	p64(fd), p64(-100), pstr("."); /* TMPFILE: has O_DIRECTORY's bit, as the reference says */
	p32(PPM_O_RDONLY | PPM_O_DIRECTORY | PPM_O_CLOEXEC | PPM_O_TMPFILE), p32(0), pdevino(fd);
	close(fd);

	fd = CALL(SYS_openat2, AT_FDCWD, "two", &how, sizeof(how));
	want(EV_SYSCALL_OPENAT2_X);
	p64(fd), p64(-100), pstr("two");
	p32(PPM_O_RDWR | PPM_O_CREAT | PPM_O_EXCL | PPM_O_CLOEXEC | PPM_O_F_CREATED), p32(0640);
	p32(0x1 | 0x8), pdevino(fd);
	close(fd);

	fd = CALL(SYS_creat, "three", 0600);
	want(EV_SYSCALL_CREAT_X);
	p64(fd), pstr("three"), p32(0600), pdevino(fd), p16(0);
	CALL(SYS_close, fd);
	want(EV_SYSCALL_CLOSE_X);
	p64(0), p64(fd);
	CALL(SYS_close, -7);
	want(EV_SYSCALL_CLOSE_X);
	p64(-9), p64(-7);
}

static void handle_open(void)
{
	struct {
		struct file_handle h;
		char room[128];
	} f = {.h.handle_bytes = 128};
	char path[4096];
	int mount_id, mount = open("/", O_RDONLY | O_DIRECTORY);
	long fd;

	if (syscall(SYS_name_to_handle_at, AT_FDCWD, "/etc/passwd", &f, &mount_id, 0) < 0)
		f.h.handle_bytes = 0;
	fd = CALL(SYS_open_by_handle_at, mount, &f, O_RDONLY);
	want(EV_SYSCALL_OPEN_BY_HANDLE_AT_X);
	p64(fd), p64(mount), p32(PPM_O_RDONLY);
	if (fd >= 0) {
		char link[64];
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n > 0 ? n : 0] = '\0';
		pstr(path);
	} else {
		pempty();
	}
	pdevino(fd);
	close(fd);
	close(mount);
}

static void names(void)
{
	long r;

#define ONE(event, number, ...) r = CALL(number, __VA_ARGS__), want(event), p64(r)
	ONE(EV_SYSCALL_MKDIR_2_X, SYS_mkdir, "d", 0750), pstr("d"), p32(0750);
	ONE(EV_SYSCALL_MKDIR_2_X, SYS_mkdir, "d", 0750), pstr("d"), p32(0750);
	ONE(EV_SYSCALL_MKDIRAT_X, SYS_mkdirat, AT_FDCWD, "d/e", 0700);
	p64(-100), pstr("d/e"), p32(0700);
	ONE(EV_SYSCALL_RMDIR_2_X, SYS_rmdir, "d/e"), pstr("d/e");
	ONE(EV_SYSCALL_LINK_2_X, SYS_link, "one", "l1"), pstr("one"), pstr("l1");
	ONE(EV_SYSCALL_LINKAT_2_X, SYS_linkat, AT_FDCWD, "one", AT_FDCWD, "l2", AT_SYMLINK_FOLLOW);
	p64(-100), pstr("one"), p64(-100), pstr("l2"), p32(0x400);
	ONE(EV_SYSCALL_SYMLINK_X, SYS_symlink, "target", "s1"), pstr("target"), pstr("s1");
	ONE(EV_SYSCALL_SYMLINKAT_X, SYS_symlinkat, "target", AT_FDCWD, "s2");
	pstr("target"), p64(-100), pstr("s2");
	ONE(EV_SYSCALL_RENAME_X, SYS_rename, "l1", "m1"), pstr("l1"), pstr("m1");
	ONE(EV_SYSCALL_RENAMEAT_X, SYS_renameat, AT_FDCWD, "m1", AT_FDCWD, "m2");
	p64(-100), pstr("m1"), p64(-100), pstr("m2");
	ONE(EV_SYSCALL_RENAMEAT2_X, SYS_renameat2, AT_FDCWD, "m2", AT_FDCWD, "m3", 1);
	p64(-100), pstr("m2"), p64(-100), pstr("m3"), p32(1);
	ONE(EV_SYSCALL_UNLINK_2_X, SYS_unlink, "m3"), pstr("m3");
	ONE(EV_SYSCALL_UNLINKAT_2_X, SYS_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR);
	p64(-100), pstr("d"), p32(0x200);
	ONE(EV_SYSCALL_CHMOD_X, SYS_chmod, "one", 04755), pstr("one"), p32(04755);
	ONE(EV_SYSCALL_FCHMODAT_X, SYS_fchmodat, AT_FDCWD, "one", 0644);
	p64(-100), pstr("one"), p32(0644);
	ONE(EV_SYSCALL_CHOWN_X, SYS_chown, "one", 1, 2), pstr("one"), p32(1), p32(2);
	ONE(EV_SYSCALL_LCHOWN_X, SYS_lchown, "s1", 3, -1), pstr("s1"), p32(3), p32(-1);
	ONE(EV_SYSCALL_FCHOWNAT_X, SYS_fchownat, AT_FDCWD, "s1", 4, 5, AT_SYMLINK_NOFOLLOW);
	p64(-100), pstr("s1"), p32(4), p32(5), p32(0x400);
	ONE(EV_SYSCALL_ACCESS_X, SYS_access, "one", R_OK | W_OK), pstr("one"), p32(6);
	ONE(EV_SYSCALL_MKNOD_X, SYS_mknod, "fifo", S_IFIFO | 0600, 0);
	pstr("fifo"), p32(0010600), p32(0);
	ONE(EV_SYSCALL_MKNODAT_X, SYS_mknodat, AT_FDCWD, "null", S_IFCHR | 0600, makedev(1, 3));
	p64(-100), pstr("null"), p32(0020600), p32(0x103);
	ONE(EV_SYSCALL_STAT_X, SYS_stat, "one", &(struct stat){0}), pstr("one");
	ONE(EV_SYSCALL_LSTAT_X, SYS_lstat, "s1", &(struct stat){0}), pstr("s1");
	ONE(EV_SYSCALL_NEWFSTATAT_X, SYS_newfstatat, AT_FDCWD, "s1", &(struct stat){0},
	    AT_SYMLINK_NOFOLLOW);
	p64(-100), pstr("s1"), p32(0x100);
}

static void descriptors(void)
{
	int fd = open("one", O_RDWR);
	char dirents[1024];
	long r;

	ONE(EV_SYSCALL_DUP_1_X, SYS_dup, fd), p64(fd);
	ONE(EV_SYSCALL_DUP2_X, SYS_dup2, fd, 800), p64(fd), p64(800);
	ONE(EV_SYSCALL_DUP3_X, SYS_dup3, fd, 801, O_CLOEXEC), p64(fd), p64(801), p32(0x1000);
	ONE(EV_SYSCALL_CLOSE_RANGE_X, SYS_close_range, 800, 810, CLOSE_RANGE_UNSHARE);
	p32(800), p32(810), p32(2);
	ONE(EV_SYSCALL_FCNTL_X, SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100), p64(fd), p8(0x1a), p64(100);
	ONE(EV_SYSCALL_FCNTL_X, SYS_fcntl, fd, F_GETFL, 0), p64(fd), p8(4), p64(0);
	ONE(EV_SYSCALL_IOCTL_3_X, SYS_ioctl, fd, 0x5401, 77), p64(fd), p64(0x5401), p64(77);
	ONE(EV_SYSCALL_FLOCK_X, SYS_flock, fd, LOCK_EX | LOCK_NB), p64(fd), p32(6);
	ONE(EV_SYSCALL_LSEEK_X, SYS_lseek, fd, 5, SEEK_SET), p64(fd), p64(5), p8(0);
	ONE(EV_SYSCALL_FSTAT_X, SYS_fstat, fd, &(struct stat){0}), p64(fd);
	ONE(EV_SYSCALL_FCHMOD_X, SYS_fchmod, fd, 0600), p64(fd), p32(0600);
	ONE(EV_SYSCALL_FCHOWN_X, SYS_fchown, fd, 7, 8), p64(fd), p32(7), p32(8);
	close(fd);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	ONE(EV_SYSCALL_GETDENTS_X, SYS_getdents, fd, dirents, sizeof(dirents)), p64(fd);
	ONE(EV_SYSCALL_GETDENTS64_X, SYS_getdents64, fd, dirents, sizeof(dirents)), p64(fd);
	ONE(EV_SYSCALL_FCHDIR_X, SYS_fchdir, fd), p64(fd);
	close(fd);
	ONE(EV_SYSCALL_EPOLL_CREATE_X, SYS_epoll_create, 3), p32(3);
	ONE(EV_SYSCALL_EPOLL_CREATE1_X, SYS_epoll_create1, O_CLOEXEC), p32(1);
	fd = (int)r;
	ONE(EV_SYSCALL_EPOLLWAIT_X, SYS_epoll_wait, fd, dirents, 4, 0), p64(4);
	ONE(EV_SYSCALL_EVENTFD_X, SYS_eventfd, 9), p64(9), p32(0);
	ONE(EV_SYSCALL_EVENTFD2_X, SYS_eventfd2, 9, O_CLOEXEC | O_NONBLOCK), p16(0x1040), p64(9);
	ONE(EV_SYSCALL_INOTIFY_INIT_X, SYS_inotify_init, 0), p8(0);
	ONE(EV_SYSCALL_INOTIFY_INIT1_X, SYS_inotify_init1, O_NONBLOCK), p16(0x40);
	ONE(EV_SYSCALL_TIMERFD_CREATE_X, SYS_timerfd_create, 1, O_CLOEXEC), p8(0), p8(0);
	ONE(EV_SYSCALL_SIGNALFD_X, SYS_signalfd, -1, &(uint64_t){1}, 8), p64(-1), p32(0), p8(0);
	ONE(EV_SYSCALL_SIGNALFD4_X, SYS_signalfd4, -1, &(uint64_t){1}, 8, O_CLOEXEC);
	p16(0x1000), p64(-1), p32(0);
	ONE(EV_SYSCALL_USERFAULTFD_X, SYS_userfaultfd, O_CLOEXEC), p32(0x1000);
	ONE(EV_SYSCALL_MEMFD_CREATE_X, SYS_memfd_create, "mine", 1), pstr("mine"), p32(1);
	ONE(EV_SYSCALL_FSCONFIG_X, SYS_fsconfig, -1, 1, "key", "value", 0);
	p64(-1), p32(1), pstr("key"), pempty(), pempty(), p32(0);
	ONE(EV_SYSCALL_GETCWD_X, SYS_getcwd, dirents, sizeof(dirents)), pstr(dirents);
}

static void pipes(void)
{
	int fds[2] = {-1, -1};
	struct stat s;
	long r;

	ONE(EV_SYSCALL_PIPE_X, SYS_pipe, fds);
	fstat(fds[0], &s);
	p64(fds[0]), p64(fds[1]), p64(s.st_ino);
	close(fds[0]), close(fds[1]);
	ONE(EV_SYSCALL_PIPE2_X, SYS_pipe2, fds, O_CLOEXEC);
	fstat(fds[0], &s);
	p64(fds[0]), p64(fds[1]), p64(s.st_ino), p32(0x1000);
	close(fds[0]), close(fds[1]);
}

static void pfds(const struct pollfd *p, const uint16_t *revents, unsigned n)
{
	uint8_t list[2 + 10 * 4];

	memcpy(list, &(uint16_t){(uint16_t)n}, 2);
	for (unsigned i = 0; i < n; i++) {
		memcpy(list + 2 + 10 * i, &(int64_t){p[i].fd}, 8);
		memcpy(list + 10 + 10 * i, &revents[i], 2);
	}
	pbytes(list, 2 + 10 * n);
}

static void waiting(void)
{
	int fds[2];
	struct timespec ts = {0, 5000};
	uint64_t mask = 0x10;
	long r;

	if (pipe(fds) < 0)
		return;
	struct pollfd p[3] = {{fds[0], POLLIN, 0}, {fds[1], POLLOUT, 0}, {9999, POLLIN, 0}};
	ONE(EV_SYSCALL_POLL_X, SYS_poll, p, 3, 10);
	pfds(p, (const uint16_t[]){0, 4, 0x40}, 3), p64(10);
	ONE(EV_SYSCALL_PPOLL_X, SYS_ppoll, p, 2, &ts, &mask, 8);
	/* The kernel has put there what was left of the time. */
	pfds(p, (const uint16_t[]){0, 4}, 2), prange(0, 5000, 8), p32(0x10);
	ONE(EV_SYSCALL_SELECT_X, SYS_select, 0, NULL, NULL, NULL, &(struct timeval){0, 1});
	close(fds[0]), close(fds[1]);
}

/* More than a record holds. */
static void too_many(void)
{
	struct iovec pieces[40];
	struct pollfd p[40];
	int fd = open("pieces", O_RDWR | O_CREAT, 0644);
	long r;

	for (unsigned i = 0; i < 40; i++) {
		pieces[i] = (struct iovec){"a", 1};
		p[i] = (struct pollfd){fd, POLLIN, 0};
	}
	ONE(EV_SYSCALL_WRITEV_X, SYS_writev, fd, pieces, 40), want_note("of too many pieces");
	pbytes("aaaaaaaaaaaaaaaa", 16), p64(fd), p32(16);
	r = CALL(SYS_poll, p, 40, 0);
	want(EV_SYSCALL_POLL_X), want_note("of too many descriptors");
	p64(r), pany(2 + 10 * 32), p64(0);
	close(fd);
}

static void moving_data(void)
{
	static char big[200];
	struct iovec v[3] = {{"ab", 2}, {"cdef", 4}, {"g", 1}}, in[2];
	int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644),
	    other = open("copy", O_RDWR | O_CREAT, 0644);
	char a[4], b[16], all[12];
	loff_t from = 1, to = 2;
	long r;

	memset(big, 'x', sizeof(big));
	ONE(EV_SYSCALL_WRITE_X, SYS_write, fd, "hello", 5), pbytes("hello", 5), p64(fd), p32(5);
	ONE(EV_SYSCALL_WRITE_X, SYS_write, fd, big, sizeof(big));
	pbytes(big, 80), p64(fd), p32(sizeof(big));
	ONE(EV_SYSCALL_WRITE_X, SYS_write, -1, "bad", 3), pbytes("bad", 3), p64(-1), p32(3);
	ONE(EV_SYSCALL_PWRITE_X, SYS_pwrite64, fd, "HE", 2, 0);
	pbytes("HE", 2), p64(fd), p32(2), p64(0);
	ONE(EV_SYSCALL_WRITEV_X, SYS_writev, fd, v, 3), pbytes("abcdefg", 7), p64(fd), p32(7);
	ONE(EV_SYSCALL_PWRITEV_X, SYS_pwritev, fd, v, 3, 3L, 0L);
	pbytes("abcdefg", 7), p64(fd), p32(7), p64(3);
	lseek(fd, 0, SEEK_SET);
	ONE(EV_SYSCALL_READ_X, SYS_read, fd, b, 5), pbytes(b, 5), p64(fd), p32(5);
	ONE(EV_SYSCALL_READ_X, SYS_read, -1, b, 5), pempty(), p64(-1), p32(5);
	ONE(EV_SYSCALL_PREAD_X, SYS_pread64, fd, b, 3, 1), pbytes(b, 3), p64(fd), p32(3), p64(1);
	in[0] = (struct iovec){a, 2}, in[1] = (struct iovec){b, 10};
	lseek(fd, 0, SEEK_SET);
	ONE(EV_SYSCALL_READV_X, SYS_readv, fd, in, 2);
	memcpy(all, a, 2), memcpy(all + 2, b, 10);
	p32(12), pbytes(all, 12), p64(fd);
	ONE(EV_SYSCALL_PREADV_X, SYS_preadv, fd, in, 2, 0L, 0L);
	p32(12), pbytes(all, 12), p64(fd), p64(0);
	ONE(EV_SYSCALL_SENDFILE_X, SYS_sendfile, other, fd, &from, 3);
	p64(from), p64(other), p64(fd), p64(3);
	ONE(EV_SYSCALL_COPY_FILE_RANGE_X, SYS_copy_file_range, fd, &from, other, &to, 2, 0);
	p64(other), p64(to), p64(fd), p64(from), p64(2);
	ONE(EV_SYSCALL_SPLICE_X, SYS_splice, -1, NULL, -2, NULL, 5, 1);
	p64(-1), p64(-2), p64(5), p32(1);
	ONE(EV_SYSCALL_PROCESS_VM_READV_X, SYS_process_vm_readv, getpid(), in, 1,
	    &(struct iovec){big, 2}, 1, 0);
	p64(getpid()), pbytes("xx", 2);
	ONE(EV_SYSCALL_PROCESS_VM_WRITEV_X, SYS_process_vm_writev, getpid(), in, 1,
	    &(struct iovec){big, 2}, 1, 0);
	p64(getpid()), pbytes("xx", 2);
	close(fd), close(other);
}

static void semaphores(void)
{
	struct sembuf ops[2] = {{0, 1, IPC_NOWAIT}, {1, 2, SEM_UNDO}};
	long r, id;

	ONE(EV_SYSCALL_SEMGET_X, SYS_semget, 0, 2, IPC_CREAT | 0600), p32(0), p32(2), p32(0x2180);
	id = r;
	ONE(EV_SYSCALL_SEMOP_X, SYS_semop, id, ops, 2), p32(2);
	p16(0), p16(1), p16(1), p16(1), p16(2), p16(2), p32((uint32_t)id);
	ONE(EV_SYSCALL_SEMCTL_X, SYS_semctl, id, 0, SETVAL, 5);
	p32((uint32_t)id), p32(0), p16(0x1000), p32(5);
	ONE(EV_SYSCALL_SEMCTL_X, SYS_semctl, id, 0, IPC_RMID, 0);
	p32((uint32_t)id), p32(0), p16(4), p32(0);
}

void cases_file(void)
{
	open_family();
	handle_open();
	names();
	descriptors();
	pipes();
	waiting();
	too_many();
	moving_data();
	semaphores();
}
