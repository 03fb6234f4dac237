/* SPDX-License-Identifier: Apache-2.0 */
#include "output/body.h"

#include "base/clock.h"
#include "base/json.h"

/* Each text in turn of a list with commas. */
static bool next_tag(struct str *tags, struct str *ret)
{
	ptrdiff_t comma = str_chr(*tags, ',');

	if (!tags->n)
		return false;
	*ret = comma < 0 ? *tags : str_head(*tags, (size_t)comma);
	*tags = str_from(*tags, comma < 0 ? tags->n : (size_t)comma + 1);
	return true;
}

static bool all_json(const struct alert *alerts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!alerts[i].json)
			return false;
	}
	return true;
}

/* ---- as the reference ---- */

static const char *add_plain(const struct alert *alerts, size_t n, struct buf *out)
{
	bool json = all_json(alerts, n);

	buf_adds(out, alerts[0].line);
	if (n == 1)
		return json ? "application/json" : "text/plain";
	buf_addc(out, '\n');
	for (size_t i = 1; i < n; i++) {
		buf_adds(out, alerts[i].line);
		buf_addc(out, '\n');
	}
	return json ? "application/x-ndjson" : "text/plain";
}

/* ---- CloudEvents ---- */

/* A segment of a URI's path. */
static void add_segment(struct buf *out, struct str s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] && strchr(plain, s.p[i]))
			buf_addc(out, s.p[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)s.p[i]);
	}
}

static void add_member(struct buf *out, const char *key, struct str value)
{
	buf_addf(out, ",\"%s\":", key);
	json_add_string(out, value);
}

/*
 * Attributes that may not be empty are left out when they are.  The time is in the id because
 * numbers of alerts may begin at 1 again where no spool remembers them.
 */
static void add_event(const struct alert *a, struct buf *out)
{
	buf_addf(out, "{\"specversion\":\"1.0\",\"id\":\"%llu-%llu\",\"source\":\"/saker/",
		 (unsigned long long)a->time, (unsigned long long)a->seq);
	add_segment(out, a->host);
	buf_addz(out, "\",\"type\":\"saker.alert\",\"time\":\"");
	clock_add_utc(out, a->time);
	buf_addf(out, "Z\",\"sequence\":\"%020llu\"", (unsigned long long)a->seq);
	if (a->rule.n)
		add_member(out, "subject", a->rule);
	add_member(out, "priority", str_of(priority_text(a->priority)));
	if (a->source.n)
		add_member(out, "eventsource", a->source);
	if (a->tags.n)
		add_member(out, "tags", a->tags);
	if (a->json) {
		buf_addz(out, ",\"datacontenttype\":\"application/json\",\"data\":");
		buf_adds(out, a->line);
	} else {
		buf_addz(out, ",\"datacontenttype\":\"text/plain\",\"data\":");
		json_add_string(out, a->line);
	}
	buf_addc(out, '}');
}

static const char *add_cloudevents(const struct alert *alerts, size_t n, struct buf *out)
{
	if (n == 1) {
		add_event(alerts, out);
		return "application/cloudevents+json; charset=UTF-8";
	}
	for (size_t i = 0; i < n; i++) {
		buf_addc(out, i ? ',' : '[');
		add_event(&alerts[i], out);
	}
	buf_addc(out, ']');
	return "application/cloudevents-batch+json; charset=UTF-8";
}

/* ---- OTLP ---- */

/* As OpenTelemetry's data model maps the severities of syslog. */
static const unsigned char otlp_severity[PRIORITY_COUNT] = {
	[PRIORITY_EMERGENCY] = 21, [PRIORITY_ALERT] = 19,   [PRIORITY_CRITICAL] = 18,
	[PRIORITY_ERROR] = 17,	   [PRIORITY_WARNING] = 13, [PRIORITY_NOTICE] = 10,
	[PRIORITY_INFO] = 9,	   [PRIORITY_DEBUG] = 5,
};

static void add_attribute(struct buf *out, const char *key, struct str value)
{
	buf_addf(out, "{\"key\":\"%s\",\"value\":{\"stringValue\":", key);
	json_add_string(out, value);
	buf_addz(out, "}}");
}

static void add_tags(struct buf *out, struct str tags)
{
	const char *before = "";
	struct str tag;

	buf_addz(out, ",{\"key\":\"saker.tags\",\"value\":{\"arrayValue\":{\"values\":[");
	while (next_tag(&tags, &tag)) {
		buf_addf(out, "%s{\"stringValue\":", before);
		json_add_string(out, tag);
		buf_addc(out, '}');
		before = ",";
	}
	buf_addz(out, "]}}}");
}

/* 64-bit numbers are texts there. */
static void add_log_record(const struct alert *a, struct buf *out)
{
	buf_addf(out, "{\"timeUnixNano\":\"%llu\",\"severityNumber\":%u,\"severityText\":",
		 (unsigned long long)a->time, otlp_severity[a->priority]);
	json_add_string(out, str_of(priority_text(a->priority)));
	buf_addz(out, ",\"body\":{\"stringValue\":");
	json_add_string(out, a->line);
	buf_addf(out,
		 "},\"attributes\":[{\"key\":\"saker.seq\",\"value\":{\"intValue\":\"%llu\"}},",
		 (unsigned long long)a->seq);
	add_attribute(out, "saker.rule", a->rule);
	buf_addc(out, ',');
	add_attribute(out, "saker.source", a->source);
	if (a->tags.n)
		add_tags(out, a->tags);
	buf_addz(out, "]}");
}

static void add_resource(const struct alert *a, struct buf *out)
{
	buf_addz(out, "{\"resource\":{\"attributes\":[");
	add_attribute(out, "service.name", STR("saker"));
	buf_addc(out, ',');
	add_attribute(out, "host.name", a->host);
	buf_addz(out, "]},\"scopeLogs\":[{\"scope\":{\"name\":\"saker\"},\"logRecords\":[");
}

/* A resource is a host: those of alerts that were spooled may differ. */
static const char *add_otlp(const struct alert *alerts, size_t n, struct buf *out)
{
	buf_addz(out, "{\"resourceLogs\":[");
	for (size_t i = 0; i < n; i++) {
		if (i && !str_eq(alerts[i].host, alerts[i - 1].host))
			buf_addz(out, "]}]},");
		else if (i)
			buf_addc(out, ',');
		if (!i || !str_eq(alerts[i].host, alerts[i - 1].host))
			add_resource(&alerts[i], out);
		add_log_record(&alerts[i], out);
	}
	buf_addz(out, "]}]}]}");
	return "application/json";
}

static const struct {
	const char *name;
	const char *(*add)(const struct alert *alerts, size_t n, struct buf *out);
} formats[BODY_COUNT] = {
	[BODY_PLAIN] = {"plain", add_plain},
	[BODY_CLOUDEVENTS] = {"cloudevents", add_cloudevents},
	[BODY_OTLP] = {"otlp", add_otlp},
};

enum body_format body_format_of(const char *name)
{
	for (unsigned f = 0; f < BODY_COUNT; f++) {
		if (!strcmp(formats[f].name, name))
			return f;
	}
	return BODY_PLAIN;
}

const char *body_add(enum body_format f, const struct alert *alerts, size_t n, struct buf *out)
{
	const char *type = formats[f].add(alerts, n, out);

	return out->truncated ? NULL : type;
}
