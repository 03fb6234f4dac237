/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Least privilege: which capabilities the program needs when it starts and which later, giving up
 * the others, and a list of system calls beyond which it does not go.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What the configuration lets the program do once everything is attached. */
enum privilege_need {
	NEED_BASE = 1 << 0,	/* read rings and maps, write to what is open: always */
	NEED_HEAL = 1 << 1,	/* read other processes' folders in /proc */
	NEED_RELOAD = 1 << 2,	/* read files again, load and attach more programs */
	NEED_WRITE = 1 << 3,	/* create, rotate and remove output files */
	NEED_CONNECT = 1 << 4,	/* talk to container runtimes and to servers */
	NEED_LISTEN = 1 << 5,	/* be a server */
	NEED_THREADS = 1 << 6,	/* start threads later */
	NEED_PROGRAMS = 1 << 7, /* have a helper start programs (base/spawner.h) */
	NEED_SOCKETS = 1 << 8,	/* be the helper that connects to sockets (enrich/connector.h) */
};

/* Bits by capability number: what `saker run` starts with, and what these needs keep. */
uint64_t privilege_to_start(void);
uint64_t privilege_to_keep(unsigned needs);
uint64_t privilege_held(void); /* effective ones */
/* Have, until told otherwise, only these in force, as far as they are permitted. */
void privilege_use(uint64_t capabilities);

/*
 * Have exactly those of `keep` that are held now, in every set, for ever: what is executed later
 * cannot get others.  Of the calling thread and those it starts, so call it before the first.
 */
int privilege_drop(uint64_t keep, struct err *e);
/*
 * From now on every system call outside the list that follows from needs fails with EPERM, in
 * all threads, and is counted.  Programs are never executed.
 *
 * Why it is not the end of the program: a watcher that a surprise of the C library ends sees
 * nothing any more, while a refused call does no harm.  But it must not go unnoticed, so the
 * filter traps (SIGSYS), and the handler counts and lets the call fail.  A thread that blocks
 * SIGSYS is ended by it, and the program with it.
 */
int privilege_confine(unsigned needs, struct err *e);
/* How many were refused so far, and the native number of the last. */
unsigned privilege_refused(unsigned *ret_last);
