/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An example of a plugin with an event source and fields: each line of a text file is an event.
 *
 *   saker run --disable-source syscall --plugin liblines.so --open-params lines=/var/log/app.log \
 *     --rules lines_rules.yaml
 *
 * It is built against saker/plugin.h alone.  Everything is in the state that plugin_init() gives,
 * so that the plugin may be begun more than once.
 */
#define SAKER_PLUGIN
#include <saker/plugin.h>

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

enum { PLUGIN_ID = 999, LINE_MAX_BYTES = 64 << 10, BATCH = 64, WORDS_MAX = 1024 };

/* What the bytes of an event are: number and time of the line, then its text without a NUL. */
struct payload {
	uint64_t number, read_ns;
	char text[];
};

struct state {
	char error[256];
	int follow; /* wait for more lines at the end of the file */
	/* What the last extraction gave. */
	char *copy; /* of the line, cut into words */
	const char *words[WORDS_MAX];
	uint32_t starts[WORDS_MAX], lengths[WORDS_MAX]; /* where the values stand */
	const char *text;
	uint64_t number;
	ss_plugin_bool flag;
	ss_plugin_byte_buffer address;
	uint8_t address_bytes[16];
};

struct instance {
	FILE *file;
	uint64_t n_lines;
	off_t size;
	ss_plugin_event *events[BATCH];
};

/* ---- who it is ---- */

const char *plugin_get_required_api_version(void)
{
	return "3.0.0";
}

const char *plugin_get_name(void)
{
	return "lines";
}

const char *plugin_get_description(void)
{
	return "Lines of a text file as events";
}

const char *plugin_get_contact(void)
{
	return "the Saker project";
}

const char *plugin_get_version(void)
{
	return "0.2.0";
}

uint32_t plugin_get_id(void)
{
	return PLUGIN_ID;
}

const char *plugin_get_event_source(void)
{
	return "lines";
}

const char *plugin_get_init_schema(ss_plugin_schema_type *type)
{
	*type = SS_PLUGIN_SCHEMA_JSON;
	return "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
	       "{\"follow\":{\"type\":\"boolean\"}}}";
}

/* ---- its state ---- */

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	struct state *s = calloc(1, sizeof(*s));

	*rc = s ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
	/* The configuration fits the schema, so there is only one word to look for. */
	if (s && in->config)
		s->follow = strstr(in->config, "true") != NULL;
	return s;
}

void plugin_destroy(ss_plugin_t *state)
{
	struct state *s = state;

	free(s->copy);
	free(s);
}

const char *plugin_get_last_error(ss_plugin_t *state)
{
	return state ? ((struct state *)state)->error : "out of memory";
}

/* ---- the event source ---- */

const char *plugin_list_open_params(ss_plugin_t *state, ss_plugin_rc *rc)
{
	*rc = SS_PLUGIN_SUCCESS;
	return "[{\"value\":\"/var/log/messages\",\"desc\":\"path of a text file\"}]";
}

ss_instance_t *plugin_open(ss_plugin_t *state, const char *params, ss_plugin_rc *rc)
{
	struct state *s = state;
	struct instance *h = calloc(1, sizeof(*h));

	*rc = SS_PLUGIN_FAILURE;
	if (!h)
		return NULL;
	h->file = fopen(params, "r");
	if (!h->file) {
		snprintf(s->error, sizeof(s->error), "cannot open '%.200s'", params);
		free(h);
		return NULL;
	}
	fseeko(h->file, 0, SEEK_END);
	h->size = ftello(h->file);
	rewind(h->file);
	*rc = SS_PLUGIN_SUCCESS;
	return h;
}

static void free_events(struct instance *h)
{
	for (int i = 0; i < BATCH; i++) {
		free(h->events[i]);
		h->events[i] = NULL;
	}
}

void plugin_close(ss_plugin_t *state, ss_instance_t *instance)
{
	struct instance *h = instance;

	if (!h)
		return;
	free_events(h);
	fclose(h->file);
	free(h);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static ss_plugin_event *make_event(struct instance *h, const char *line, size_t n)
{
	uint32_t lengths[2] = {sizeof(uint32_t), (uint32_t)(sizeof(struct payload) + n)};
	uint32_t id = 0; /* Saker fills it in */
	uint32_t bytes = (uint32_t)sizeof(ss_plugin_event) + (uint32_t)sizeof(lengths) +
			 lengths[0] + lengths[1];
	struct payload p = {.number = ++h->n_lines, .read_ns = now_ns()};
	ss_plugin_event *ev = malloc(bytes);
	char *at = (char *)(ev + 1);

	if (!ev)
		return NULL;
	*ev = (ss_plugin_event){.ts = UINT64_MAX,
				.tid = UINT64_MAX,
				.len = bytes,
				.type = PPM_PLUGIN_EVENT,
				.nparams = 2};
	memcpy(at, lengths, sizeof(lengths));
	at += sizeof(lengths);
	memcpy(at, &id, sizeof(id));
	at += sizeof(id);
	memcpy(at, &p, sizeof(p));
	memcpy(at + sizeof(p), line, n);
	return ev;
}

ss_plugin_rc plugin_next_batch(ss_plugin_t *state, ss_instance_t *instance, uint32_t *nevts,
			       ss_plugin_event ***evts)
{
	static _Thread_local char line[LINE_MAX_BYTES];
	const struct state *s = state;
	struct instance *h = instance;
	uint32_t n = 0;

	free_events(h);
	while (n < BATCH && fgets(line, sizeof(line), h->file)) {
		h->events[n] = make_event(h, line, strcspn(line, "\n"));
		n += h->events[n] != NULL;
	}
	*nevts = n;
	*evts = h->events;
	if (n)
		return SS_PLUGIN_SUCCESS;
	clearerr(h->file);
	return s->follow ? SS_PLUGIN_TIMEOUT : SS_PLUGIN_EOF;
}

const char *plugin_get_progress(ss_plugin_t *state, ss_instance_t *instance, uint32_t *pct)
{
	static _Thread_local char text[32];
	struct instance *h = instance;

	*pct = h->size ? (uint32_t)(10000 * ftello(h->file) / h->size) : 10000;
	snprintf(text, sizeof(text), "%u.%02u%%", *pct / 100, *pct % 100);
	return text;
}

/* ---- events ---- */

/* The line of an event, cut off behind n bytes; NULL: it is too short for one. */
static const char *payload_of(const ss_plugin_event_input *in, size_t *ret_n)
{
	uint32_t n = in->evt->len - SS_PLUGIN_EVENT_PAYLOAD_OFFSET;

	if (in->evt->len < SS_PLUGIN_EVENT_PAYLOAD_OFFSET + sizeof(struct payload))
		return NULL;
	*ret_n = n - sizeof(struct payload);
	return (const char *)in->evt + SS_PLUGIN_EVENT_PAYLOAD_OFFSET;
}

static int copy_line(struct state *s, const ss_plugin_event_input *in, struct payload *ret)
{
	size_t n;
	const char *p = payload_of(in, &n);

	if (!p)
		return 0;
	memcpy(ret, p, sizeof(*ret)); /* it is aligned to nothing */
	free(s->copy);
	s->copy = malloc(n + 1);
	if (!s->copy)
		return 0;
	memcpy(s->copy, p + offsetof(struct payload, text), n); /* nothing ends it */
	s->copy[n] = '\0';
	return 1;
}

const char *plugin_event_to_string(ss_plugin_t *state, const ss_plugin_event_input *in)
{
	struct state *s = state;
	struct payload p;

	return copy_line(s, in, &p) ? s->copy : "";
}

/* ---- fields ---- */

enum field { LINE, NUMBER, READ_AT, LENGTH, IS_EMPTY, WORD_LIST, WORD, VALUE, ADDRESS };

const char *plugin_get_fields(void)
{
	return "[{\"name\":\"lines.text\",\"type\":\"string\",\"desc\":\"The line.\"},"
	       "{\"name\":\"lines.number\",\"type\":\"uint64\",\"desc\":\"Its number, from 1.\"},"
	       "{\"name\":\"lines.time\",\"type\":\"abstime\",\"desc\":\"When it was read.\"},"
	       "{\"name\":\"lines.length\",\"type\":\"uint64\",\"desc\":\"Its bytes.\"},"
	       "{\"name\":\"lines.empty\",\"type\":\"bool\",\"desc\":\"Whether it is empty.\"},"
	       "{\"name\":\"lines.words\",\"type\":\"string\",\"isList\":true,"
	       "\"desc\":\"Its words.\"},"
	       "{\"name\":\"lines.word\",\"type\":\"string\",\"desc\":\"A word, by its place from "
	       "0.\","
	       "\"arg\":{\"isRequired\":true,\"isIndex\":true}},"
	       "{\"name\":\"lines.value\",\"type\":\"string\",\"desc\":\"What is behind KEY= in "
	       "it.\","
	       "\"arg\":{\"isRequired\":true,\"isKey\":true}},"
	       "{\"name\":\"lines.ip\",\"type\":\"ipaddr\",\"desc\":\"The first address in it.\"}]";
}

static size_t cut_words(struct state *s)
{
	size_t n = 0;
	char *rest = s->copy, *word;

	while (n < WORDS_MAX && (word = strsep(&rest, " \t")))
		if (*word)
			s->words[n++] = word;
	return n;
}

static void give_text(struct state *s, const char *text, ss_plugin_extract_field *f)
{
	s->text = text;
	f->res.str = &s->text;
	f->res_len = text != NULL;
}

static void give_number(struct state *s, uint64_t n, ss_plugin_extract_field *f)
{
	s->number = n;
	f->res.u64 = &s->number;
	f->res_len = 1;
}

static const char *find_value(const struct state *s, size_t n, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < n; i++)
		if (!strncmp(s->words[i], key, length) && s->words[i][length] == '=')
			return s->words[i] + length + 1;
	return NULL;
}

static void give_address(struct state *s, size_t n, ss_plugin_extract_field *f)
{
	f->res_len = 0;
	for (size_t i = 0; i < n && !f->res_len; i++) {
		if (inet_pton(AF_INET, s->words[i], s->address_bytes) == 1)
			s->address.len = 4;
		else if (inet_pton(AF_INET6, s->words[i], s->address_bytes) == 1)
			s->address.len = 16;
		else
			continue;
		s->address.ptr = s->address_bytes;
		f->res.buf = &s->address;
		f->res_len = 1;
	}
}

static void extract(struct state *s, const struct payload *p, ss_plugin_extract_field *f)
{
	size_t n;

	switch ((enum field)f->field_id) {
	case LINE:
		give_text(s, s->copy, f);
		break;
	case NUMBER:
		give_number(s, p->number, f);
		break;
	case READ_AT:
		give_number(s, p->read_ns, f);
		break;
	case LENGTH:
		give_number(s, strlen(s->copy), f);
		break;
	case IS_EMPTY:
		s->flag = !*s->copy;
		f->res.boolean = &s->flag;
		f->res_len = 1;
		break;
	case WORD_LIST:
		f->res_len = cut_words(s);
		f->res.str = s->words;
		break;
	case WORD:
		n = cut_words(s);
		give_text(s, f->arg_index < n ? s->words[f->arg_index] : NULL, f);
		break;
	case VALUE:
		n = cut_words(s);
		give_text(s, find_value(s, n, f->arg_key), f);
		break;
	case ADDRESS:
		give_address(s, cut_words(s), f);
		break;
	}
}

/* Texts are in the copy of the line where they are in the line; other values are made of it. */
static void give_places(struct state *s, const ss_plugin_extract_field *f,
			ss_plugin_extract_value_offsets *ret)
{
	ret->start = ret->length = NULL;
	if (f->field_id != LINE && f->field_id != WORD_LIST && f->field_id != WORD &&
	    f->field_id != VALUE)
		return;
	for (uint64_t i = 0; i < f->res_len; i++) {
		s->starts[i] = SS_PLUGIN_EVENT_PAYLOAD_OFFSET +
			       (uint32_t)offsetof(struct payload, text) +
			       (uint32_t)(f->res.str[i] - s->copy);
		s->lengths[i] = (uint32_t)strlen(f->res.str[i]);
	}
	ret->start = s->starts;
	ret->length = s->lengths;
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *state, const ss_plugin_event_input *evt,
				   const ss_plugin_field_extract_input *in)
{
	struct state *s = state;
	struct payload p;

	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res_len = 0;
		if (!copy_line(s, evt, &p))
			return SS_PLUGIN_FAILURE;
		extract(s, &p, &in->fields[i]);
		if (in->value_offsets)
			give_places(s, &in->fields[i], &in->value_offsets[i]);
	}
	return SS_PLUGIN_SUCCESS;
}
