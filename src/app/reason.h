/* SPDX-License-Identifier: Apache-2.0 */
/* A part of a condition that decided, in words and as JSON. */
#pragma once

#include "base/buf.h"
#include "filter/program.h"

/* "proc.name = sh is false; it was "bash"", "not (proc.name = sh): it is true ("sh")" ... */
void reason_text(const struct explain_step *step, struct buf *out);
/* The same without the value, as where many events came to an end. */
void reason_end_text(const struct explain_step *step, struct buf *out);
/* Members without the braces around them. */
void reason_json(const struct explain_step *step, struct buf *out);
