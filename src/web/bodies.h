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
struct body;

struct bodies *bodies_new(const struct web_taker *taker); /* copied */
void bodies_free(struct bodies *b);			  /* NULL is fine */

/* 0, or the status with which it is refused at once, and why. */
unsigned body_begin(struct bodies *b, const struct microhttpd *http, struct MHD_Connection *c,
		    const char *path, struct body **ret, const char **ret_why);
/* What is too much is left out, which body_end() tells. */
void body_add(struct body *b, struct str piece);
/* The status of the answer, and its text. */
unsigned body_end(struct body *b, const char **ret_why);
void body_free(struct body *b); /* NULL is fine */
