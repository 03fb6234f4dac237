/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts, to the byte. */
#include "scene.h"

#include "base/test.h"
#include "output/alert.h"

#include <jansson.h>
#include <stdlib.h>

#define OPEN "openat tid=100 ts=1600000000000000005 fd=5 dirfd=-100 flags=O_RDONLY name="

static const char rules_text[] =
	"- rule: Test\n"
	"  desc: d\n"
	"  condition: evt.type = openat\n"
	"  output: '%proc.name opened %fd.name as %fd.num, %fd.sport %fd.types'\n"
	"  priority: WARNING\n"
	"  tags: [b, a]\n"
	"- rule: Time\n"
	"  desc: d\n"
	"  condition: evt.type = close\n"
	"  output: '%evt.time %proc.name'\n"
	"  priority: INFO\n";

struct fixture {
	struct ruleset *rules;
	struct scene scene;
	struct buf out;
	struct alert_config config;
};

static struct fixture fixture_new(const char *event)
{
	struct fixture f = {.config = ALERT_CONFIG_DEFAULT};
	struct loader *l = loader_new(&(struct loader_config){.min_priority = PRIORITY_DEBUG});

	CHECK_INT(loader_add_text(l, "test", str_of(rules_text)), 0);
	f.rules = loader_take(l);
	loader_free(l);
	f.config.hostname = "vm";
	buf_init(&f.out, 1 << 16);
	scene_init(&f.scene);
	CHECK_INT(scene_add(&f.scene, STR("proc 100 cat"), NULL), 0);
	CHECK_INT(scene_add(&f.scene, str_of(event), NULL), 0);
	return f;
}

static void fixture_free(struct fixture *f)
{
	ruleset_free(f->rules);
	scene_done(&f->scene);
	buf_done(&f->out);
}

static const char *format(struct fixture *f, unsigned rule)
{
	struct field_ctx c = {
		.state = f->scene.state, .m = &f->scene.moment, .scratch = &f->scene.arena};

	buf_reset(&f->out);
	alert_format(&f->config, &f->rules->rules[rule], &c, &f->out);
	return buf_z(&f->out);
}

TEST(a_line_of_text_has_time_priority_and_message)
{
	struct fixture f = fixture_new(OPEN "/etc/passwd");

	CHECK_STR(format(&f, 0),
		  "12:26:40.000000005: Warning cat opened /etc/passwd as 5, <NA> (file)\n");
	f.config.time_iso8601 = true;
	CHECK_STR(format(&f, 0), "2020-09-13T12:26:40.000000005+0000: Warning cat opened "
				 "/etc/passwd as 5, <NA> (file)\n");
	fixture_free(&f);
}

TEST(json_has_sorted_members_of_their_own_types)
{
	struct fixture f = fixture_new(OPEN "/etc/passwd");

	f.config.json = true;
	CHECK_STR(format(&f, 0),
		  "{\"hostname\":\"vm\",\"output\":\"12:26:40.000000005: Warning cat opened "
		  "/etc/passwd as 5, <NA> (file)\",\"output_fields\":{\"evt.time\":"
		  "1600000000000000005,\"fd.name\":\"/etc/passwd\",\"fd.num\":5,\"fd.sport\":null,"
		  "\"fd.types\":[\"file\"],\"proc.name\":\"cat\"},\"priority\":\"Warning\","
		  "\"rule\":\"Test\",\"source\":\"syscall\",\"tags\":[\"a\",\"b\"],"
		  "\"time\":\"2020-09-13T12:26:40.000000005Z\"}\n");
	fixture_free(&f);
}

TEST(json_members_can_be_left_out_or_added)
{
	struct fixture f = fixture_new(OPEN "/etc/passwd");

	f.config = (struct alert_config){.json = true, .json_include_message = true};
	CHECK_STR(format(&f, 0),
		  "{\"hostname\":\"\",\"message\":\"cat opened /etc/passwd as 5, <NA> (file)\","
		  "\"priority\":\"Warning\",\"rule\":\"Test\",\"source\":\"syscall\","
		  "\"time\":\"2020-09-13T12:26:40.000000005Z\"}\n");
	fixture_free(&f);
}

TEST(the_time_is_a_number_also_when_the_message_names_it)
{
	struct fixture f = fixture_new("close tid=100 ts=1600000000000000005 res=0 fd=5");

	CHECK_STR(format(&f, 1), "12:26:40.000000005: Informational 12:26:40.000000005 cat\n");
	f.config = (struct alert_config){.json = true, .json_include_output_fields = true};
	CHECK(strstr(format(&f, 1), "{\"evt.time\":1600000000000000005,\"proc.name\":\"cat\"}"));
	f.config.time_iso8601 = true;
	CHECK(strstr(format(&f, 1), "{\"evt.time\":1600000000000000005,\"evt.time.iso8601\":"
				    "1600000000000000005,\"proc.name\":\"cat\"}"));
	fixture_free(&f);
}

TEST(rules_without_tags_have_an_empty_list)
{
	struct fixture f = fixture_new("close tid=100 ts=1600000000000000005 res=0 fd=5");

	f.config.json = true;
	CHECK(strstr(format(&f, 1), "\"tags\":[],"));
	fixture_free(&f);
}

TEST(whatever_the_bytes_json_parses)
{
	struct fixture f =
		fixture_new(OPEN "\"/tmp/a\\tb\\n\\\"\\\\\\xff\\xc3\\x28\\xed\\xa0\\x80\\x7f\"");
	json_t *json;

	f.config.json = true;
	json = json_loads(format(&f, 0), 0, NULL);
	CHECK(json);
	CHECK_STR(json_string_value(
			  json_object_get(json_object_get(json, "output_fields"), "fd.name")),
		  "/tmp/a\xef\xbf\xbd"
		  "b\xef\xbf\xbd\"\\\xef\xbf\xbd\xef\xbf\xbd("
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	json_decref(json);
	fixture_free(&f);
}

TEST(a_full_buffer_holds_whole_json_or_none)
{
	struct fixture f = fixture_new(OPEN "/etc/passwd");

	f.config.json = true;
	for (size_t max = 0; max < 400; max++) {
		json_t *json;

		buf_done(&f.out);
		buf_init(&f.out, max);
		format(&f, 0);
		CHECK(f.out.n <= max);
		json = f.out.n ? json_loads(buf_z(&f.out), 0, NULL) : json_object();
		CHECK(json);
		json_decref(json);
	}
	fixture_free(&f);
}

TEST(a_full_buffer_cuts_text_at_the_end)
{
	struct fixture f = fixture_new(OPEN "/etc/passwd");

	buf_done(&f.out);
	buf_init(&f.out, 30);
	CHECK_STR(format(&f, 0), "12:26:40.000000005: Warning c\n");
	fixture_free(&f);
}
