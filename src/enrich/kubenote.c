/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/kubenote.h"

#include "base/json.h"

static void add_pairs(struct buf *out, const char *name, const struct pair_list *l)
{
	buf_addf(out, ",\"%s\":{", name);
	for (size_t i = 0; i < l->n; i++) {
		buf_addz(out, i ? "," : "");
		json_add_string(out, l->at[i].key);
		buf_addc(out, ':');
		json_add_string(out, l->at[i].value);
	}
	buf_addc(out, '}');
}

/* A text that holds JSON. */
static void add_meta(struct kubenote *n, const struct resource *r, bool annotations)
{
	struct buf *in = n->inner;

	buf_reset(in);
	buf_addz(in, "{\"name\":");
	json_add_string(in, r->name);
	buf_addz(in, ",\"namespace\":");
	json_add_string(in, r->namespace);
	if (r->labels.n)
		add_pairs(in, "labels", &r->labels);
	if (r->annotations.n && annotations)
		add_pairs(in, "annotations", &r->annotations);
	buf_addc(in, '}');
	n->out->truncated |= in->truncated;
	buf_addz(n->out, ",\"meta\":");
	json_add_string(n->out, buf_str(in));
}

static void add_status(struct kubenote *n, const struct resource *r)
{
	buf_reset(n->inner);
	buf_addz(n->inner, "{\"podIP\":");
	json_add_string(n->inner, r->ip);
	buf_addc(n->inner, '}');
	buf_addz(n->out, ",\"status\":");
	json_add_string(n->out, buf_str(n->inner));
}

void kubenote_begin(struct kubenote *n, const struct resource *r, bool annotations)
{
	buf_reset(n->out);
	buf_addz(n->out, "{\"uid\":");
	json_add_string(n->out, r->uid);
	buf_addf(n->out, ",\"kind\":\"%s\"", kube_kind_text(r->kind));
	add_meta(n, r, annotations);
	if (r->kind != KUBE_POD)
		return;
	if (r->ip.n)
		add_status(n, r);
	buf_addz(n->out, ",\"refs\":{\"resources\":{");
}

void kubenote_ref(struct kubenote *n, enum kube_kind kind, struct str uid)
{
	if (n->is_open && n->kind == kind) {
		buf_addc(n->out, ',');
	} else {
		buf_addf(n->out, "%s\"%s\":{\"list\":[", n->is_open ? "]}," : "",
			 kube_kind_text(kind));
		n->kind = kind;
		n->is_open = true;
	}
	json_add_string(n->out, uid);
}

void kubenote_end(struct kubenote *n, const struct resource *r)
{
	if (r->kind == KUBE_POD)
		buf_addz(n->out, n->is_open ? "]}}}" : "}}");
}
