/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/inspect.h"

#include <arpa/inet.h>

void url_add(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') || (c && strchr("-_.~", c));

		if (plain)
			buf_addc(out, c);
		else
			buf_addf(out, "%%%02X", (unsigned char)c);
	}
}

bool inspect_take_ids(struct query *q, struct str answer)
{
	json_t *list = tree_parse(answer), *item;
	bool good = json_is_array(list);
	size_t i;

	json_array_foreach(list, i, item) query_found(q, tree_text(item, "Id"));
	json_decref(list);
	return good;
}

/* Docker: a number; podman: RFC 3339. */
static int64_t created_of(const json_t *c)
{
	int64_t n = tree_number(c, "Created");

	return n ? n : time_of(tree_text(c, "Created"));
}

static struct str without_slash(struct str name)
{
	return str_starts(name, STR("/")) ? str_from(name, 1) : name;
}

static void fill_summary(const json_t *c, struct facts *f)
{
	const json_t *names = tree_at(c, "Names");
	struct str name = tree_text(json_array_get(names, 0), "");

	f->full_id = facts_text(f, tree_text(c, "Id"));
	f->name = facts_text(f, without_slash(name));
	f->image_id = facts_text(f, tree_text(c, "ImageID"));
	if (str_starts(f->image_id, STR("sha256:")))
		f->image_id = str_from(f->image_id, 7);
	facts_set_image(f, tree_text(c, "Image"));
	f->created_s = created_of(c);
	f->labels.n = 0;
	tree_fill_pairs(tree_at(c, "Labels"), f, &f->labels);
}

bool inspect_take_summary(struct query *q, struct str answer)
{
	json_t *list = tree_parse(answer);
	const json_t *first = json_array_get(list, 0);
	bool good = json_is_array(list);

	if (str_starts(tree_text(first, "Id"), q->id))
		fill_summary(first, q->f);
	json_decref(list);
	return good;
}

static void fill_mounts(const json_t *list, struct facts *f)
{
	json_t *m;
	size_t i;

	f->n_mounts = 0;
	json_array_foreach(list, i, m)
	{
		struct facts_mount mount = {
			.source = tree_text(m, "Source"),
			.dest = tree_text(m, "Destination"),
			.mode = tree_text(m, "Mode"),
			.propagation = tree_text(m, "Propagation"),
			.rw = tree_bool(m, "RW"),
		};

		facts_add_mount(f, &mount);
	}
}

/* "80/tcp", and where it can be reached. */
static void fill_port(const char *name, const json_t *bindings, struct facts *f)
{
	struct str port = str_of(name);
	uint64_t inside, outside;
	json_t *b;
	size_t i;

	if (!str_ends(port, STR("/tcp")) || !str_u64(str_head(port, port.n - 4), &inside))
		return;
	json_array_foreach(bindings, i, b)
	{
		struct str host = tree_text(b, "HostIp");
		char text[INET_ADDRSTRLEN] = "";
		struct in_addr a;

		if (host.n >= sizeof(text) || !str_u64(tree_text(b, "HostPort"), &outside))
			continue;
		memcpy(text, host.p, host.n);
		if (inet_pton(AF_INET, text, &a) == 1 && inside <= UINT16_MAX &&
		    outside <= UINT16_MAX)
			facts_add_port(f, &(struct facts_port){ntohl(a.s_addr), (uint16_t)outside,
							       (uint16_t)inside});
	}
}

static void fill_ports(const json_t *ports, struct facts *f)
{
	const char *name;
	json_t *bindings;

	f->n_ports = 0;
	json_object_foreach((json_t *)ports, name, bindings) fill_port(name, bindings, f);
}

/* Networks of one's own making are not in the old member. */
static struct str address_of(const json_t *c)
{
	struct str ip = tree_text(c, "NetworkSettings.IPAddress");
	const char *name;
	json_t *network;

	json_object_foreach((json_t *)tree_at(c, "NetworkSettings.Networks"), name, network)
	{
		if (!ip.n)
			ip = tree_text(network, "IPAddress");
	}
	return ip;
}

static void fill_resources(const json_t *host, struct facts *f)
{
	static const struct tree_row rows[] = {
		{"CpuQuota", offsetof(struct facts, cpu_quota)},
		{"Memory", offsetof(struct facts, memory_limit)},
		{"MemorySwap", offsetof(struct facts, swap_limit)},
	};
	int64_t period = tree_number(host, "CpuPeriod"), shares = tree_number(host, "CpuShares");

	tree_fill_numbers(host, rows, sizeof(rows) / sizeof(rows[0]), f);
	f->cpu_period = period > 0 ? period : f->cpu_period;
	f->cpu_shares = shares > 0 ? shares : f->cpu_shares;
	f->cpuset_cpus = cpuset_count(tree_text(host, "CpusetCpus"));
}

static void fill_network(const json_t *c, const json_t *host, struct facts *f)
{
	struct str mode = tree_text(host, "NetworkMode");

	f->host_network = str_is(mode, "host");
	f->ip = facts_text(f, address_of(c));
	if (!f->ip.n && str_starts(mode, STR("container:")))
		f->ip_from = facts_text(f, str_from(mode, 10));
}

void inspect_fill(const json_t *c, struct facts *f)
{
	const json_t *host = tree_at(c, "HostConfig");
	const json_t *size = tree_at(c, "SizeRw");

	f->full_id = facts_text(f, tree_text(c, "Id"));
	f->name = facts_text(f, without_slash(tree_text(c, "Name")));
	f->user = facts_text(f, tree_text(c, "Config.User"));
	f->created_s = time_of(tree_text(c, "Created"));
	f->size_bytes = json_is_integer(size) ? json_integer_value(size) : -1;
	f->privileged = tree_bool(host, "Privileged");
	f->host_ipc = str_is(tree_text(host, "IpcMode"), "host");
	f->host_pid = str_is(tree_text(host, "PidMode"), "host");
	f->is_sandbox = str_find(f->name, STR("k8s_POD")) >= 0;
	f->labels.n = f->env.n = 0;
	tree_fill_pairs(tree_at(c, "Config.Labels"), f, &f->labels);
	tree_fill_env(tree_at(c, "Config.Env"), f);
	fill_mounts(tree_at(c, "Mounts"), f);
	fill_ports(tree_at(c, "NetworkSettings.Ports"), f);
	fill_network(c, host, f);
	fill_resources(host, f);
}

/* Attributes: labels, and among them name and image. */
static struct facts *facts_of_event(const json_t *event, uint32_t type)
{
	const json_t *attributes = tree_at(event, "Actor.Attributes");
	struct str image = tree_text(attributes, "image"), name = tree_text(attributes, "name");
	struct facts *f;

	if (!image.n || !name.n)
		return NULL;
	f = facts_new(type);
	f->full_id = facts_text(f, tree_text(event, "Actor.ID"));
	f->name = facts_text(f, name);
	f->created_s = tree_number(event, "time");
	facts_set_image(f, image);
	return f;
}

bool inspect_take_event(struct str line, uint32_t type, struct note *ret)
{
	static const struct {
		const char *text;
		enum note_action action;
	} actions[] = {
		{"create", NOTE_CREATED},  {"start", NOTE_STARTED},  {"rename", NOTE_STARTED},
		{"destroy", NOTE_REMOVED}, {"remove", NOTE_REMOVED},
	};
	json_t *event = tree_parse(line);
	struct str id = tree_text(event, "Actor.ID"), action = tree_text(event, "Action");
	bool good = json_is_object(event);
	ptrdiff_t at;

	*ret = (struct note){.action = NOTE_NOTHING, .id = STR_EMPTY};
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (str_is(action, actions[i].text))
			ret->action = actions[i].action;
	}
	/* The message outlives the tree: the id is where it stands in the message. */
	at = id.n ? str_find(line, id) : -1;
	if (at >= 0)
		ret->id = str_from(str_head(line, (size_t)at + id.n), (size_t)at);
	if (ret->id.n && ret->action == NOTE_CREATED)
		ret->f = facts_of_event(event, type);
	json_decref(event);
	return good;
}

bool inspect_take_version(struct str answer, const char *name, struct buf *out)
{
	json_t *v = tree_parse(answer);
	struct str version = tree_text(v, "Version"), api = tree_text(v, "ApiVersion");
	bool good;

	buf_addf(out, "%s %.*s", name, STR_ARG(version));
	if (api.n)
		buf_addf(out, " (API %.*s)", STR_ARG(api));
	good = version.n > 0; /* it is the tree's */
	json_decref(v);
	return good;
}
