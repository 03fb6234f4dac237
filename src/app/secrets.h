/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration says must not be passed on (saker.redaction): its patterns, compiled once,
 * and what they make of records that go into a capture.
 */
#pragma once

#include "app/command.h"
#include "capture/record.h"
#include "filter/redaction.h"

struct config;

/* Patterns that are no regular expressions have been reported. */
enum exit_status secrets_begin(const struct config *c);
void secrets_end(void);
/* NULL: nothing is overwritten. */
struct redaction *secrets(void);

/* A record without its secrets: itself, or a copy that is good until the next call. */
const struct record *secrets_record(const struct record *r);
/* Text that is passed on as it is, in place. */
void secrets_text(struct buf *text, size_t from);
