/* SPDX-License-Identifier: Apache-2.0 */
/* Docker: HTTP and JSON. */
#include "enrich/inspect.h"
#include "state/container.h"

static bool ask_list(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, "/containers/json?all=1");
	return true;
}

static bool ask_summary(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, "/containers/json?all=1&filters=%7B%22id%22%3A%5B%22");
	url_add(&ret->path, q->id);
	buf_addz(&ret->path, "%22%5D%7D");
	return true;
}

static void add_inspect(const struct query *q, struct str id, struct request *ret)
{
	buf_addz(&ret->path, "/containers/");
	url_add(&ret->path, id);
	buf_addz(&ret->path, q->scope->with_size ? "/json?size=1" : "/json");
}

static bool ask_inspect(const struct query *q, struct request *ret)
{
	add_inspect(q, q->id, ret);
	return true;
}

static bool take_inspect(struct query *q, struct str answer)
{
	json_t *c = tree_parse(answer);
	bool good = tree_text(c, "Id").n > 0;

	if (good) {
		inspect_fill(c, q->f);
		facts_set_image(q->f, tree_text(c, "Config.Image"));
		q->f->image_ref = facts_text(q->f, tree_text(c, "Image"));
	}
	json_decref(c);
	return good;
}

static bool ask_image(const struct query *q, struct request *ret)
{
	if (!q->f->image_ref.n)
		return false;
	buf_addz(&ret->path, "/images/");
	url_add(&ret->path, q->f->image_ref);
	buf_addz(&ret->path, "/json");
	return true;
}

/* "repo@digest" */
static void take_digests(const json_t *list, struct str *repo, struct facts *f)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		struct str s = tree_text(item, "");
		ptrdiff_t at = str_chr(s, '@');

		if (at < 0 || at != str_rchr(s, '@') || repo->n)
			continue;
		*repo = str_head(s, (size_t)at);
		f->image_digest = facts_text(f, str_from(s, (size_t)at + 1));
	}
}

/* The tag is that of the first name that belongs to the repository, and is whole. */
static void take_tags(const json_t *list, struct str *repo, struct str *tag)
{
	struct str its_repo, its_tag;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		struct str s = tree_text(item, "");

		image_split(s, &its_repo, &its_tag);
		if (!its_repo.n || !its_tag.n)
			continue;
		if (!repo->n)
			*repo = its_repo;
		if (!tag->n && str_find(s, *repo) >= 0)
			*tag = its_tag;
	}
}

static bool take_image(struct query *q, struct str answer)
{
	json_t *image = tree_parse(answer);
	struct str id = tree_text(image, "Id"), repo = STR_EMPTY, tag = STR_EMPTY;
	bool good = id.n > 0;

	if (str_starts(id, STR("sha256:")))
		id = str_from(id, 7);
	if (good) {
		q->f->image_id = facts_text(q->f, id);
		take_digests(tree_at(image, "RepoDigests"), &repo, q->f);
		take_tags(tree_at(image, "RepoTags"), &repo, &tag);
	}
	/* An image without names, as of a build: what the container calls it is the best there is.
	 */
	if (repo.n) {
		q->f->image_repo = facts_text(q->f, repo);
		q->f->image_tag = facts_text(q->f, tag);
	}
	json_decref(image);
	return good;
}

static bool ask_peer(const struct query *q, struct request *ret)
{
	if (!q->f->ip_from.n)
		return false;
	add_inspect(q, q->f->ip_from, ret);
	return true;
}

static bool take_peer(struct query *q, struct str answer)
{
	json_t *c = tree_parse(answer);
	bool good = json_is_object(c);

	q->f->ip = facts_text(q->f, tree_text(c, "NetworkSettings.IPAddress"));
	json_decref(c);
	return good;
}

static bool ask_events(const struct scope *s, struct request *ret)
{
	buf_addz(&ret->path, "/events?filters=");
	url_add(&ret->path,
		STR("{\"type\":[\"container\"],\"event\":[\"create\",\"start\",\"rename\","
		    "\"destroy\"]}"));
	return true;
}

static bool take_event(struct str line, struct note *ret)
{
	return inspect_take_event(line, CONTAINER_DOCKER, ret);
}

static const char *const sockets[] = {"/run/docker.sock", "/var/run/docker.sock", NULL};

static const struct step list[] = {{ask_list, inspect_take_ids, 0}};

static const struct step lookup[] = {
	/* Inspecting waits for a container that is starting; the list never does. */
	{ask_summary, inspect_take_summary, STEP_EARLY | STEP_OPTIONAL},
	{ask_inspect, take_inspect, 0},
	{ask_image, take_image, STEP_OPTIONAL},
	{ask_peer, take_peer, STEP_OPTIONAL},
};

static const struct subscription subscriptions[] = {{ask_events, take_event}};

static void ask_version(struct request *ret)
{
	buf_addz(&ret->path, "/version");
}

static bool take_version(struct str answer, struct buf *out)
{
	return inspect_take_version(answer, "Docker", out);
}

static const struct version_question versions[] = {{ask_version, take_version}, {NULL, NULL}};

const struct runtime_kind kind_docker = {
	.name = "docker",
	.type = CONTAINER_DOCKER,
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
