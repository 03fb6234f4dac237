/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/document.h"

#include "base/alloc.h"

enum { TEXT_FLAGS = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) };

void document_init(struct document *d)
{
	*d = (struct document){.root = NULL};
	arena_init(&d->arena, 0);
}

void document_done(struct document *d)
{
	json_decref(d->root);
	arena_done(&d->arena);
}

/* Whether its nesting and its number of values are within the limits, whatever else it is. */
static bool is_modest(struct str text)
{
	size_t depth = 0, n_lists = 0, n_values = 0;
	bool in_text = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '"')
			in_text = !in_text;
		else if (in_text)
			i += c == '\\';
		else if (c == '[' || c == '{') {
			n_lists++;
			if (++depth > JSON_DEPTH_MAX)
				return false;
		} else if (c == ']' || c == '}')
			depth -= depth > 0;
		else
			n_values += c == ',';
	}
	return n_lists <= JSON_LISTS_MAX && n_values <= JSON_VALUES_MAX;
}

json_t *json_read(struct str text)
{
	json_error_t at;
	json_t *j;

	if (!is_modest(text))
		return NULL;
	j = json_loadb(text.p, text.n, 0, &at);
	if (!j && json_error_code(&at) == json_error_numeric_overflow)
		j = json_loadb(text.p, text.n, JSON_DECODE_INT_AS_REAL, &at);
	return j;
}

bool document_read(struct document *d, const ss_plugin_event_input *in)
{
	const ss_plugin_event *ev = in->evt;

	arena_reset(&d->arena);
	if (ev->type != PPM_PLUGIN_EVENT || ev->len < SS_PLUGIN_EVENT_PAYLOAD_OFFSET)
		return false;
	if (d->of != ev || d->number != in->evtnum || d->ts != ev->ts) {
		json_decref(d->root);
		d->root = json_read((struct str){(const char *)ev + SS_PLUGIN_EVENT_PAYLOAD_OFFSET,
						 ev->len - SS_PLUGIN_EVENT_PAYLOAD_OFFSET});
		d->of = ev;
		d->number = in->evtnum;
		d->ts = ev->ts;
	}
	return d->root != NULL;
}

const char *document_text(struct document *d, const json_t *v)
{
	size_t n;
	char *text;

	if (json_is_string(v))
		return json_string_value(v);
	n = json_dumpb(v, NULL, 0, TEXT_FLAGS);
	text = arena_alloc(&d->arena, n + 1);
	json_dumpb(v, text, n, TEXT_FLAGS);
	text[n] = '\0';
	return text;
}

void texts_begin(struct texts *t, struct document *d)
{
	*t = (struct texts){.d = d};
}

void texts_add(struct texts *t, const char *text)
{
	const char **more;
	uint64_t room = t->n ? t->n * 2 : 8;

	if (t->n == DOCUMENT_VALUES_MAX)
		return;
	/* Full at each power of two from eight on. */
	if (!t->n || (t->n >= 8 && !(t->n & (t->n - 1)))) {
		more = arena_calloc(&t->d->arena, room, sizeof(*more));
		if (t->n)
			memcpy(more, t->list, t->n * sizeof(*more));
		t->list = more;
	}
	t->list[t->n++] = text;
}

static const json_t *member(const json_t *v, struct str key)
{
	return json_object_getn(v, key.p, key.n);
}

/* It goes no deeper than the document and the path. */
void json_walk(const json_t *v, const char *path, int64_t index, walk_fn *fn, void *arg)
{
	size_t n = strcspn(path, " ");

	if (!v)
		return;
	if (!*path) {
		fn(arg, v);
	} else if (!json_is_array(v)) {
		json_walk(member(v, (struct str){path, n}), path + n + (path[n] != '\0'), index, fn,
			  arg);
	} else if (index >= 0) {
		json_walk(json_array_get(v, (size_t)index), path, index, fn, arg);
	} else {
		for (size_t i = 0; i < json_array_size(v); i++)
			json_walk(json_array_get(v, i), path, index, fn, arg);
	}
}

static void keep_first(void *arg, const json_t *v)
{
	const json_t **first = arg;

	if (!*first)
		*first = v;
}

const json_t *json_at(const json_t *v, const char *path)
{
	const json_t *first = NULL;

	json_walk(v, path, -1, keep_first, &first);
	return first;
}
