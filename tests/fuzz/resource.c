/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a Kubernetes API server: a byte for the kind, one for page, watch, line or status,
 * then the text.  What becomes of objects must be records that state accepts.
 */
#include "base/alloc.h"
#include "enrich/cluster.h"
#include "enrich/framer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MODE_PAGE, MODE_WATCH, MODE_LINE, MODE_STATUS, N_MODES };

struct fuzz {
	struct cluster *c;
	enum kube_kind kind;
	int64_t now_ms;
};

static void check_record(void *arg, struct str name, struct str json)
{
	struct kube_object *o;
	struct err e;
	bool is_gone;

	if (kube_parse(json, &is_gone, &o, &e) < 0)
		abort();
	kube_free(o);
}

static void take(void *arg, struct resource *r)
{
	struct fuzz *f = arg;

	cluster_put(f->c, r, ++f->now_ms);
}

static void take_line(void *arg, struct str line)
{
	struct fuzz *f = arg;
	struct change change;

	if (!resource_read_change(line, f->kind, &change))
		return;
	if (change.action == CHANGE_SET)
		cluster_put(f->c, change.r, ++f->now_ms);
	if (change.action == CHANGE_GONE) {
		cluster_remove(f->c, change.r, ++f->now_ms);
		resource_free(change.r);
	}
}

static void take_page(struct fuzz *f, struct str text)
{
	struct page_end end;
	uint64_t n_bad = 0;

	buf_init(&end.next, 2048);
	cluster_begin_list(f->c, f->kind);
	if (resource_read_page(text, f->kind, take, f, &end, &n_bad))
		cluster_end_list(f->c, f->kind, ++f->now_ms);
	buf_done(&end.next);
}

static void take_watch(struct fuzz *f, struct str text)
{
	struct framer framer;

	framer_init(&framer, FRAMING_LINES, 1 << 20);
	framer_feed(&framer, text, take_line, f);
	framer_done(&framer);
}

/* What is asked for is answered by the text again. */
static void fetch_all(struct fuzz *f, struct str text)
{
	struct cluster_want want;

	for (int i = 0; i < 64 && cluster_next_want(f->c, f->now_ms, &want); i++) {
		char *key = xstrndup(want.key.p, want.key.n);

		if (want.name.n)
			cluster_fetched(f->c, want.kind, str_of(key),
					resource_read(text, want.kind), 1000, f->now_ms);
		else
			cluster_fetched_services(f->c, str_of(key), false, 1000, f->now_ms);
		free(key);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct cluster_config cfg = {
		.node = "vm", .max_objects = 64, .max_bytes = 1 << 20, .watch = true};
	struct fuzz f = {.now_ms = 1};
	struct str text;
	char words[64];

	if (n < 2)
		return 0;
	f.c = cluster_new(&cfg, check_record, NULL);
	f.kind = (enum kube_kind)(data[0] % KUBE_COUNT);
	text = (struct str){(const char *)data + 2, n - 2};
	switch (data[1] % N_MODES) {
	case MODE_PAGE:
		take_page(&f, text);
		break;
	case MODE_WATCH:
		take_watch(&f, text);
		break;
	case MODE_LINE:
		take_line(&f, text);
		break;
	case MODE_STATUS:
		resource_read_status(text, words, sizeof(words));
		break;
	}
	cluster_settle(f.c, f.now_ms);
	fetch_all(&f, text);
	cluster_settle(f.c, f.now_ms + 20000);
	cluster_free(f.c);
	return 0;
}
