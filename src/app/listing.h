/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the project as people and programs read them. */
#pragma once

#include "base/buf.h"

/* Verbose: text with types. */
enum listing_form { LISTING_TEXT, LISTING_VERBOSE, LISTING_MARKDOWN, LISTING_JSON };

void listing_fields(enum listing_form form, struct buf *out);
/* Of event sources whose bits are set. */
void listing_fields_of(uint32_t sources, enum listing_form form, struct buf *out);
void listing_field_names(uint32_t sources, bool json, struct buf *out);
void listing_events(enum listing_form form, struct buf *out);
void listing_syscalls(enum listing_form form, struct buf *out);
/* Of this run (app/plugged.h). */
void listing_plugins(enum listing_form form, struct buf *out);
/* What a plugin may export. */
void listing_symbols(enum listing_form form, struct buf *out);
/* The i-th in full. */
void listing_plugin(size_t i, struct buf *out);
