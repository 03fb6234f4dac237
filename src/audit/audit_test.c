/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/builtin.h"
#include "audit/events.h"
#include "audit/inlet.h"

#include "base/alloc.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENT(stage, more)                                                                         \
	"{\"kind\":\"Event\",\"auditID\":\"a1\",\"stage\":\"" stage                                \
	"\",\"stageTimestamp\":\"2024-05-01T10:00:00.000002Z\"" more "}"

static uint32_t put_and_take(struct audit_events *q, const char *json, enum audit_verdict wanted)
{
	CHECK_INT(audit_events_put(q, str_of(json)), wanted);
	return audit_events_take(q, 0);
}

static struct audit_events *events_of(uint64_t max_bytes, uint64_t event_max)
{
	struct audit_events *q = xcalloc(1, sizeof(*q));

	audit_events_init(q, max_bytes, event_max);
	return q;
}

static void drop(struct audit_events *q)
{
	audit_events_done(q);
	free(q);
}

TEST(one_event_a_list_of_them_and_lists_of_those_are_taken)
{
	struct audit_events *q = events_of(1 << 20, 4096);

	CHECK_INT(put_and_take(q, EVENT("A", ""), AUDIT_TAKEN), 1);
	CHECK_INT(q->batch[0]->ts, 1714557600000002000);
	CHECK_INT(q->batch[0]->type, PPM_PLUGIN_EVENT);
	CHECK_INT(put_and_take(q, "[" EVENT("A", "") "," EVENT("B", "") "]", AUDIT_TAKEN), 2);
	CHECK_INT(put_and_take(q,
			       "{\"kind\":\"EventList\",\"items\":[" EVENT("A", "") "," EVENT(
				       "B", "") "," EVENT("C", "") "]}",
			       AUDIT_TAKEN),
		  3);
	CHECK_INT(atomic_load(&q->n_taken), 6);
	CHECK_INT(atomic_load(&q->n_broken), 0);
	drop(q);
}

TEST(what_is_no_audit_event_is_counted_and_what_stands_beside_it_is_taken)
{
	struct audit_events *q = events_of(1 << 20, 4096);

	CHECK_INT(put_and_take(q, "{", AUDIT_BROKEN), 0);
	CHECK_INT(put_and_take(q, "\"x\"", AUDIT_BROKEN), 0);
	CHECK_INT(put_and_take(q, "{\"kind\":\"Pod\"}", AUDIT_BROKEN), 0);
	CHECK_INT(atomic_load(&q->n_broken), 3);
	CHECK_INT(put_and_take(q, "{\"kind\":\"EventList\",\"items\":[{}," EVENT("A", "") "]}",
			       AUDIT_TAKEN),
		  1);
	CHECK_INT(atomic_load(&q->n_broken), 4);
	drop(q);
}

TEST(an_event_that_is_too_long_is_left_out_and_counted)
{
	struct audit_events *q = events_of(1 << 20, 100);

	CHECK_INT(put_and_take(q, EVENT("A", ",\"verb\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
			       AUDIT_TAKEN),
		  0);
	CHECK_INT(atomic_load(&q->n_long), 1);
	drop(q);
}

TEST(what_finds_no_room_is_refused_as_a_whole_until_there_is_some)
{
	struct audit_events *q = events_of(1, 4096);

	CHECK_INT(audit_events_put(q, str_of(EVENT("A", ""))), AUDIT_TAKEN);
	CHECK_INT(audit_events_put(q, str_of("[" EVENT("B", "") "," EVENT("C", "") "]")),
		  AUDIT_FULL);
	CHECK_INT(atomic_load(&q->n_refused), 2);
	CHECK_INT(audit_events_take(q, 0), 1);
	CHECK_INT(put_and_take(q, EVENT("B", ""), AUDIT_TAKEN), 1);
	drop(q);
}

TEST(a_text_that_would_take_much_more_memory_than_it_has_bytes_is_refused)
{
	struct audit_events *q = events_of(1 << 20, 4096);
	size_t n = 600000;
	char *text = xcalloc(1, n + 1);

	memset(text, '[', n);
	CHECK_INT(put_and_take(q, text, AUDIT_BROKEN), 0);
	for (size_t i = 0; i < n; i += 3)
		memcpy(text + i, i ? "[]," : " [ ", 3);
	memcpy(text + n - 4, "[]] ", 4);
	CHECK_INT(put_and_take(q, text, AUDIT_BROKEN), 0);
	free(text);
	drop(q);
}

TEST(times_have_fractions_and_zones)
{
	uint64_t ns = 0;

	CHECK(audit_time("1970-01-01T00:00:01Z", &ns) && ns == 1000000000);
	CHECK(audit_time("1970-01-01T01:00:01.5+01:00", &ns) && ns == 1500000000);
	CHECK(audit_time("1970-01-01T00:00:00.123456789123Z", &ns) && ns == 123456789);
	CHECK(!audit_time("1970-01-01T00:00:00", &ns));
	CHECK(!audit_time("1970-01-01T00:30:00+01:00", &ns));
	CHECK(!audit_time("9999-01-01T00:00:00Z", &ns));
	CHECK(!audit_time("yesterday", &ns));
}

TEST(addresses_and_files_are_told_apart)
{
	struct inlet_place p;

	CHECK_INT(inlet_parse("/var/log/audit.log", &p, NULL), 1);
	CHECK_INT(inlet_parse("http://:9765/k8s-audit", &p, NULL), 0);
	CHECK_STR(p.address, "0.0.0.0");
	CHECK_STR(p.path, "/k8s-audit");
	CHECK_INT(p.port, 9765);
	CHECK_INT(inlet_parse("https://[::1]:1/", &p, NULL), 0);
	CHECK_STR(p.address, "::1");
	CHECK(p.is_secure);
	CHECK_INT(inlet_parse("https://localhost", &p, NULL), 0);
	CHECK_INT(p.port, 443);
	CHECK(inlet_parse("ftp://x/", &p, NULL) < 0);
	CHECK(inlet_parse("http://x:99999/", &p, NULL) < 0);
}

/* ---- fields ---- */

#define POD                                                                                        \
	",\"verb\":\"create\",\"requestURI\":\"/api?x=1&command=ls+-l&command=%2Fetc\","           \
	"\"user\":{\"username\":\"eve\",\"groups\":[\"dev\",\"all\"]},"                            \
	"\"objectRef\":{\"resource\":\"pods\",\"namespace\":\"n\"},"                               \
	"\"responseObject\":{\"metadata\":{\"name\":\"p-1\"}},\"responseStatus\":{\"code\":201},"  \
	"\"sourceIPs\":[\"10.0.0.1\",\"10.0.0.2\"],\"requestObject\":{\"spec\":{"                  \
	"\"hostNetwork\":true,\"securityContext\":{\"runAsUser\":7},\"volumes\":["                 \
	"{\"name\":\"a\",\"hostPath\":{\"path\":\"/etc/x\"}},{\"name\":\"b\",\"emptyDir\":{}}],"   \
	"\"containers\":[{\"name\":\"one\",\"image\":\"reg:5000/team/app:1\",\"args\":[\"a\","     \
	"\"b\"],\"ports\":[{\"hostPort\":80},{\"containerPort\":81}]},{\"name\":\"two\","          \
	"\"image\":\"busybox@sha256:1\",\"securityContext\":{\"privileged\":true,"                 \
	"\"runAsUser\":9,\"capabilities\":{\"add\":[\"SYS_ADMIN\"]}}}]},"                          \
	"\"subjects\":[{\"kind\":\"User\",\"name\":\"u\"},{\"kind\":\"ServiceAccount\","           \
	"\"name\":\"s\",\"namespace\":\"n\"},{\"kind\":\"Group\",\"name\":\"g\"}]}"

/* "name", "name[0]", "name[key]": its values with a bar between; "-": none. */
static const char *read_field(const plugin_api *api, const char *event, const char *field)
{
	static char text[1024];
	char name[128], *arg, *end = NULL;
	struct audit_events *q = events_of(1 << 20, 1 << 16);
	const ss_plugin_init_input with = {.config = ""};
	ss_plugin_rc rc;
	ss_plugin_t *state = api->init(&with, &rc);
	ss_plugin_extract_field x = {.field_id = 0};
	ss_plugin_field_extract_input asked = {.num_fields = 1, .fields = &x};
	ss_plugin_event_input in = {.evtnum = 1};
	const char *list = api->get_fields(), *at;

	CHECK_INT(put_and_take(q, event, AUDIT_TAKEN), 1);
	in.evt = q->batch[0];
	snprintf(name, sizeof(name), "%s", field);
	arg = strchr(name, '[');
	if (arg) {
		*arg++ = '\0';
		arg[strlen(arg) - 1] = '\0';
		x.arg_present = 1;
		x.arg_index = strtoull(arg, &end, 10);
		x.arg_key = *end ? arg : NULL;
	}
	snprintf(text, sizeof(text), "\"name\":\"%s\"", name);
	at = strstr(list, text);
	CHECK(at);
	for (const char *p = list; (p = strstr(p, "\"name\":")) && p < at; p++)
		x.field_id++;
	api->extract_fields(state, &in, &asked);
	strcpy(text, x.res_len ? "" : "-");
	for (uint64_t i = 0; i < x.res_len; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? "|" : "",
			 x.res.str[i]);
	api->destroy(state);
	drop(q);
	return text;
}

static const char *of_pod(const char *field)
{
	return read_field(&audit_plugin, EVENT("ResponseComplete", POD), field);
}

TEST(fields_give_what_stands_in_the_event)
{
	CHECK_STR(of_pod("ka.auditid"), "a1");
	CHECK_STR(of_pod("ka.stage"), "ResponseComplete");
	CHECK_STR(of_pod("ka.user.name"), "eve");
	CHECK_STR(of_pod("ka.user.groups"), "dev|all");
	CHECK_STR(of_pod("ka.response.code"), "201");
	CHECK_STR(of_pod("ka.sourceips"), "10.0.0.1|10.0.0.2");
	CHECK_STR(of_pod("ka.sourceips[1]"), "10.0.0.2");
	CHECK_STR(of_pod("ka.sourceips[2]"), "-");
	CHECK_STR(of_pod("ka.impuser.name"), "-");
	CHECK_STR(of_pod("ka.target.subresource"), "-");
	CHECK_STR(of_pod("ka.target.pod.name"), "p-1");
	CHECK_STR(of_pod("ka.req.pod.host_network"), "true");
}

TEST(parameters_of_an_address_are_unescaped_and_the_first_counts)
{
	CHECK_STR(of_pod("ka.uri.param[command]"), "ls -l");
	CHECK_STR(of_pod("ka.uri.param[x]"), "1");
	CHECK_STR(of_pod("ka.uri.param[y]"), "-");
}

TEST(fields_of_containers_are_lists_or_one_by_its_index)
{
	CHECK_STR(of_pod("ka.req.pod.containers.image"), "reg:5000/team/app:1|busybox@sha256:1");
	CHECK_STR(of_pod("ka.req.pod.containers.image[1]"), "busybox@sha256:1");
	CHECK_STR(of_pod("ka.req.pod.containers.image[2]"), "-");
	CHECK_STR(of_pod("ka.req.container.image"), "reg:5000/team/app:1");
	CHECK_STR(of_pod("ka.req.pod.containers.image.repository"), "reg:5000/team/app|busybox");
	CHECK_STR(of_pod("ka.req.container.image.repository"), "reg:5000/team/app");
	CHECK_STR(of_pod("ka.req.pod.containers.privileged"), "true");
	CHECK_STR(of_pod("ka.req.container.privileged"), "true");
	CHECK_STR(of_pod("ka.req.pod.containers.run_as_user"), "9");
	CHECK_STR(of_pod("ka.req.pod.containers.eff_run_as_user"), "7|9");
	CHECK_STR(of_pod("ka.req.pod.containers.eff_run_as_group"), "0|0");
	CHECK_STR(of_pod("ka.req.pod.containers.host_port"), "80|81");
	CHECK_STR(of_pod("ka.req.pod.containers.add_capabilities"), "SYS_ADMIN");
	CHECK_STR(of_pod("ka.req.pod.containers.args[0]"), "a|b");
}

TEST(volumes_and_subjects_are_told)
{
	CHECK_STR(of_pod("ka.req.pod.volumes.hostpath"), "/etc/x");
	CHECK_STR(of_pod("ka.req.volume.hostpath[/etc/*]"), "true");
	CHECK_STR(of_pod("ka.req.volume.hostpath[/etc]"), "false");
	CHECK_STR(of_pod("ka.req.pod.volumes.volume_type"), "hostPath|emptyDir");
	CHECK_STR(of_pod("ka.req.binding.subjects.user_names"), "u");
	CHECK_STR(of_pod("ka.req.binding.subjects.serviceaccount_ns_names"), "n:s");
	CHECK_STR(of_pod("ka.req.binding.subjects.group_names"), "g");
}

TEST(a_json_pointer_leads_to_any_value)
{
	const char *event = EVENT("A", ",\"a/b\":[{\"x~y\":1.5},null]");

	CHECK_STR(read_field(&json_plugin, event, "json.value[/stage]"), "A");
	CHECK_STR(read_field(&json_plugin, event, "jevt.value[/a~1b/0/x~0y]"), "1.5");
	CHECK_STR(read_field(&json_plugin, event, "jevt.value[/a~1b/1]"), "null");
	CHECK_STR(read_field(&json_plugin, event, "jevt.value[/a~1b/2]"), "-");
	CHECK_STR(read_field(&json_plugin, event, "jevt.value[/a~1b/x]"), "-");
	CHECK_STR(read_field(&json_plugin, event, "jevt.rawtime"), "1714557600000002000");
}
