/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where audit events come in: an address of ours that they are posted to, or files.
 */
#pragma once

#include "audit/events.h"
#include "base/err.h"

struct inlet_config {
	const char *certificate; /* for https: a file with certificate and key */
	uint64_t event_max, body_max, waiting_max;
};

struct inlet;

/* where: "http://ADDRESS:PORT/PATH", the same with https, or a file or folder. */
int inlet_open(const struct inlet_config *cfg, const char *where, struct inlet **ret,
	       struct err *e);
void inlet_close(struct inlet *in); /* NULL is fine */
/* The next events, good until the next call; there may be none now.  False: nor ever. */
bool inlet_next(struct inlet *in, unsigned timeout_ms, ss_plugin_event ***ret, uint32_t *ret_n);

/* What has come in, and why some was left out. */
enum { INLET_COUNTS = 4 };
extern const char *const inlet_count_names[INLET_COUNTS];
uint64_t inlet_count(const struct inlet *in, unsigned which);

struct inlet_place {
	char address[64], path[256];
	uint16_t port;
	bool is_secure;
};

/* Its parts; 1: it is no address but a file.  -EINVAL and *e where it is wrong. */
int inlet_parse(const char *where, struct inlet_place *ret, struct err *e);
