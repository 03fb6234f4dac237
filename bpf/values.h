/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's flag values as the portable ones of schema/flags.def.
 *
 * Where the two are the same bits, a mask is all it takes.
 */
#pragma once

#include "probe.h"

/* Value `to` if all bits of `from` are set in v. */
#define ALL(from, to) r |= (v & (from)) == (from) ? (to) : 0;
/* ... if any is. */
#define ANY(from, to) r |= v & (from) ? (to) : 0;
#define IS(from, to)                                                                               \
	if (v == (from))                                                                           \
		return to;

#if defined(__TARGET_ARCH_arm64)
enum { K_O_DIRECTORY = 040000, K_O_DIRECT = 0200000, K_O_LARGEFILE = 0400000 };
#else
enum { K_O_DIRECTORY = 0200000, K_O_DIRECT = 040000, K_O_LARGEFILE = 0100000 };
#endif
enum {
	K_O_CREAT = 0100,
	K_O_EXCL = 0200,
	K_O_TRUNC = 01000,
	K_O_APPEND = 02000,
	K_O_NONBLOCK = 04000,
	K_O_DSYNC = 010000,
	K_O_CLOEXEC = 02000000,
	K_O_SYNC = 04010000,
	K_O_TMPFILE = 020000000 | K_O_DIRECTORY,
	K_FMODE_CREATED = 0x100000,
};

ALWAYS u32 open_flags(u32 v)
{
	u32 r = 0;

	r |= (v & 3) == 0   ? PPM_O_RDONLY
	     : (v & 3) == 1 ? PPM_O_WRONLY
	     : (v & 3) == 2 ? PPM_O_RDWR
			    : 0;
	ALL(K_O_CREAT, PPM_O_CREAT)
	ALL(K_O_APPEND, PPM_O_APPEND)
	ANY(K_O_DSYNC, PPM_O_DSYNC)
	ALL(K_O_EXCL, PPM_O_EXCL)
	ALL(K_O_NONBLOCK, PPM_O_NONBLOCK)
	ANY(K_O_SYNC, PPM_O_SYNC)
	ALL(K_O_TRUNC, PPM_O_TRUNC)
	ALL(K_O_DIRECT, PPM_O_DIRECT)
	ALL(K_O_DIRECTORY, PPM_O_DIRECTORY)
	ALL(K_O_LARGEFILE, PPM_O_LARGEFILE)
	ALL(K_O_CLOEXEC, PPM_O_CLOEXEC)
	ANY(K_O_TMPFILE, PPM_O_TMPFILE)
	return r;
}

/* Only a call that may make a file has a mode. */
ALWAYS u32 open_mode(u32 flags, u32 mode)
{
	return flags & (K_O_CREAT | (K_O_TMPFILE & ~K_O_DIRECTORY)) ? mode & 07777 : 0;
}

/* Flags that stand beside others: of pipe2, socket, eventfd2 ... */
ALWAYS u32 fd_flags(u32 v)
{
	u32 r = 0;

	ALL(K_O_CLOEXEC, PPM_O_CLOEXEC)
	ALL(K_O_NONBLOCK, PPM_O_NONBLOCK)
	ALL(K_O_DIRECT, PPM_O_DIRECT)
	return r;
}

/* Of openat2: NO_XDEV 1, NO_MAGICLINKS 2, NO_SYMLINKS 4, BENEATH 8, IN_ROOT 0x10, CACHED 0x20. */
ALWAYS u32 resolve_flags(u64 v)
{
	return (v & 1) << 4 | (v & 6) << 1 | (v & 8) >> 3 | (v & 0x10) >> 3 | (v & 0x20);
}

ALWAYS u32 clone_flags(u32 v)
{
	u32 r = 0;

	ALL(0x400, 0x1)		    /* FILES */
	ALL(0x200, 0x2)		    /* FS */
	ALL(0x80000000, 0x4)	    /* IO */
	ALL(0x08000000, 0x8)	    /* NEWIPC */
	ALL(0x40000000, 0x10)	    /* NEWNET */
	ALL(0x00020000, 0x20)	    /* NEWNS */
	ALL(0x20000000, 0x40)	    /* NEWPID */
	ALL(0x04000000, 0x80)	    /* NEWUTS */
	ALL(0x00008000, 0x100)	    /* PARENT */
	ALL(0x00100000, 0x200)	    /* PARENT_SETTID */
	ALL(0x00002000, 0x400)	    /* PTRACE */
	ALL(0x00000800, 0x800)	    /* SIGHAND */
	ALL(0x00040000, 0x1000)	    /* SYSVSEM */
	ALL(0x00010000, 0x2000)	    /* THREAD */
	ALL(0x00800000, 0x4000)	    /* UNTRACED */
	ALL(0x00000100, 0x8000)	    /* VM */
	ALL(0x10000000, 0x100000)   /* NEWUSER */
	ALL(0x00200000, 0x800000)   /* CHILD_CLEARTID */
	ALL(0x01000000, 0x1000000)  /* CHILD_SETTID */
	ALL(0x00080000, 0x2000000)  /* SETTLS */
	ALL(0x00004000, 0x8000000)  /* VFORK */
	ALL(0x02000000, 0x10000000) /* NEWCGROUP */
	return r;
}
enum { CLONE_CHILD_IN_PIDNS = 0x20000000 };

ALWAYS u32 mmap_flags(u32 v)
{
	u32 r = 0;

	ALL(0x01, 0x1)	    /* SHARED */
	ALL(0x02, 0x2)	    /* PRIVATE */
	ALL(0x10, 0x4)	    /* FIXED */
	ALL(0x20, 0x8)	    /* ANONYMOUS */
	ALL(0x40, 0x10)	    /* 32BIT */
	ALL(0x4000, 0x40)   /* NORESERVE */
	ALL(0x8000, 0x80)   /* POPULATE */
	ALL(0x10000, 0x100) /* NONBLOCK */
	ALL(0x0100, 0x200)  /* GROWSDOWN */
	ALL(0x0800, 0x400)  /* DENYWRITE */
	ALL(0x1000, 0x800)  /* EXECUTABLE */
	ALL(0x2000, 0x4000) /* LOCKED */
	return r;
}

ALWAYS u32 prot_flags(u32 v)
{
	u32 r = v & 0xf;

	ALL(0x01000000, 0x10) /* GROWSDOWN */
	ALL(0x02000000, 0x20) /* GROWSUP */
	return r;
}

ALWAYS u32 poll_flags(u32 v)
{
	u32 r = v & 7;

	ALL(0x2000, 0x8)  /* RDHUP */
	ALL(0x8, 0x10)	  /* ERR */
	ALL(0x10, 0x20)	  /* HUP */
	ALL(0x20, 0x40)	  /* NVAL */
	ALL(0x40, 0x80)	  /* RDNORM */
	ALL(0x80, 0x100)  /* RDBAND */
	ALL(0x100, 0x200) /* WRNORM */
	ALL(0x200, 0x400) /* WRBAND */
	return r;
}

/* LOCK_SH, EX and UN are 1, 2 and 8 in the kernel, NB is 4: here too. */
ALWAYS u32 flock_flags(u32 v)
{
	return v & 0xf;
}

/* Here the value tells follow from symlink-nofollow: AT_SYMLINK_NOFOLLOW is not the kernel's. */
ALWAYS u32 fchownat_flags(u32 v)
{
	u32 r = 0;

	ALL(0x100, 0x400)
	ALL(0x1000, 0x1000)
	return r;
}

ALWAYS u8 fcntl_command(u32 v)
{
	IS(1024, 0x17) /* SETLEASE */
	IS(1025, 0x18) /* GETLEASE */
	IS(1026, 0x1b) /* NOTIFY */
	IS(1029, 0x19) /* CANCELLK */
	IS(1030, 0x1a) /* DUPFD_CLOEXEC */
	IS(1031, 0x1c) /* SETPIPE_SZ */
	IS(1032, 0x1d) /* GETPIPE_SZ */
	IS(36, 0x1e)   /* OFD_GETLK */
	IS(37, 0x1f)   /* OFD_SETLK */
	IS(38, 0x20)   /* OFD_SETLKW */
	IS(0, 0x1)     /* DUPFD */
	IS(1, 0x2)     /* GETFD */
	IS(2, 0x3)     /* SETFD */
	IS(3, 0x4)     /* GETFL */
	IS(4, 0x5)     /* SETFL */
	IS(5, 0x6)     /* GETLK */
	IS(6, 0x8)     /* SETLK */
	IS(7, 0x9)     /* SETLKW */
	IS(8, 0xa)     /* SETOWN */
	IS(9, 0xc)     /* GETOWN */
	IS(10, 0xd)    /* SETSIG */
	IS(11, 0xf)    /* GETSIG */
	IS(12, 0x11)   /* GETLK64 */
	IS(13, 0x12)   /* SETLK64 */
	IS(14, 0x13)   /* SETLKW64 */
	IS(15, 0x15)   /* SETOWN_EX */
	IS(16, 0x16)   /* GETOWN_EX */
	return 0;
}

ALWAYS u8 rlimit_resource(u32 v)
{
	return v < 16 ? v : 0xff;
}

ALWAYS u8 lseek_whence(u32 v)
{
	return v;
}

ALWAYS u16 futex_op(u32 v)
{
	return (v & 0x7f) | (v & 0x80) | (v & 0x100);
}

ALWAYS u32 semget_flags(u32 v)
{
	u32 r = v & 0777;

	ALL(01000, 0x2000) /* IPC_CREAT */
	ALL(02000, 0x4000) /* IPC_EXCL */
	return r;
}

ALWAYS u16 semop_flags(u32 v)
{
	u16 r = 0;

	ALL(04000, 0x1)	 /* IPC_NOWAIT */
	ALL(0x1000, 0x2) /* SEM_UNDO */
	return r;
}

ALWAYS u16 semctl_command(u32 v)
{
	v &= ~0x100;   /* IPC_64 */
	IS(0, 0x4)     /* RMID */
	IS(1, 0x2)     /* SET */
	IS(2, 0x1)     /* STAT */
	IS(3, 0x8)     /* INFO */
	IS(11, 0x100)  /* GETPID */
	IS(12, 0x200)  /* GETVAL */
	IS(13, 0x40)   /* GETALL */
	IS(14, 0x80)   /* GETNCNT */
	IS(15, 0x400)  /* GETZCNT */
	IS(16, 0x1000) /* SETVAL */
	IS(17, 0x800)  /* SETALL */
	IS(18, 0x20)   /* SEM_STAT */
	IS(19, 0x10)   /* SEM_INFO */
	return 0;
}

ALWAYS u32 unlinkat_flags(u32 v)
{
	return v & 0x200;
}

ALWAYS u32 linkat_flags(u32 v)
{
	return v & 0x1400;
}

ALWAYS u32 newfstatat_flags(u32 v)
{
	return v & 0x1900;
}

ALWAYS u32 umount_flags(u32 v)
{
	return v & 0xf;
}

ALWAYS u32 mount_flags(u32 v)
{
	/* A magic number in the upper half means nothing since Linux 2.4. */
	return (v & 0xffff0000) == 0xc0ed0000 ? v & 0xffff : v;
}

ALWAYS u16 ptrace_request(u32 v)
{
	if (v < 10)
		return v + 1;
	IS(12, 0x1a) /* GETREGS */
	IS(13, 0x1b) /* SETREGS */
	IS(14, 0x1c) /* GETFPREGS */
	IS(15, 0x1d) /* SETFPREGS */
	IS(16, 0xb)  /* ATTACH */
	IS(17, 0xc)  /* DETACH */
	IS(18, 0x1e) /* GETFPXREGS */
	IS(19, 0x1f) /* SETFPXREGS */
	IS(21, 0x20) /* OLDSETOPTIONS */
	IS(24, 0xd)  /* SYSCALL */
	IS(25, 0x21) /* GET_THREAD_AREA */
	IS(26, 0x22) /* SET_THREAD_AREA */
	IS(30, 0x23) /* ARCH_PRCTL */
	IS(31, 0x24) /* SYSEMU */
	IS(32, 0x25) /* SYSEMU_SINGLESTEP */
	IS(33, 0x26) /* SINGLEBLOCK */
	if (v >= 0x4200 && v <= 0x420b) {
		/* SETOPTIONS 0xe, GETEVENTMSG, GETSIGINFO, SETSIGINFO, GETREGSET ... */
		return v - 0x4200 + 0xe;
	}
	return 0;
}

ALWAYS u16 quotactl_command(u32 v)
{
	v >>= 8;
	IS(0x800002, 0x1)
	IS(0x800003, 0x2)
	IS(0x800004, 0x4)
	IS(0x800005, 0x8)
	IS(0x800006, 0x10)
	IS(0x800007, 0x20)
	IS(0x800008, 0x40)
	IS(0x800001, 0x80)
	IS(0x5801, 0x100)
	IS(0x5802, 0x200)
	IS(0x5803, 0x400)
	IS(0x5804, 0x800)
	IS(0x5805, 0x1000)
	IS(0x5806, 0x2000)
	IS(0x5807, 0x4000)
	return 0;
}

ALWAYS u8 quotactl_type(u32 v)
{
	IS(0, 1)
	IS(1, 2)
	return 0;
}

ALWAYS u8 quota_format(u32 v)
{
	IS(1, 2)
	IS(2, 4)
	IS(4, 8)
	return 1;
}

ALWAYS u32 io_uring_setup_flags(u32 v)
{
	u32 r = v & 3;

	ALL(0x4, 0x8)	/* SQ_AFF */
	ALL(0x8, 0x10)	/* CQSIZE */
	ALL(0x10, 0x20) /* CLAMP */
	ALL(0x20, 0x40) /* ATTACH_WQ */
	ALL(0x40, 0x80) /* R_DISABLED */
	return r;
}

ALWAYS u32 delete_module_flags(u32 v)
{
	u32 r = 0;

	ALL(K_O_TRUNC, 1)
	ALL(K_O_NONBLOCK, 2)
	return r;
}

ALWAYS u32 close_range_flags(u32 v)
{
	return v & 6;
}

/* SHUT_UNKNOWN does not fit into its eight bits; all ones is what is left of it. */
ALWAYS u8 shutdown_how(u32 v)
{
	return v < 3 ? v : 0xff;
}

/* Device numbers as stat(2) tells them. */
ALWAYS u32 device(u32 v)
{
	u32 major = v >> 20, minor = v & 0xfffff;

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}
