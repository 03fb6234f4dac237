/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a socket cannot be talked to, and the smallest change that mends it: looked at first
 * (denial_look), then put into words, which is pure.
 */
#pragma once

#include "base/buf.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum socket_fault {
	SOCKET_GOOD,	 /* somebody accepts connections there */
	SOCKET_ABSENT,	 /* there is nothing of this name */
	SOCKET_DANGLING, /* a symbolic link to nothing */
	SOCKET_NONE,	 /* something else than a socket */
	SOCKET_HIDDEN,	 /* a folder on the way may not be searched */
	SOCKET_OTHERS,	 /* its owner and mode say no */
	SOCKET_MODULE,	 /* they say yes, a security module says no */
	SOCKET_FILTERED, /* a seccomp filter does not let us connect */
	SOCKET_DEAD,	 /* nobody listens */
	SOCKET_BUSY,	 /* who listens does not accept */
	SOCKET_ODD,	 /* see error */
	SOCKET_FAULTS,
};

struct denial {
	enum socket_fault fault;
	int error;	/* errno of what failed */
	bool no_socket; /* not connecting did, but having a socket to connect with */
	char path[PATH_MAX];
	char link[PATH_MAX];   /* where the path leads if it is a symbolic link; "" */
	char folder[PATH_MAX]; /* SOCKET_HIDDEN: which may not be searched */
	mode_t mode;	       /* of the socket */
	uid_t uid, euid;
	gid_t gid;
	char module[256]; /* "AppArmor profile x (enforce)"; "" without one */
};

/* Connect to it, with the capabilities that are in force, and look into what goes wrong. */
void denial_look(const char *path, struct denial *ret);
/* A sentence each, without a full stop; nothing for SOCKET_GOOD. */
void denial_add_why(const struct denial *d, struct buf *out);
void denial_add_mend(const struct denial *d, struct buf *out);
