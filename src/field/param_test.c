/* SPDX-License-Identifier: Apache-2.0 */
#include "field/scene.h"

/* "raw" or "raw(resolved)" of parameter i. */
static const char *shown(struct scene *s, unsigned i)
{
	struct field_ctx c = scene_ctx(s);
	static struct buf out;
	struct str raw, resolved;

	if (!out.max)
		buf_init(&out, 1 << 16);
	buf_reset(&out);
	param_text(&c, i, &raw, &resolved);
	buf_adds(&out, raw);
	if (resolved.n)
		buf_addf(&out, "(%.*s)", STR_ARG(resolved));
	return buf_z(&out);
}

TEST(flags_errors_and_directories_have_names)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_OPENAT_2_X, 20, I64(-2), I64(-100), TEXT("/etc/x"), U32(4097),
		 U32(0644), U32(0xfe00), NONE);
	CHECK_STR(shown(s, 0), "-2(ENOENT)");
	CHECK_STR(shown(s, 1), "-100(AT_FDCWD)");
	CHECK_STR(shown(s, 2), "/etc/x");
	CHECK_STR(shown(s, 3), "4097(O_RDONLY|O_CLOEXEC)");
	CHECK_STR(shown(s, 4), "0644");
	CHECK_STR(shown(s, 5), "FE00");
	CHECK_STR(shown(s, 6), "<NA>");
	scene_free(s);
}

TEST(relative_paths_are_resolved)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_OPENAT_2_X, 20, I64(-2), I64(-100), TEXT("../a/./b"), U32(1), U32(0));
	CHECK_STR(shown(s, 2), "../a/./b(/a/b)");
	EVENT_OF(s, SYSCALL_OPENAT_2_X, 20, I64(-2), I64(5), TEXT("passwd"), U32(1), U32(0));
	CHECK_STR(shown(s, 1), "5(<d>/etc)");
	CHECK_STR(shown(s, 2), "passwd(/etc/passwd)");
	scene_free(s);
}

TEST(descriptors_show_their_type_and_name)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_READ_X, 20, I64(2), {"a\n", 2}, I64(0), U32(4096));
	CHECK_STR(shown(s, 0), "2");
	CHECK_STR(shown(s, 1), "a.");
	CHECK_STR(shown(s, 2), "0(<f>/dev/pts/1)");
	EVENT_OF(s, SYSCALL_READ_X, 20, I64(-9), NONE, I64(99), U32(4096));
	CHECK_STR(shown(s, 0), "-9(EBADF)");
	CHECK_STR(shown(s, 1), "NULL");
	CHECK_STR(shown(s, 2), "99");
	scene_free(s);
}

TEST(every_flag_value_equal_to_an_enum_is_named)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SOCKET_SOCKET_X, 20, I64(-97), U32(1), U32(1), U32(0), U32(0));
	CHECK_STR(shown(s, 1), "1(AF_LOCAL|AF_UNIX)");
	EVENT_OF(s, SOCKET_SOCKET_X, 20, I64(-97), U32(1234), U32(1), U32(0), U32(0));
	CHECK_STR(shown(s, 1), "1234");
	scene_free(s);
}

TEST(modes_are_octal_and_named_bit_by_bit)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_CHMOD_X, 20, I64(0), TEXT("/tmp/x"), U32(04711));
	CHECK_STR(shown(s, 2), "04711(S_IXOTH|S_IXGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID)");
	scene_free(s);
}

TEST(addresses_are_checked_before_they_are_read)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), {"\x02\x7f\0\0\1\x50\0", 7}, I64(99));
	CHECK_STR(shown(s, 1), "127.0.0.1:80");
	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), {"\x02\x7f\0", 3}, I64(99));
	CHECK_STR(shown(s, 1), "INVALID IPv4");
	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), {"\x0a\x7f\0", 3}, I64(99));
	CHECK_STR(shown(s, 1), "INVALID IPv6");
	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), {"\x01/tmp/s", 8}, I64(99));
	CHECK_STR(shown(s, 1), "/tmp/s");
	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), {"\x01/tmp/s", 7}, I64(99));
	CHECK_STR(shown(s, 1), "INVALID PATH");
	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), {"\x01", 1}, I64(99));
	CHECK_STR(shown(s, 1), "INVALID PATH");
	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), {"\x11", 1}, I64(99));
	CHECK_STR(shown(s, 1), "family 17");
	EVENT_OF(s, SOCKET_BIND_X, 20, I64(-9), NONE, I64(99));
	CHECK_STR(shown(s, 1), "<NA>");
	scene_free(s);
}

TEST(poll_lists_show_type_and_flags)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_POLL_X, 20, I64(1),
		 {"\2\0\0\0\0\0\0\0\0\0\1\0\x63\0\0\0\0\0\0\0\x41\0", 22}, I64(-1));
	CHECK_STR(shown(s, 1), "0:f1 99:?41");
	/* It says that there are nine, and has none. */
	EVENT_OF(s, SYSCALL_POLL_X, 20, I64(1), {"\x09\0", 2}, I64(-1));
	CHECK_STR(shown(s, 1), "");
	scene_free(s);
}

TEST(dynamic_values_say_what_they_are)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SOCKET_SETSOCKOPT_X, 20, I64(0), I64(99), U8(1), U8(0),
		 {"\4\0\x58\x47\xf8\x0d\0\0\0", 9}, U32(16));
	CHECK_STR(shown(s, 4), "60000000000(60s)");
	EVENT_OF(s, SOCKET_SETSOCKOPT_X, 20, I64(0), I64(99), U8(1), U8(0), {"\2\1\0\0\0", 5},
		 U32(4));
	CHECK_STR(shown(s, 4), "1");
	EVENT_OF(s, SOCKET_SETSOCKOPT_X, 20, I64(0), I64(99), U8(1), U8(0), {"\0<\0", 3}, U32(4));
	CHECK_STR(shown(s, 4), "<.");
	/* No such type in the table. */
	EVENT_OF(s, SOCKET_SETSOCKOPT_X, 20, I64(0), I64(99), U8(1), U8(0), {"\xff<\0", 3}, U32(4));
	CHECK_STR(shown(s, 4), "");
	scene_free(s);
}

TEST(ids_signals_and_times_have_names)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_SETUID_X, 20, I64(-1), U32(0));
	CHECK_STR(shown(s, 1), "0(root)");
	EVENT_OF(s, SYSCALL_SETUID_X, 20, I64(-1), U32(4242));
	CHECK_STR(shown(s, 1), "4242(<NA>)");
	EVENT_OF(s, SYSCALL_SETUID_X, 20, I64(-1), U32(UINT32_MAX));
	CHECK_STR(shown(s, 1), "-1(<NONE>)");
	EVENT_OF(s, SYSCALL_KILL_X, 20, I64(0), I64(10), U8(9));
	CHECK_STR(shown(s, 1), "10(sshd)");
	CHECK_STR(shown(s, 2), "9(SIGKILL)");
	EVENT_OF(s, SYSCALL_NANOSLEEP_X, 20, I64(0), U64(20000));
	CHECK_STR(shown(s, 1), "20000(2e-05s)");
	EVENT_OF(s, SYSCALL_NANOSLEEP_X, 20, I64(0), U64(UINT64_MAX));
	CHECK_STR(shown(s, 1), "none");
	scene_free(s);
}

TEST(buffers_follow_the_configured_format)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_READ_X, 20, I64(4), {"ab\1\xff", 4}, I64(0), U32(4096));
	CHECK_STR(shown(s, 1), "ab..");
	field_config.buffer_format = BUFFER_BASE64;
	CHECK_STR(shown(s, 1), "YWIB/w==");
	field_config.buffer_format = BUFFER_HEX;
	CHECK_STR(shown(s, 1), "61 62 01 ff");
	field_config.buffer_format = BUFFER_TEXT;
	scene_free(s);
}
