/* SPDX-License-Identifier: Apache-2.0 */
#include "web/posted.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdatomic.h>
#include <stdlib.h>

struct bodies {
	struct web_taker taker;
	char *path;
	atomic_uint_least64_t n_bytes;
};

struct posted {
	struct bodies *all;
	struct buf text;
	uint64_t n_counted; /* of bodies.n_bytes */
	bool is_crowded;    /* others have taken all the room */
};

struct bodies *bodies_new(const struct web_taker *taker)
{
	struct bodies *b = xcalloc(1, sizeof(*b));

	b->taker = *taker;
	b->path = xstrdup(taker->path);
	return b;
}

void bodies_free(struct bodies *b)
{
	if (!b)
		return;
	free(b->path);
	free(b);
}

static bool has_type(const struct bodies *b, const struct microhttpd *http,
		     struct MHD_Connection *c)
{
	const char *type = http->lookup_connection_value(c, MHD_HEADER_KIND, "Content-Type");

	return type && str_find_fold(str_of(type), str_of(b->taker.type)) >= 0;
}

/* What it says of its length may be a lie, but if it says that it is too long, it is. */
static bool says_it_is_long(const struct bodies *b, const struct microhttpd *http,
			    struct MHD_Connection *c)
{
	const char *text = http->lookup_connection_value(c, MHD_HEADER_KIND, "Content-Length");
	uint64_t n;

	return text && str_u64(str_of(text), &n) && n > b->taker.body_max;
}

unsigned posted_begin(struct bodies *b, const struct microhttpd *http, struct MHD_Connection *c,
		      const char *path, struct posted **ret, const char **ret_why)
{
	struct posted *body;

	*ret_why = "";
	if (strcmp(path, b->path))
		return MHD_HTTP_NOT_FOUND;
	if (!has_type(b, http, c))
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	if (says_it_is_long(b, http, c))
		return MHD_HTTP_CONTENT_TOO_LARGE;
	body = xcalloc(1, sizeof(*body));
	body->all = b;
	buf_init(&body->text, b->taker.body_max);
	*ret = body;
	return 0;
}

void posted_add(struct posted *b, struct str piece)
{
	struct bodies *all = b->all;

	if (b->is_crowded || b->text.truncated)
		return;
	b->n_counted += piece.n;
	b->is_crowded = atomic_fetch_add(&all->n_bytes, piece.n) + piece.n > all->taker.bodies_max;
	if (!b->is_crowded)
		buf_adds(&b->text, piece);
}

unsigned posted_end(struct posted *b, const char **ret_why)
{
	*ret_why = "";
	if (b->text.truncated)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	if (b->is_crowded)
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	return b->all->taker.take(b->all->taker.arg, buf_str(&b->text), ret_why);
}

void posted_free(struct posted *b)
{
	if (!b)
		return;
	atomic_fetch_sub(&b->all->n_bytes, b->n_counted);
	buf_done(&b->text);
	free(b);
}
