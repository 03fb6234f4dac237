/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "state/fd.h"

#include <arpa/inet.h>
#include <stdio.h>

static const char *tuple(const char *src, uint16_t sport, const char *dst, uint16_t dport,
			 bool ports)
{
	static char text[129];
	struct sock_tuple t = {.sport = sport, .dport = dport};
	bool is_v6 = strchr(src, ':');

	inet_pton(is_v6 ? AF_INET6 : AF_INET, src, t.src);
	inet_pton(is_v6 ? AF_INET6 : AF_INET, dst, t.dst);
	text[tuple_text(text, 128, &t, is_v6, ports)] = '\0';
	return text;
}

static const char *endpoint(const char *addr, uint16_t port)
{
	static char text[129];
	uint8_t bytes[16];
	bool is_v6 = strchr(addr, ':');

	inet_pton(is_v6 ? AF_INET6 : AF_INET, addr, bytes);
	text[endpoint_text(text, 128, bytes, port, is_v6)] = '\0';
	return text;
}

TEST(tuples_name_both_ends)
{
	CHECK_STR(tuple("127.0.0.1", 34794, "192.168.10.255", 0, true),
		  "127.0.0.1:34794->192.168.10.255:0");
	CHECK_STR(tuple("::1", 44036, "2001:4860:4860::8888", 53, true),
		  "::1:44036->2001:4860:4860::8888:53");
	CHECK_STR(tuple("10.0.0.1", 0, "10.0.0.2", 0, false), "10.0.0.1->10.0.0.2");
}

TEST(pairs_of_mapped_addresses_are_ipv4)
{
	CHECK_STR(tuple("::ffff:1.2.3.4", 80, "::ffff:5.6.7.8", 90, true),
		  "1.2.3.4:80->5.6.7.8:90");
	CHECK_STR(tuple("::ffff:1.2.3.4", 80, "::1", 90, true), "::ffff:1.2.3.4:80->::1:90");
}

TEST(endpoints_have_no_brackets)
{
	CHECK_STR(endpoint("0.0.0.0", 65535), "0.0.0.0:65535");
	CHECK_STR(endpoint("::", 18054), ":::18054");
}

TEST(addresses_look_as_the_c_library_prints_them)
{
	static const char *const samples[] = {"::",
					      "::1",
					      "1::",
					      "1::1",
					      "::1.2.3.4",
					      "::ffff:1.2.3.4",
					      "1:0:2::3",
					      "1:0:0:2::",
					      "1::2:0:0:3",
					      "::2:0:0",
					      "fe80::1:0",
					      "::ffff:0:0",
					      "0:0:1::",
					      "::1:2:3:4:5:6",
					      "1:2:3:4:5:6:7:8",
					      "1:0:3:4:5:6:7:8",
					      "::3:4:5:6:7:8",
					      "1:2:3:4:5:6::"};

	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		uint8_t addr[16];
		char text[64], expected[80];

		inet_pton(AF_INET6, samples[i], addr);
		inet_ntop(AF_INET6, addr, text, sizeof(text));
		snprintf(expected, sizeof(expected), "%s:7", text);
		CHECK_STR(endpoint(samples[i], 7), expected);
	}
}

TEST(every_pattern_of_zero_groups_is_right)
{
	for (unsigned pattern = 0; pattern < 256; pattern++) {
		uint8_t addr[16] = {0};
		char text[64], expected[64];

		for (unsigned i = 0; i < 8; i++)
			addr[2 * i + 1] = (uint8_t)(pattern >> i & 1) * 0xab;
		inet_ntop(AF_INET6, addr, expected, sizeof(expected));
		strcat(expected, ":1");
		text[endpoint_text(text, 63, addr, 1, true)] = '\0';
		CHECK_STR(text, expected);
	}
}

TEST(unix_sockets_are_two_pointers_and_a_path)
{
	char text[64];

	text[unix_text(text, 63, 0xff32b4d8c086c400, 0, STR("/run/x"))] = '\0';
	CHECK_STR(text, "ff32b4d8c086c400->0 /run/x");
	CHECK_INT(unix_text(text, 10, 0xff32b4d8c086c400, 0, STR("/run/x")), 10);
}

TEST(texts_never_overrun)
{
	char text[8] = "#######";
	uint8_t addr[16] = {1, 2, 3, 4};

	CHECK_INT(endpoint_text(text, 4, addr, 5, false), 4);
	CHECK_STR(text, "1.2.###");
}

TEST(types_have_letters_and_words)
{
	CHECK_INT(fd_type_char(FD_FILE_V2), 'f');
	CHECK_INT(fd_type_char(FD_IPV6_SERVSOCK), '6');
	CHECK_STR(fd_type_word(FD_FIFO), "pipe");
	CHECK_STR(fd_type_word(FD_UNSUPPORTED), "<NA>");
	CHECK_STR(fd_type_word((enum fd_type)200), "<NA>");
	for (int t = 0; t < FD_TYPE_COUNT; t++)
		CHECK(fd_type_char((enum fd_type)t) && fd_type_word((enum fd_type)t));
	CHECK_INT(fd_l4_char(L4_TCP), 't');
	CHECK_INT(fd_l4_char(L4_NA), 0);
	CHECK_STR(fd_l4_word(L4_RAW), "raw");
	CHECK_STR(fd_l4_word(77), "<NA>");
}
