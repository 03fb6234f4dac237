/* SPDX-License-Identifier: Apache-2.0 */
/* Container runtimes beside the events of this machine: for `saker run` and `saker record`. */
#pragma once

#include "app/command.h"
#include "enrich/worker.h"
#include "state/state.h"

struct runtimes_options {
	struct option_texts sockets;
	bool off;
};

#define RUNTIMES_ROW(type, member, name, kind, field, value, help)                                 \
	OPTION_ROW(type, name, 0, kind, member.field, value, help)
#define RUNTIMES_ROWS(type, member)                                                                \
	RUNTIMES_ROW(type, member, "runtime-socket", TEXTS, sockets, "KIND=PATH",                  \
		     "another container runtime: docker, podman, cri or containerd"),              \
		RUNTIMES_ROW(type, member, "no-runtimes", FLAG, off, NULL,                         \
			     "ask no container runtime")
#define RUNTIMES_ARGUMENTS "[--runtime-socket KIND=PATH]... [--no-runtimes]"

/* *ret is NULL when no runtime is to be asked, which is fine for all the others. */
int runtimes_open(const struct runtimes_options *o, struct worker **ret, struct err *e);
/* Have state tell of containers that it meets.  w must outlive it. */
void runtimes_listen(struct worker *w, struct state_config *cfg);
/* Events of the machine with what runtimes say between them; live is taken over. */
struct source *runtimes_source(struct worker *w, struct source *live);
/* When capabilities have been given up, and before the picture of the machine ... */
int runtimes_start(struct worker *w, struct err *e);
/* ... and behind it: what runtimes know already should be there before the first event. */
void runtimes_wait(struct worker *w);
/* Behind the last event: end it, and say on standard error what runtimes were asked and told. */
void runtimes_summarize(struct worker *w);
/* The same of one runtime; nothing where there is none. */
void runtimes_tell(const struct runtime *r);
