/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is posted, piece by piece, until it is whole and somebody takes it.
 *
 * A body is limited, and so are all together: who sends slowly holds no more than that.
 */
#pragma once

#include "web/microhttpd.h"
#include "web/web.h"

struct bodies;
struct posted;

struct bodies *bodies_new(const struct web_taker *taker); /* copied */
void bodies_free(struct bodies *b);			  /* NULL is fine */

/* 0, or the status with which it is refused at once, and why. */
unsigned posted_begin(struct bodies *b, const struct microhttpd *http, struct MHD_Connection *c,
		      const char *path, struct posted **ret, const char **ret_why);
/* What is too much is left out, which posted_end() tells. */
void posted_add(struct posted *b, struct str piece);
/* The status of the answer, and its text. */
unsigned posted_end(struct posted *b, const char **ret_why);
void posted_free(struct posted *b); /* NULL is fine */
