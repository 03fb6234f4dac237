/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/fields.h"

struct asked {
	struct document *d;
	const char *path, *key; /* key: "" without */
	int64_t index;		/* -1: none */
	struct texts out;
};

static const json_t *root(const struct asked *q)
{
	return q->d->root;
}

/* ---- one value ---- */

static void get_value(struct asked *q)
{
	const json_t *v = json_at(root(q), q->path);

	if (v)
		texts_add(&q->out, document_text(q->d, v));
}

static void get_true(struct asked *q)
{
	texts_add(&q->out, "true");
}

static void get_first(struct asked *q)
{
	q->index = 0;
	get_value(q);
}

static void get_pod_name(struct asked *q)
{
	const char *kind = json_string_value(json_at(root(q), "objectRef resource"));

	if (!kind || strcmp(kind, "pods"))
		return;
	/* A pod whose name is generated has none before the answer. */
	q->path = json_at(root(q), "objectRef name") ? "objectRef name"
						     : "responseObject metadata name";
	get_value(q);
}

static void note_true(void *arg, const json_t *v)
{
	bool *any = arg;

	*any |= json_is_true(v);
}

static void get_any(struct asked *q)
{
	bool any = false;

	if (!json_at(root(q), "requestObject spec containers"))
		return;
	json_walk(root(q), q->path, -1, note_true, &any);
	texts_add(&q->out, any ? "true" : "false");
}

/* ---- parameters of an address ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "a%20b+c" as it is meant.  A NUL ends it. */
static const char *unescape(struct document *d, struct str s)
{
	char *out = arena_alloc(&d->arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int high = s.p[i] == '%' && s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;

		if (low >= 0) {
			out[n++] = (char)(high << 4 | low);
			i += 2;
		} else
			out[n++] = s.p[i] == '+' ? ' ' : s.p[i];
	}
	out[n] = '\0';
	return out;
}

static void get_parameter(struct asked *q)
{
	const char *uri = json_string_value(json_at(root(q), q->path));
	struct str rest = str_of(uri ? uri : "");
	ptrdiff_t at = str_chr(rest, '?');

	rest = str_from(rest, at < 0 ? rest.n : (size_t)at + 1);
	at = str_chr(rest, '#');
	rest = at < 0 ? rest : str_head(rest, (size_t)at);
	while (rest.n && !q->out.n) {
		ptrdiff_t end = str_chr(rest, '&');
		struct str one = end < 0 ? rest : str_head(rest, (size_t)end);
		ptrdiff_t equals = str_chr(one, '=');
		struct str name = equals < 0 ? one : str_head(one, (size_t)equals);

		if (!strcmp(unescape(q->d, name), q->key))
			texts_add(&q->out, unescape(q->d, str_from(one, name.n + 1)));
		rest = str_from(rest, one.n + 1);
	}
}

/* ---- lists ---- */

static void add_text(void *arg, const json_t *v)
{
	struct asked *q = arg;

	texts_add(&q->out, document_text(q->d, v));
}

static void add_items(void *arg, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		add_text(arg, json_array_get(v, i));
}

/* The items of the list that stands there, or one of them. */
static void get_items(struct asked *q)
{
	const json_t *v = json_at(root(q), q->path);

	if (q->index < 0)
		add_items(q, v);
	else if (json_array_get(v, (size_t)q->index))
		add_text(q, json_array_get(v, (size_t)q->index));
}

/* A value of each item of the list on the way. */
static void get_each(struct asked *q)
{
	json_walk(root(q), q->path, q->index, add_text, q);
}

/* The same, where each value is a list of them. */
static void get_each_item(struct asked *q)
{
	json_walk(root(q), q->path, q->index, add_items, q);
}

/* "host:5000/name:tag@digest": a tag's colon stands behind the last slash. */
static void add_repository(void *arg, const json_t *v)
{
	struct asked *q = arg;
	struct str image = str_of(document_text(q->d, v));
	ptrdiff_t at = str_chr(image, '@'), slash, colon;

	image = at < 0 ? image : str_head(image, (size_t)at);
	slash = str_rchr(image, '/');
	colon = str_rchr(image, ':');
	image = colon > slash ? str_head(image, (size_t)colon) : image;
	texts_add(&q->out, arena_str(&q->d->arena, image).p);
}

static void get_repositories(struct asked *q)
{
	json_walk(root(q), q->path, q->index, add_repository, q);
}

static void get_first_repository(struct asked *q)
{
	q->index = 0;
	get_repositories(q);
}

/* A container's list of ports.  With the host's network a container's port is the host's. */
static void add_ports(void *arg, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *port = json_array_get(v, i), *n = json_object_get(port, "hostPort");

		n = n ? n : json_object_get(port, "containerPort");
		if (n)
			add_text(arg, n);
	}
}

static void get_ports(struct asked *q)
{
	json_walk(root(q), q->path, q->index, add_ports, q);
}

/* The container's own, the pod's, or 0. */
static void add_effective(struct asked *q, const json_t *container)
{
	const json_t *v = json_at(container, q->path);

	if (!v)
		v = json_at(json_at(root(q), "requestObject spec"), q->path);
	texts_add(&q->out, v ? document_text(q->d, v) : "0");
}

static void get_effective(struct asked *q)
{
	const json_t *list = json_at(root(q), "requestObject spec containers");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (q->index < 0 || (size_t)q->index == i)
			add_effective(q, json_array_get(list, i));
}

/* The members of a volume that are not its name. */
static void add_types(struct asked *q, json_t *volume)
{
	const char *key;
	json_t *unused;

	json_object_foreach(volume, key, unused) if (strcmp(key, "name")) texts_add(&q->out, key);
}

static void get_volume_types(struct asked *q)
{
	const json_t *list = json_at(root(q), q->path);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (q->index < 0 || (size_t)q->index == i)
			add_types(q, json_array_get(list, i));
}

static void get_has_path(struct asked *q)
{
	struct str wanted = str_of(q->key);
	bool any = false;

	if (!json_at(root(q), "requestObject spec volumes"))
		return;
	json_walk(root(q), q->path, -1, add_text, q);
	for (uint64_t i = 0; i < q->out.n; i++) {
		struct str path = str_of(q->out.list[i]);

		any |= str_eq(path, wanted) || (str_ends(wanted, STR("*")) &&
						str_starts(path, str_head(wanted, wanted.n - 1)));
	}
	texts_begin(&q->out, q->d);
	texts_add(&q->out, any ? "true" : "false");
}

/* ---- subjects of a role binding; the path is their kind ---- */

static bool is_subject(const struct asked *q, const json_t *subject)
{
	const char *kind = json_string_value(json_object_get(subject, "kind"));

	return kind && !strcmp(kind, q->path) && json_object_get(subject, "name");
}

static void get_subjects(struct asked *q)
{
	const json_t *list = json_at(root(q), "requestObject subjects");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_subject(q, json_array_get(list, i)))
			add_text(q, json_object_get(json_array_get(list, i), "name"));
}

static void get_accounts(struct asked *q)
{
	const json_t *list = json_at(root(q), "requestObject subjects");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		const char *namespace = json_string_value(json_object_get(one, "namespace"));
		const char *name = json_string_value(json_object_get(one, "name"));

		if (is_subject(q, one) && name)
			texts_add(&q->out, arena_printf(&q->d->arena, "%s:%s",
							namespace ? namespace : "", name)
						   .p);
	}
}

/* ---- the table ---- */

static const struct row {
	void (*get)(struct asked *q);
	const char *path;
} rows[] = {
#define FIELD(name, shape, get, path, help) {get, path},
#include "audit/fields.def"
#undef FIELD
};

#define JSON_ONE ""
#define JSON_LIST ",\"isList\":true"
#define JSON_INDEX ",\"isList\":true,\"arg\":{\"isIndex\":true}"
#define JSON_KEY ",\"arg\":{\"isRequired\":true,\"isKey\":true}"

const char *audit_fields_json(void)
{
	static char text[] =
#define FIELD(name, shape, get, path, help)                                                        \
	",{\"name\":\"" name "\",\"type\":\"string\",\"desc\":\"" help "\"" JSON_##shape "}"
#include "audit/fields.def"
#undef FIELD
		"]";

	text[0] = '['; /* not a comma before the first */
	return text;
}

void audit_field_read(struct document *d, ss_plugin_extract_field *x)
{
	struct asked q = {.d = d, .key = x->arg_key ? x->arg_key : "", .index = -1};

	/* JSON of something else has no such fields. */
	if (x->field_id >= sizeof(rows) / sizeof(rows[0]) || !json_object_get(d->root, "auditID"))
		return;
	q.path = rows[x->field_id].path;
	if (x->arg_present && !x->arg_key && x->arg_index <= INT32_MAX)
		q.index = (int64_t)x->arg_index;
	else if (x->arg_present && !x->arg_key)
		return;
	texts_begin(&q.out, d);
	rows[x->field_id].get(&q);
	x->res.str = q.out.list;
	x->res_len = q.out.n;
}
