/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that does one thing wrong: the one that the environment variable WRONG names.  Without
 * it, all is well: it gives ten events, and fields of every type.
 */
#define SAKER_PLUGIN
#include <saker/plugin.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID = 4242, N_EVENTS = 10, TEXT_BYTES = 60 };

static volatile uintptr_t nowhere = 8;

static int wrong(const char *what)
{
	const char *is = getenv("WRONG");

	return is && !strcmp(is, what);
}

static const char *or_wrong(const char *right, const char *what, const char *instead)
{
	return wrong(what) ? instead : right;
}

const char *plugin_get_required_api_version(void)
{
	if (wrong("api major"))
		return "4.0.0";
	if (wrong("api minor"))
		return "3.99.0";
	if (wrong("api patch"))
		return "3.12.1";
	if (wrong("api text"))
		return "three";
	return or_wrong("3.0.0", "api null", NULL);
}

#ifndef MISSING_NAME
const char *plugin_get_name(void)
{
	if (wrong("name null"))
		return NULL;
	return or_wrong("wrong", "name empty", "");
}
#endif

const char *plugin_get_description(void)
{
	return or_wrong("Does something wrong", "description null", NULL);
}

const char *plugin_get_contact(void)
{
	return "nobody";
}

const char *plugin_get_version(void)
{
	return or_wrong("1.2.3", "version", "1.2");
}

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	static char state[1 << 20];

	if (wrong("init crashes"))
		*(volatile int *)nowhere = 1;
	if (wrong("init aborts"))
		abort();
	*rc = wrong("init fails") ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
	if (in->log_fn)
		in->log_fn(in->owner, NULL, "it begins", SS_PLUGIN_LOG_SEV_INFO);
	for (int i = 0; wrong("log floods") && i < 10000; i++)
		in->log_fn(in->owner, "flood", "water", SS_PLUGIN_LOG_SEV_FATAL);
	return wrong("init null") ? NULL : state;
}

void plugin_destroy(ss_plugin_t *s)
{
}

const char *plugin_get_last_error(ss_plugin_t *s)
{
	return or_wrong("on\npurpose", "error null", NULL);
}

const char *plugin_get_init_schema(ss_plugin_schema_type *type)
{
	*type = SS_PLUGIN_SCHEMA_JSON;
	if (wrong("schema kind"))
		*type = 7;
	return or_wrong(
		"{\"$ref\":\"#/definitions/c\",\"definitions\":{\"c\":{\"type\":\"object\","
		"\"additionalProperties\":false,\"required\":[],\"properties\":{"
		"\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},"
		"\"who\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"],\"maxLength\":3},"
		"\"list\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"boolean\"}}}}}}",
		"schema", "{\"type\":");
}

#ifndef MISSING_ABILITIES
uint32_t plugin_get_id(void)
{
	return wrong("id") ? 0 : ID;
}

const char *plugin_get_event_source(void)
{
	if (wrong("source null"))
		return NULL;
	return or_wrong("wrong", "source syscall", "syscall");
}

ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc)
{
	*rc = wrong("open fails") ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
	return calloc(1, sizeof(int));
}

void plugin_close(ss_plugin_t *s, ss_instance_t *h)
{
	free(h);
}

static void make_event(uint8_t *out, int i)
{
	ss_plugin_event ev = {.ts = UINT64_MAX,
			      .tid = 77,
			      .len = SS_PLUGIN_EVENT_PAYLOAD_OFFSET + TEXT_BYTES,
			      .type = PPM_PLUGIN_EVENT,
			      .nparams = 2};
	uint32_t rest[3] = {4, TEXT_BYTES, 0};

	if (wrong("event short"))
		ev.len = 12;
	if (wrong("event long"))
		ev.len = UINT32_MAX;
	if (wrong("event type"))
		ev.type = 3;
	if (wrong("event params"))
		ev.nparams = 1000000;
	if (wrong("event lengths"))
		rest[1] = UINT32_MAX;
	if (wrong("event id"))
		rest[2] = 1;
	memcpy(out, &ev, sizeof(ev));
	memcpy(out + sizeof(ev), rest, sizeof(rest));
	memset(out + SS_PLUGIN_EVENT_PAYLOAD_OFFSET, '0' + i, TEXT_BYTES);
}

ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *h, uint32_t *n,
			       ss_plugin_event ***evts)
{
	static uint8_t bytes[N_EVENTS][SS_PLUGIN_EVENT_PAYLOAD_OFFSET + TEXT_BYTES];
	static ss_plugin_event *list[N_EVENTS];
	int *calls = h;

	if (wrong("batch hangs"))
		pause();
	if (wrong("batch crashes"))
		*(volatile int *)nowhere = 1;
	*n = 0;
	if (wrong("batch fails"))
		return SS_PLUGIN_FAILURE;
	if (wrong("batch code"))
		return 99;
	if (wrong("batch empty"))
		return SS_PLUGIN_SUCCESS;
	if ((*calls)++)
		return SS_PLUGIN_EOF;
	for (int i = 0; i < N_EVENTS; i++) {
		make_event(bytes[i], i);
		list[i] = wrong("event null") ? NULL : (ss_plugin_event *)bytes[i];
	}
	*evts = wrong("batch null") ? NULL : list;
	*n = wrong("batch many") ? UINT32_MAX : N_EVENTS;
	return wrong("batch ends") ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
}

const char *plugin_list_open_params(ss_plugin_t *s, ss_plugin_rc *rc)
{
	*rc = SS_PLUGIN_FAILURE;
	return NULL;
}
#endif

const char *plugin_get_fields(void)
{
	if (wrong("fields null"))
		return NULL;
	if (wrong("fields text"))
		return "[{]";
	if (wrong("fields object"))
		return "{}";
	if (wrong("fields none"))
		return "[]";
	if (wrong("field type"))
		return "[{\"name\":\"wrong.x\",\"type\":\"double\",\"desc\":\"d\"}]";
	if (wrong("field name"))
		return "[{\"name\":\"wrong x\",\"type\":\"string\",\"desc\":\"d\"}]";
	if (wrong("field desc"))
		return "[{\"name\":\"wrong.x\",\"type\":\"string\"}]";
	if (wrong("field arg"))
		return "[{\"name\":\"wrong.x\",\"type\":\"string\",\"desc\":\"d\",\"arg\":"
		       "{\"isRequired\":true}}]";
	if (wrong("field twice"))
		return "[{\"name\":\"wrong.x\",\"type\":\"string\",\"desc\":\"d\"},"
		       "{\"name\":\"wrong.x\",\"type\":\"string\",\"desc\":\"d\"}]";
	if (wrong("field taken"))
		return "[{\"name\":\"evt.num\",\"type\":\"string\",\"desc\":\"d\"}]";
	return "[{\"name\":\"wrong.text\",\"type\":\"string\",\"desc\":\"d\",\"addOutput\":true},"
	       "{\"name\":\"wrong.number\",\"type\":\"uint64\",\"desc\":\"d\"},"
	       "{\"name\":\"wrong.reltime\",\"type\":\"reltime\",\"desc\":\"d\"},"
	       "{\"name\":\"wrong.abstime\",\"type\":\"abstime\",\"desc\":\"d\"},"
	       "{\"name\":\"wrong.bool\",\"type\":\"bool\",\"desc\":\"d\"},"
	       "{\"name\":\"wrong.ip\",\"type\":\"ipaddr\",\"desc\":\"d\"},"
	       "{\"name\":\"wrong.net\",\"type\":\"ipnet\",\"desc\":\"d\"},"
	       "{\"name\":\"wrong.texts\",\"type\":\"string\",\"desc\":\"d\",\"isList\":true},"
	       "{\"name\":\"wrong.numbers\",\"type\":\"uint64\",\"desc\":\"d\",\"isList\":true},"
	       "{\"name\":\"wrong.any\",\"type\":\"string\",\"desc\":\"d\",\"arg\":"
	       "{\"isIndex\":true,\"isKey\":true}}]";
}

static const char *argument(const ss_plugin_extract_field *f)
{
	static char text[128];

	if (!f->arg_present)
		return "none";
	if (f->arg_key)
		return f->arg_key;
	memset(text, '\0', sizeof(text));
	memset(text, 'x', f->arg_index < 100 ? f->arg_index : 100);
	return text;
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *evt,
				   const ss_plugin_field_extract_input *in)
{
	static const char *texts[3] = {"one", "two", "three"};
	static uint64_t numbers[3] = {1, 2, 3};
	static ss_plugin_bool yes = 1;
	static const uint8_t four[4] = {10, 0, 0, 1};
	static ss_plugin_byte_buffer address = {4, four};
	static const char *text;
	ss_plugin_extract_field *f = &in->fields[0];

	f->res_len = 1;
	address.len = wrong("value length") ? UINT32_MAX : 4;
	address.ptr = wrong("value null") ? NULL : four;
	if (f->field_id == 0 || f->field_id == 9) {
		text = f->field_id ? argument(f) : evt->evtsrc;
		f->res.str = &text;
	} else if (f->field_id <= 3) {
		f->res.u64 = numbers + f->field_id - 1;
	} else if (f->field_id == 4) {
		f->res.boolean = &yes;
	} else if (f->field_id <= 6) {
		f->res.buf = &address;
	} else {
		f->res_len = 3;
		if (f->field_id == 7)
			f->res.str = texts;
		else
			f->res.u64 = numbers;
	}
	if (wrong("values none"))
		f->res_len = 0;
	if (wrong("values null"))
		f->res.str = NULL;
	if (wrong("value null"))
		text = texts[1] = NULL;
	if (wrong("extract crashes"))
		*(volatile int *)nowhere = 1;
	return wrong("extract fails") ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
}
