/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/framer.h"
#include "base/test.h"

#include <errno.h>

static void join(void *arg, struct str m)
{
	struct buf *out = arg;

	buf_addc(out, '[');
	buf_adds(out, m);
	buf_addc(out, ']');
}

/* The messages of bytes that come `at_once` at a time. */
static int frame(enum framing kind, size_t max, struct str bytes, size_t at_once, struct buf *out)
{
	struct framer f;
	int r = 0;

	buf_init(out, 4096);
	framer_init(&f, kind, max);
	for (; bytes.n && !r; bytes = str_from(bytes, at_once))
		r = framer_feed(&f, str_head(bytes, at_once), join, out);
	framer_done(&f);
	return r;
}

TEST(lines_come_whole_however_they_are_cut)
{
	struct str text = STR("{\"a\":1}\r\n\n{\"b\":2}\nrest");
	struct buf out;

	for (size_t n = 1; n <= text.n; n++) {
		CHECK_INT(frame(FRAMING_LINES, 64, text, n, &out), 0);
		CHECK_STR(buf_z(&out), "[{\"a\":1}][{\"b\":2}]");
		buf_done(&out);
	}
}

TEST(grpc_messages_have_their_length_before_them)
{
	struct str text = STR("\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\1d");
	struct buf out;

	for (size_t n = 1; n <= text.n; n++) {
		CHECK_INT(frame(FRAMING_GRPC, 64, text, n, &out), 0);
		CHECK_STR(buf_z(&out), "[abc][][d]");
		buf_done(&out);
	}
}

TEST(what_is_too_long_or_compressed_is_refused)
{
	struct buf out;

	CHECK_INT(frame(FRAMING_LINES, 4, STR("12345\n"), 1, &out), -EMSGSIZE);
	buf_done(&out);
	CHECK_INT(frame(FRAMING_GRPC, 16, STR("\0\0\1\0\0"), 5, &out), -EMSGSIZE);
	buf_done(&out);
	CHECK_INT(frame(FRAMING_GRPC, 16, STR("\1\0\0\0\1a"), 6, &out), -EPROTO);
	buf_done(&out);
}

TEST(a_reply_is_exactly_one_message)
{
	struct str m;

	CHECK_INT(grpc_unwrap(STR("\0\0\0\0\2ab"), &m), 0);
	CHECK(str_is(m, "ab"));
	CHECK_INT(grpc_unwrap(STR("\0\0\0\0\2abc"), &m), -EPROTO);
	CHECK_INT(grpc_unwrap(STR("\0\0\0\0\2a"), &m), -EPROTO);
	CHECK_INT(grpc_unwrap(STR_EMPTY, &m), -EPROTO);
}
