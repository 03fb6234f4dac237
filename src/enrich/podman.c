/* SPDX-License-Identifier: Apache-2.0 */
/* Podman's own API: HTTP and JSON, much like Docker's. */
#include "enrich/inspect.h"
#include "state/container.h"

#define API "/v4.0.0/libpod" /* served by every podman from 3 on */

static bool ask_list(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, API "/containers/json?all=true");
	return true;
}

static bool ask_summary(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, API "/containers/json?all=true&filters=%7B%22id%22%3A%5B%22");
	url_add(&ret->path, q->id);
	buf_addz(&ret->path, "%22%5D%7D");
	return true;
}

static bool ask_inspect(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, API "/containers/");
	url_add(&ret->path, q->id);
	buf_addz(&ret->path, q->scope->with_size ? "/json?size=true" : "/json?size=false");
	return true;
}

static bool take_inspect(struct query *q, struct str answer)
{
	json_t *c = tree_parse(answer);
	bool good = tree_text(c, "Id").n > 0;

	if (good) {
		inspect_fill(c, q->f);
		/* Ports are left out, as the reference does. */
		q->f->n_ports = 0;
		facts_set_image(q->f, tree_text(c, "ImageName"));
		q->f->image_id = facts_text(q->f, tree_text(c, "Image"));
		q->f->image_digest = facts_text(q->f, tree_text(c, "ImageDigest"));
	}
	json_decref(c);
	return good;
}

static bool ask_events(const struct scope *s, struct request *ret)
{
	buf_addz(&ret->path, API "/events?stream=true&filters=");
	url_add(&ret->path,
		STR("{\"type\":[\"container\"],\"event\":[\"create\",\"start\",\"rename\","
		    "\"remove\"]}"));
	return true;
}

static bool take_event(struct str line, struct note *ret)
{
	return inspect_take_event(line, CONTAINER_PODMAN, ret);
}

static const char *const sockets[] = {"/run/podman/podman.sock", "/run/user/*/podman/podman.sock",
				      NULL};

static const struct step list[] = {{ask_list, inspect_take_ids, 0}};

static const struct step lookup[] = {
	{ask_summary, inspect_take_summary, STEP_EARLY | STEP_OPTIONAL},
	{ask_inspect, take_inspect, 0},
};

static const struct subscription subscriptions[] = {{ask_events, take_event}};

static void ask_version(struct request *ret)
{
	buf_addz(&ret->path, API "/version");
}

static bool take_version(struct str answer, struct buf *out)
{
	return inspect_take_version(answer, "Podman", out);
}

static const struct version_question versions[] = {{ask_version, take_version}, {NULL, NULL}};

const struct runtime_kind kind_podman = {
	.name = "podman",
	.type = CONTAINER_PODMAN,
	.framing = FRAMING_LINES,
	.sockets = sockets,
	.list = list,
	.n_list = 1,
	.lookup = lookup,
	.n_lookup = sizeof(lookup) / sizeof(lookup[0]),
	.subscriptions = subscriptions,
	.n_subscriptions = 1,
	.versions = versions,
};
