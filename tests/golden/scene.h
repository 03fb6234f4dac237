/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scene: a machine and what just happened on it, told in lines of text.
 *
 *   proc 100 bash ppid=1 exepath=/usr/bin/bash args=-c,ls env=A=1,B=2 uid=1000
 *   fd 100 3 file /etc/passwd
 *   fd 100 4 ipv4 10.0.0.1:4000->10.0.0.2:80 l4=tcp
 *   user 1000 alice home=/home/alice
 *   group 10 wheel
 *   interface eth0 10.0.0.1/24
 *   openat tid=100 fd=5 name=/etc/shadow flags=O_RDONLY
 *
 * Whatever is no word of the machine is an event by its name, the newest kind of exit where
 * there are several, with its parameters as the schema names them.  Left out means empty.
 * Values: "quoted" with \n, \t, \\, \" and \xHH, lists a,b,c; flags and errors by name.
 * `tid`, `ts` (ns) and `cpu` belong to any event.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "state/state.h"

struct scene {
	struct state *state;
	struct arena arena;
	struct moment moment; /* of the last event */
	bool has_event;
	uint64_t ts;
};

void scene_init(struct scene *s);
void scene_done(struct scene *s);
int scene_add(struct scene *s, struct str line, struct err *e);
