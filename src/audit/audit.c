/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in plugin "k8saudit": events of the Kubernetes API server. */
#include "audit/builtin.h"
#include "audit/fields.h"
#include "audit/inlet.h"
#include "base/alloc.h"
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PLUGIN_ID = 1, /* that the reference's has: captures hold it */
	TEXT_MAX = 4096,
	WAIT_MS = 50,
	FULL_FACTOR = 4, /* bodies that may wait */
};

struct state {
	struct document document;
	struct inlet_config config;
	char certificate[TEXT_MAX];
	struct inlet *inlet; /* that was opened last; NULL: none */
	ss_plugin_metric metrics[INLET_COUNTS];
	const char *text;
	char *copy; /* of an event, as text */
	char error[TEXT_MAX];
};

/* ---- who it is ---- */

static const char *get_api_version(void)
{
	return "3.0.0";
}

static const char *get_name(void)
{
	return "k8saudit";
}

static const char *get_description(void)
{
	return "Kubernetes audit events, posted or from files; part of Saker";
}

static const char *get_contact(void)
{
	return "the Saker project";
}

/* That of the plugin whose fields these are. */
static const char *get_version(void)
{
	return "0.16.0";
}

static uint32_t get_id(void)
{
	return PLUGIN_ID;
}

static const char *get_event_source(void)
{
	return "k8s_audit";
}

static const char *get_init_schema(ss_plugin_schema_type *type)
{
	*type = SS_PLUGIN_SCHEMA_JSON;
	return "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
	       "\"sslCertificate\":{\"type\":\"string\"},"
	       "\"maxEventSize\":{\"type\":\"integer\",\"minimum\":1024,\"maximum\":67108864},"
	       "\"webhookMaxBatchSize\":"
	       "{\"type\":\"integer\",\"minimum\":1024,\"maximum\":67108864},"
	       "\"useAsync\":{\"type\":\"boolean\"}}}";
}

/* ---- its state ---- */

static uint64_t number_of(const json_t *config, const char *key, uint64_t usual)
{
	const json_t *v = json_object_get(config, key);

	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : usual;
}

/* The text fits the schema; useAsync is about speed, and there is nothing to do for it. */
static void read_config(struct state *s, const char *text)
{
	json_t *config = json_read(str_of(text));
	const char *certificate = json_string_value(json_object_get(config, "sslCertificate"));

	snprintf(s->certificate, sizeof(s->certificate), "%s",
		 certificate ? certificate : "/etc/falco/falco.pem");
	s->config.certificate = s->certificate;
	s->config.event_max = number_of(config, "maxEventSize", AUDIT_EVENT_BYTES_USUAL);
	s->config.body_max = number_of(config, "webhookMaxBatchSize", AUDIT_BODY_BYTES_USUAL);
	s->config.waiting_max = s->config.body_max * FULL_FACTOR;
	json_decref(config);
}

static ss_plugin_t *init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	struct state *s = xcalloc(1, sizeof(*s));

	document_init(&s->document);
	read_config(s, in->config && *in->config ? in->config : "{}");
	*rc = SS_PLUGIN_SUCCESS;
	return s;
}

static void destroy(ss_plugin_t *state)
{
	struct state *s = state;

	document_done(&s->document);
	free(s->copy);
	free(s);
}

static const char *get_last_error(ss_plugin_t *state)
{
	return ((struct state *)state)->error;
}

/* ---- events ---- */

static ss_instance_t *open_source(ss_plugin_t *state, const char *params, ss_plugin_rc *rc)
{
	struct state *s = state;
	struct inlet *in = NULL;
	struct err e = {0};

	*rc = SS_PLUGIN_SUCCESS;
	if (inlet_open(&s->config, params, &in, &e) < 0) {
		snprintf(s->error, sizeof(s->error), "%s", e.msg);
		*rc = SS_PLUGIN_FAILURE;
	}
	s->inlet = in;
	return in;
}

static void close_source(ss_plugin_t *state, ss_instance_t *instance)
{
	struct state *s = state;

	s->inlet = NULL;
	inlet_close(instance);
}

static ss_plugin_rc next_batch(ss_plugin_t *state, ss_instance_t *instance, uint32_t *n,
			       ss_plugin_event ***ret)
{
	struct inlet *in = instance;
	bool is_open = inlet_next(in, WAIT_MS, ret, n);

	if (*n)
		return SS_PLUGIN_SUCCESS;
	return is_open ? SS_PLUGIN_TIMEOUT : SS_PLUGIN_EOF;
}

static const char *list_open_params(ss_plugin_t *state, ss_plugin_rc *rc)
{
	*rc = SS_PLUGIN_SUCCESS;
	return "[{\"value\":\"http://127.0.0.1:9765/k8s-audit\",\"desc\":\"take what is posted "
	       "there; https:// needs sslCertificate\"},{\"value\":\"/var/log/audit.log\","
	       "\"desc\":\"a file with a line for each event or list, or a folder of them\"}]";
}

static const char *event_to_string(ss_plugin_t *state, const ss_plugin_event_input *in)
{
	struct state *s = state;

	if (in->evt->len < SS_PLUGIN_EVENT_PAYLOAD_OFFSET)
		return "";
	free(s->copy);
	s->copy = xstrndup((const char *)in->evt + SS_PLUGIN_EVENT_PAYLOAD_OFFSET,
			   in->evt->len - SS_PLUGIN_EVENT_PAYLOAD_OFFSET);
	return s->copy;
}

static ss_plugin_metric *get_metrics(ss_plugin_t *state, uint32_t *n)
{
	struct state *s = state;

	*n = s->inlet ? INLET_COUNTS : 0;
	for (uint32_t i = 0; i < *n; i++) {
		s->metrics[i].name = inlet_count_names[i];
		s->metrics[i].type = SS_PLUGIN_METRIC_TYPE_MONOTONIC;
		s->metrics[i].value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64;
		s->metrics[i].value.u64 = inlet_count(s->inlet, i);
	}
	return s->metrics;
}

/* ---- fields ---- */

static ss_plugin_rc extract_fields(ss_plugin_t *state, const ss_plugin_event_input *in,
				   const ss_plugin_field_extract_input *asked)
{
	struct state *s = state;
	bool is_json = document_read(&s->document, in);

	for (uint32_t i = 0; i < asked->num_fields; i++) {
		asked->fields[i].res_len = 0;
		if (is_json)
			audit_field_read(&s->document, &asked->fields[i]);
	}
	return SS_PLUGIN_SUCCESS;
}

const plugin_api audit_plugin = {
	.get_required_api_version = get_api_version,
	.get_init_schema = get_init_schema,
	.init = init,
	.destroy = destroy,
	.get_last_error = get_last_error,
	.get_name = get_name,
	.get_description = get_description,
	.get_contact = get_contact,
	.get_version = get_version,
	.get_id = get_id,
	.get_event_source = get_event_source,
	.open = open_source,
	.close = close_source,
	.list_open_params = list_open_params,
	.event_to_string = event_to_string,
	.next_batch = next_batch,
	.get_fields = audit_fields_json,
	.extract_fields = extract_fields,
	.get_metrics = get_metrics,
};
