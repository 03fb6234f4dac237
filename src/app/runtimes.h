/* SPDX-License-Identifier: Apache-2.0 */
/* Container runtimes beside the events of this machine: for `saker run` and `saker record`. */
#pragma once

#include "app/command.h"
#include "enrich/worker.h"

struct runtimes_options {
	struct option_texts sockets;
	bool off;
};

#define RUNTIMES_ROW(type, member, name, kind, field, value, help)                                 \
	{                                                                                          \
		name, 0, OPTION_##kind, offsetof(type, member.field), value, help                  \
	}
#define RUNTIMES_ROWS(type, member)                                                                \
	RUNTIMES_ROW(type, member, "runtime-socket", TEXTS, sockets, "KIND=PATH",                  \
		     "another container runtime: docker, podman, cri or containerd"),              \
		RUNTIMES_ROW(type, member, "no-runtimes", FLAG, off, NULL,                         \
			     "ask no container runtime")
#define RUNTIMES_ARGUMENTS "[--runtime-socket KIND=PATH]... [--no-runtimes]"

/* *ret is NULL when no runtime is to be asked. */
int runtimes_open(const struct runtimes_options *o, struct worker **ret, struct err *e);
