/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of event sources: "syscall", and what plugins declare; and the fields that plugins add.
 *
 * Process-wide, like field_config: filled before rules are loaded, and the same from then on.
 * Rows are borrowed and must stay until event_sources_reset().
 */
#pragma once

#include "field/field.h"

enum {
	SOURCE_SYSCALL = 0,
	SOURCES_MAX = 32,
	SOURCE_NONE = 255, /* of events that came from a plugin which is not loaded */
};

struct event_source {
	const char *name;
	const char *plugin; /* that its events come from; NULL for system calls */
	/* An event in one line, in c's scratch.  False: there is nothing to say. */
	bool (*describe)(void *arg, const struct field_ctx *c, struct str *ret);
	void *arg;
};

/* Its number; that of an earlier one of the same name; or -ENOSPC. */
int event_source_add(const struct event_source *s);
/* -ENOENT: no source is called so. */
int event_source_find(struct str name);
unsigned event_source_count(void);
/* NULL: there is none of this number. */
const struct event_source *event_source_get(unsigned number);
/* "syscall" and no fields of plugins, as at the start. */
void event_sources_reset(void);

/*
 * Names that plugins give to their async events: evt.type may be compared with them.  The name is
 * borrowed.  -ENOSPC when there are too many.
 */
int async_name_add(const char *name);
bool async_name_is(struct str name);

/*
 * One more field, of the sources whose bits are set.  -EEXIST and *e when one of them has a field
 * of this name, -EINVAL when the name is none, -ENOSPC when there are too many.
 */
int field_add(const struct field_info *info, uint32_t sources, struct err *e);
/* Added field i and its sources; NULL behind the last. */
const struct field_info *field_added(size_t i, uint32_t *ret_sources);
/* One of this name in this source; NULL: none. */
const struct field_info *field_added_find(struct str name, unsigned source);
