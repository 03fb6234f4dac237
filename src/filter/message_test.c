/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no machine; tests/golden/eval has the rest. */
#include "filter/message.h"

#include "base/test.h"
#include "filter/extractor.h"

#include <errno.h>

static struct arena arena;
static struct buf out;
static struct err error;

/* A write(2) of the given bytes to a path of that name, as openat returned it. */
static struct moment event_with_name(struct str name)
{
	static uint8_t bytes[8192];
	static char text[4096];
	int64_t fd = 3;
	struct event_arg args[7] = {
		{&fd, sizeof(fd)}, {NULL, 0}, {text, (uint32_t)name.n + 1}, {NULL, 0}, {NULL, 0}};
	struct moment m = {.fd_num = 3};
	int n;

	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	n = event_encode(bytes, sizeof(bytes), EV_SYSCALL_OPENAT_2_X, 1000, 7, args, 7);
	CHECK(n > 0);
	CHECK_INT(event_decode(bytes, (size_t)n, &m.ev, &error), 0);
	m.ev.num = 42;
	return m;
}

static struct message *compile(const char *text)
{
	struct message *m = NULL;

	arena_done(&arena);
	arena_init(&arena, 0);
	memset(&error, 0, sizeof(error));
	message_compile(str_of(text), NULL, &arena, &m, NULL, &error);
	return m;
}

static const char *format(const char *text, struct str name)
{
	struct moment moment = event_with_name(name);
	struct field_ctx c = {.m = &moment, .scratch = &arena};
	struct message *m = compile(text);

	if (!m)
		return error.msg;
	buf_done(&out);
	buf_init(&out, 65536);
	message_format(m, &c, &out);
	return buf_z(&out);
}

static const char *said(const char *text)
{
	return format(text, STR("x"));
}

TEST(fields_stand_in_text)
{
	CHECK_STR(said("no field"), "no field");
	CHECK_STR(said("%evt.num"), "42");
	CHECK_STR(said("%evt.num,%evt.type!"), "42,openat!");
	CHECK_STR(said("a %evt.num%evt.type b"), "a 42openat b");
}

TEST(a_star_in_front_is_not_text)
{
	CHECK_STR(said("*%evt.num"), "42");
	CHECK_STR(said("**"), "*");
	CHECK_STR(said("*"), "");
}

TEST(null_is_said_so)
{
	CHECK_STR(said("<%evt.pluginname>"), "<<NA>>");
}

TEST(the_longest_field_counts)
{
	CHECK_STR(said("%evt.num."), "42.");
	CHECK_STR(said("%evt.numb"), "42b");
	CHECK_STR(said("%evt.num.of.it"), "42.of.it");
	CHECK_STR(said("%evt.num[0]"), "42[0]");
	CHECK_STR(said("%evt.num[[%evt.num]]"), "42[[42]]");
	CHECK_STR(said("%evt.rawarg.namex"), "xx");
	CHECK_STR(said("%evt.rawarg[name]x"), "xx");
}

TEST(transformers_are_fields_too)
{
	CHECK_STR(said("%toupper(evt.type)."), "OPENAT.");
	CHECK_STR(said("%toupper( evt.type ) "), "OPENAT ");
	CHECK_STR(said("%concat(evt.type, \"-\", evt.dir)"), "openat-<");
	CHECK_STR(said("%5toupper(evt.type)|"), "OPENA|");
}

TEST(a_width_cuts_and_fills)
{
	CHECK_STR(said("%5evt.num|"), "42   |");
	CHECK_STR(said("%1evt.num|"), "4|");
	CHECK_STR(said("%0evt.num|"), "42|");
	CHECK_STR(said("%007evt.num|"), "42     |");
	CHECK_STR(said("%3evt.pluginname|"), "<NA|");
}

TEST(what_is_wrong_is_said)
{
	CHECK_STR(said(""), "empty formatting token");
	CHECK_STR(said("a %"), "invalid formatting syntax: formatting cannot end with a %");
	CHECK_STR(said("a %12"), "invalid formatting syntax: formatting cannot end with a number");
	CHECK_STR(said("%99999evt.num"), "invalid formatting syntax: width is larger than 4096");
	CHECK_STR(said("50% of"), "unknown filter: expected a field or a transformer (at '%')");
	CHECK_STR(said("100%% %evt.num"),
		  "unknown filter: expected a field or a transformer (at '%%')");
	CHECK_STR(said("%nothing here"),
		  "unknown filter: expected a field or a transformer (at '%nothing')");
	CHECK_STR(said("%not.a.field"), "unknown filter: filter_check called with nonexistent "
					"field not.a.field (at '%not.a.field')");
	CHECK_STR(said("%toupper(evt.type"),
		  "unknown filter: expected a ')' token (at '%toupper(evt.type')");
	CHECK(strstr(said("%toupper(evt.num)"), "is not supported by 'toupper' transformer"));
}

TEST(values_are_made_printable)
{
	CHECK_STR(format("%evt.rawarg.name", STR("plain text, long enough")),
		  "plain text, long enough");
	CHECK_STR(format("%evt.rawarg.name", STR("a\tb\x7f\x01")), "a\xef\xbf\xbd"
								   "b\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(format("\t%evt.rawarg.name", STR("\xc3\xbc\xff")), "\t\xc3\xbc\xef\xbf\xbd");
}

TEST(every_byte_is_looked_at)
{
	for (int byte = 1; byte < 256; byte++)
		for (size_t at = 0; at < 20; at++) {
			char text[] = "abcdefghijklmnopqrst";
			bool clean = byte >= 0x20 && byte < 0x7f;

			text[at] = (char)byte;
			format("%evt.rawarg.name", (struct str){text, 20});
			CHECK_INT(out.n, clean ? 20 : 22);
		}
}

TEST(widths_count_bytes_of_the_printable_text)
{
	CHECK_STR(format("%4evt.rawarg.name|", STR("\x01z")), "\xef\xbf\xbdz|");
	CHECK_STR(format("%6evt.rawarg.name|", STR("\x01z")), "\xef\xbf\xbdz  |");
}

TEST(what_does_not_fit_is_left_out)
{
	struct moment moment = event_with_name(STR("0123456789"));
	struct field_ctx c = {.m = &moment, .scratch = &arena};
	struct message *m = compile("%evt.rawarg.name and %20evt.num");

	buf_done(&out);
	buf_init(&out, 12);
	message_format(m, &c, &out);
	CHECK_STR(buf_z(&out), "0123456789 a");
	CHECK(out.truncated);
}

static const char *token(const char *text, size_t i)
{
	size_t n;
	const struct message_token *t = message_tokens(compile(text), &n);

	return i < n ? arena_str(&arena, t[i].text).p : NULL;
}

TEST(every_field_is_a_token_once)
{
	const char *text = "%evt.num %evt.type %5evt.num %evt.arg[0]";

	CHECK_STR(token(text, 0), "evt.num");
	CHECK_STR(token(text, 1), "evt.type");
	CHECK_STR(token(text, 2), "evt.arg[0]");
	CHECK(!token(text, 3));
	CHECK(!token("no field", 0));
}

TEST(fields_within_transformers_are_tokens)
{
	const char *text = "%join(\",\", (evt.type, toupper(evt.dir))) %evt.dir";

	CHECK_STR(token(text, 0), "evt.type");
	CHECK_STR(token(text, 1), "evt.dir");
	CHECK(!token(text, 2));
}

TEST(a_token_is_read_after_the_text)
{
	struct moment moment = event_with_name(STR("x"));
	struct field_ctx c = {.m = &moment, .scratch = &arena};
	struct message *m = compile("%util.cnt %util.cnt");
	struct value v = {.u = 0};
	size_t n;
	const struct message_token *t = message_tokens(m, &n);

	buf_done(&out);
	buf_init(&out, 100);
	message_format(m, &c, &out);
	CHECK_STR(buf_z(&out), "1 1");
	CHECK_INT(n, 1);
	CHECK_INT(extractor_get(t->x, &c, &v), FIELD_OK);
	CHECK_INT(v.u, 2);
}

TEST(long_messages_take_no_long_time)
{
	size_t n = 1 << 20;
	struct buf text;
	struct message *m;

	buf_init(&text, 2 * n);
	buf_addz(&text, "%tolower(proc.aname[");
	while (text.n < n)
		buf_addc(&text, 'x');
	CHECK_INT(message_compile(buf_str(&text), NULL, &arena, &m, NULL, &error), -EINVAL);
	buf_reset(&text);
	while (text.n < n)
		buf_addz(&text, "%evt.num.");
	CHECK_INT(message_compile(buf_str(&text), NULL, &arena, &m, NULL, &error), 0);
	buf_done(&text);
}

/* The extractor of a message's only field. */
static const struct extractor *only_field(const char *text, struct message_fields *shared)
{
	const struct message_token *t;
	struct message *m;
	size_t n;

	CHECK_INT(message_compile(str_of(text), shared, &arena, &m, NULL, &error), 0);
	t = message_tokens(m, &n);
	CHECK_INT(n, 1);
	return t->x;
}

TEST(messages_share_fields_that_do_not_remember)
{
	struct message_fields *shared = message_fields_new(0);
	const struct extractor *name = only_field("%proc.name", shared);

	CHECK(only_field("a (%proc.name)", shared) == name);
	CHECK(only_field("%proc.name", NULL) != name);
	CHECK(only_field("%proc.aname[2]x", shared) == only_field("%proc.aname[2]y", shared));
	CHECK(only_field("%proc.aname[2]", shared) != only_field("%proc.aname[3]", shared));
	CHECK(only_field("%util.cnt", shared) != only_field("%util.cnt", shared));
	message_fields_free(shared);
}

TEST(shared_fields_end_where_their_own_message_ends_them)
{
	static const char *const texts[] = {
		"%proc.name",	  "%proc.names",    "%proc.name-x",	   "%proc.name[1]",
		"%proc.aname",	  "%proc.aname[1]", "%evt.arg.fd",	   "%evt.arg.fdx",
		"%evt.arg[0]",	  "%evt.type(x)",   "%toupper(proc.name)", "%proc.aname[1]s",
		"%evt.arg[0].fd", "%proc.name.",    "%evt.type.is.open"};
	struct message_fields *shared = message_fields_new(0);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK(str_eq(only_field(texts[i], shared)->text, only_field(texts[i], NULL)->text));
	message_fields_free(shared);
}

static struct position where(const char *text)
{
	struct position at = {99, 99, 99};
	struct message *m;

	arena_done(&arena);
	arena_init(&arena, 0);
	CHECK(message_compile(str_of(text), NULL, &arena, &m, &at, &error) < 0);
	return at;
}

TEST(an_error_knows_its_place)
{
	struct position at = where("*%evt.num\nx %proc.nosuch y");

	CHECK_INT(at.offset, 12);
	CHECK_INT(at.line, 2);
	CHECK_INT(at.column, 3);
	CHECK_INT(where("").column, 1);
	CHECK_INT(where("ab%").column, 3);
}
