/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "plugin/library.h"

static const char *refusal(const char *schema, const char *config)
{
	static struct err e;

	e = (struct err){0};
	return schema_validate(schema, config, &e) < 0 ? e.msg : NULL;
}

TEST(an_empty_schema_takes_everything)
{
	CHECK(!refusal("{}", "{\"a\":[1,2]}"));
	CHECK(!refusal("true", "3"));
	CHECK_STR(refusal("false", "3"), "in <root>: nothing is allowed here");
}

TEST(types_may_be_one_or_several)
{
	CHECK(!refusal("{\"type\":[\"string\",\"null\"]}", "null"));
	CHECK_STR(refusal("{\"type\":[\"string\",\"null\"]}", "1"),
		  "in <root>: the value is of none of the types it may have");
	CHECK(!refusal("{\"type\":\"integer\"}", "3.0"));
	CHECK_STR(refusal("{\"type\":\"integer\"}", "3.5"), "in <root>: the value is no integer");
}

TEST(places_within_the_value_are_named)
{
	const char *schema = "{\"properties\":{\"a\":{\"items\":{\"required\":[\"x\"]}}}}";

	CHECK(!refusal(schema, "{\"a\":[{\"x\":1}]}"));
	CHECK_STR(refusal(schema, "{\"a\":[{\"x\":1},{}]}"), "in <root>.a[1]: 'x' is missing");
}

TEST(members_that_are_not_named_have_a_schema_of_their_own)
{
	const char *schema =
		"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"boolean\"}}";

	CHECK(!refusal(schema, "{\"a\":1,\"b\":true}"));
	CHECK_STR(refusal(schema, "{\"b\":1}"), "in <root>.b: the value is no boolean");
}

TEST(one_any_and_all_of_several_schemas)
{
	CHECK(!refusal("{\"anyOf\":[{\"const\":1},{\"const\":2}]}", "2"));
	CHECK(refusal("{\"anyOf\":[{\"const\":1},{\"const\":2}]}", "3"));
	CHECK(!refusal("{\"oneOf\":[{\"minimum\":1},{\"maximum\":-1}]}", "2"));
	CHECK(refusal("{\"oneOf\":[{\"minimum\":1},{\"maximum\":9}]}", "2"));
	CHECK(refusal("{\"allOf\":[{\"minimum\":1},{\"maximum\":9}]}", "10"));
}

TEST(a_schema_that_leads_back_to_itself_ends)
{
	CHECK_STR(refusal("{\"$ref\":\"#\"}", "1"),
		  "in <root>: the schema or the value is too deep");
	CHECK_STR(refusal("{\"$ref\":\"#/definitions/x\"}", "1"),
		  "in <root>: the schema refers to what it does not have");
	CHECK(refusal("{\"$ref\":\"http://elsewhere\"}", "1"));
}

/* Members whose offsets others' binaries rely on: saker/plugin.h. */
_Static_assert(sizeof(ss_plugin_event) == 26, "event");
_Static_assert(sizeof(ss_plugin_event_input) == 24, "event_input");
_Static_assert(sizeof(ss_plugin_byte_buffer) == 16, "byte_buffer");
_Static_assert(sizeof(ss_plugin_extract_field) == 64, "extract_field");
_Static_assert(offsetof(ss_plugin_extract_field, field_id) == 16, "extract_field");
_Static_assert(offsetof(ss_plugin_extract_field, arg_key) == 32, "extract_field");
_Static_assert(offsetof(ss_plugin_extract_field, arg_present) == 48, "extract_field");
_Static_assert(offsetof(ss_plugin_extract_field, flist) == 56, "extract_field");
_Static_assert(sizeof(ss_plugin_metric) == 32, "metric");
_Static_assert(offsetof(ss_plugin_metric, value_type) == 24, "metric");
_Static_assert(sizeof(ss_plugin_state_data) == 8, "state_data");
_Static_assert(sizeof(ss_plugin_table_info) == 16, "table_info");
_Static_assert(sizeof(ss_plugin_table_fieldinfo) == 16, "table_fieldinfo");
_Static_assert(sizeof(ss_plugin_table_reader_vtable) == 32, "reader");
_Static_assert(sizeof(ss_plugin_table_reader_vtable_ext) == 48, "reader_ext");
_Static_assert(sizeof(ss_plugin_table_writer_vtable) == 48, "writer");
_Static_assert(sizeof(ss_plugin_table_input) == 152, "table_input");
_Static_assert(offsetof(ss_plugin_table_input, fields) == 104, "table_input");
_Static_assert(offsetof(ss_plugin_table_input, fields_ext) == 144, "table_input");
_Static_assert(sizeof(ss_plugin_init_tables_input) == 72, "init_tables_input");
_Static_assert(offsetof(ss_plugin_init_tables_input, fields_ext) == 48, "init_tables_input");
_Static_assert(sizeof(ss_plugin_init_input) == 40, "init_input");
_Static_assert(sizeof(ss_plugin_field_extract_input) == 80, "field_extract_input");
_Static_assert(offsetof(ss_plugin_field_extract_input, value_offsets) == 72, "extract_input");
_Static_assert(sizeof(ss_plugin_event_parse_input) == 112, "event_parse_input");
_Static_assert(sizeof(ss_plugin_capture_listen_input) == 40, "capture_listen_input");
_Static_assert(sizeof(plugin_api) == 264, "plugin_api");
_Static_assert(offsetof(plugin_api, next_batch) == 128, "plugin_api");
_Static_assert(offsetof(plugin_api, get_async_events) == 200, "plugin_api");
_Static_assert(offsetof(plugin_api, get_required_event_schema_version) == 256, "plugin_api");

TEST(versions_are_three_numbers)
{
	uint32_t v[3];

	CHECK(plugin_version_parse("3.12.0", v) && v[0] == 3 && v[1] == 12 && v[2] == 0);
	CHECK(!plugin_version_parse("3.12", v));
	CHECK(!plugin_version_parse("3.12.0-rc1", v));
	CHECK(!plugin_version_parse("", v));
}
