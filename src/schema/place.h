/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a file really is, as the kernel programs tell it: an asyncevent just before the event of
 * the open or exec, of the same thread.  Its data is the struct, then two texts with their NULs.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

#define PLACE_EVENT "saker.place"

enum place_layer { PLACE_NO_LAYER, PLACE_UPPER, PLACE_LOWER };

struct place_head {
	int64_t fd;   /* PLACE_EXE: the executable */
	uint64_t ino; /* these two as the open's event has them */
	uint32_t dev;
	uint32_t real_dev; /* what mountinfo calls the file system that has the bytes */
	uint32_t magic;	   /* its kind, as statfs(2) has it */
	uint32_t layer;	   /* enum place_layer: of the innermost overlay */
			   /*
			    * char path[]: as its mount namespace sees it, links followed
			    * char real[]: in the real file system, from its root; empty: unknown
			    */
};

enum { PLACE_EXE = -1 };
