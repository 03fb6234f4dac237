/* SPDX-License-Identifier: Apache-2.0 */
/* What Docker's and podman's answers have in common: JSON of the same make. */
#pragma once

#include "enrich/kind.h"
#include "enrich/tree.h"

/* A list of containers: their ids. */
bool inspect_take_ids(struct query *q, struct str answer);
/* The only entry of a list that was asked for one container: name, image, labels. */
bool inspect_take_summary(struct query *q, struct str answer);
/* Everything of an inspected container but its image. */
void inspect_fill(const json_t *c, struct facts *f);
/* A line of the event stream. */
bool inspect_take_event(struct str line, uint32_t type, struct note *ret);
/* "Docker 20.10.24 (API 1.41)" */
bool inspect_take_version(struct str answer, const char *name, struct buf *out);
/* "%7B..." : text as a part of an URL's query. */
void url_add(struct buf *out, struct str s);
