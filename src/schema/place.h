/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a file really is, as the kernel programs tell it: an asyncevent just before the event of
 * the call, of the same thread.  Its data is the struct, then two texts with their NULs.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

#define PLACE_EVENT "saker.place"
/* The same of what a process had open, or for an executable, before it was watched. */
#define PLACE_FOUND_EVENT "saker.place_found"

enum place_layer { PLACE_NO_LAYER, PLACE_UPPER, PLACE_LOWER };

struct place_head {
	int64_t fd;	   /* or enum place_of */
	uint64_t ino;	   /* these two as the open's event has them; of a named file 0, and ... */
	uint32_t dev;	   /* ... the type of its event */
	uint32_t real_dev; /* what mountinfo calls the file system that has the bytes */
	uint32_t magic;	   /* its kind, as statfs(2) has it */
	uint32_t layer;	   /* enum place_layer: of the innermost overlay */
			   /*
			    * char path[]: as its mount namespace sees it, links followed;
			    * of a named file: as it was given
			    * char real[]: in the real file system, from its root; empty: unknown
			    */
};

enum place_of {
	PLACE_EXE = -1,	 /* the executable */
	PLACE_NAME = -2, /* what the call only names, in the order of fs.path.name ... */
	PLACE_SOURCE = -3,
	PLACE_TARGET = -4,
};
