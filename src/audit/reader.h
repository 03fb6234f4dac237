/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit events from files: each line is JSON as it would be posted.  Of a folder, its files, the
 * oldest first.
 */
#pragma once

#include "audit/events.h"
#include "base/err.h"

struct audit_reader;

int audit_reader_open(const char *path, uint64_t line_max, struct audit_reader **ret,
		      struct err *e);
void audit_reader_close(struct audit_reader *r); /* NULL is fine */
/* Put what the next lines hold.  False: there is nothing any more. */
bool audit_reader_next(struct audit_reader *r, struct audit_events *into);
