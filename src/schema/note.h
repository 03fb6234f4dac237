/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes that the kernel programs send between events: asyncevents of these names, of the thread
 * whose next event they are about.  See also schema/place.h.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

/* The folder of who is about to be told to run another program: a text. */
#define NOTE_FOLDER "saker.folder"
/* A descriptor that a message brought: struct picture_file, then its name (schema/picture.h). */
#define NOTE_ARRIVAL "saker.arrival"
/*
 * In recordings, behind the lists of processes and descriptors: what these have no room for.  As
 * many of struct note_picture as it is long; its time is that of the last reading so far.
 */
#define NOTE_PICTURE "saker.picture"

struct note_picture {
	int64_t tid;
	int64_t fd;	  /* one that an exec closes; NOTE_PICTURE_THREAD: of the thread */
	uint64_t read_ns; /* when reading it began, as events are stamped */
};

enum { NOTE_PICTURE_THREAD = -1 };
