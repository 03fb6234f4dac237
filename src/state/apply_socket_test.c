/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

#include <sys/socket.h>

/* Packed addresses and tuples, as records have them; ports little-endian. */
#define V4(a, b, c, d, port) "\x02" a b c d port
#define P80 "\x50\x00"
#define P9000 "\x28\x23"
#define BYTES(literal)                                                                             \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

#define CLIENT_TO_SERVER "\x02\x0a\x00\x00\x01" P9000 "\x0a\x00\x00\x02" P80
#define SERVER_TO_CLIENT "\x02\x0a\x00\x00\x02" P80 "\x0a\x00\x00\x01" P9000
#define ZERO4 "\0\0\0\0"
#define MAPPED ZERO4 ZERO4 "\0\0\xff\xff"

static void make_socket(struct feed *f, int64_t num, uint32_t domain, uint32_t type)
{
	EVENT_OF(f, EV_SOCKET_SOCKET_X, 100, I64(num), U32(domain), U32(type), U32(0), U32(0));
}

TEST(a_socket_knows_its_protocol_from_type_and_number)
{
	static const struct {
		uint32_t type, protocol;
		uint8_t l4;
	} rows[] = {
		{SOCK_STREAM | SOCK_CLOEXEC, 0, L4_TCP},
		{SOCK_DGRAM, 0, L4_UDP},
		{SOCK_STREAM, 6, L4_TCP},
		{SOCK_DGRAM, 17, L4_UDP},
		{SOCK_DGRAM, 1, L4_ICMP},
		{SOCK_RAW, 1, L4_RAW},
		{SOCK_RAW | SOCK_CLOEXEC, 1, L4_ICMP},
		{SOCK_RAW, 255, L4_RAW},
		{SOCK_STREAM, 132, L4_UNKNOWN},
	};
	struct feed *f = feed_family();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVENT_OF(f, EV_SOCKET_SOCKET_X, 100, I64(3), U32(2), U32(rows[i].type),
			 U32(rows[i].protocol), U32(0));
		CHECK_INT(f->m.fd->type, FD_IPV4_SOCK);
		CHECK_INT(f->m.fd->tuple.l4, rows[i].l4);
		CHECK(!f->m.fd_name_changed);
	}
	make_socket(f, 3, 1, SOCK_STREAM);
	CHECK_INT(f->m.fd->type, FD_UNIX_SOCK);
	make_socket(f, 3, 16, SOCK_RAW);
	CHECK_INT(f->m.fd->type, FD_NETLINK);
	make_socket(f, 3, 17, SOCK_RAW);
	CHECK_INT(f->m.fd->type, FD_UNKNOWN);
	feed_free(f);
}

TEST(a_connect_makes_a_client)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 2, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(0), BYTES(CLIENT_TO_SERVER), I64(3),
		 BYTES(V4("\x0a", "\x00", "\x00", "\x02", P80)));
	CHECK_STR(fd_name(f, 100, 3), "10.0.0.1:9000->10.0.0.2:80");
	CHECK(f->m.fd_name_changed);
	CHECK(f->m.fd->flags & FDF_ROLE_CLIENT);
	CHECK(f->m.fd->flags & FDF_CONNECTED);
	feed_free(f);
}

TEST(a_connect_in_progress_counts_and_a_failed_one_does_not)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 2, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(-111), BYTES(CLIENT_TO_SERVER), I64(3));
	CHECK_STR(fd_name(f, 100, 3), "");
	CHECK(!(f->m.fd->flags & FDF_CONNECTED));
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(-115), BYTES(CLIENT_TO_SERVER), I64(3));
	CHECK_STR(fd_name(f, 100, 3), "10.0.0.1:9000->10.0.0.2:80");
	feed_free(f);
}

TEST(a_connect_goes_where_it_was_told_at_first)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 2, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_CONNECT_E, 100, I64(3),
		 BYTES(V4("\x06", "\x06", "\x06", "\x06", P80)));
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(0), BYTES(CLIENT_TO_SERVER), I64(3));
	CHECK_STR(fd_name(f, 100, 3), "10.0.0.1:9000->6.6.6.6:80");
	make_socket(f, 4, 2, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_CONNECT_E, 100, I64(4),
		 BYTES(V4("\x06", "\x06", "\x06", "\x06", P80)));
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(-115), NONE, I64(4));
	CHECK_STR(fd_name(f, 100, 4), "0.0.0.0:0->6.6.6.6:80");
	feed_free(f);
}

TEST(a_bound_port_makes_a_server)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 2, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_BIND_X, 100, I64(0),
		 BYTES(V4("\x7f", "\x00", "\x00", "\x01", "\0\0")), I64(3));
	CHECK_INT(f->m.fd->type, FD_IPV4_SOCK);
	CHECK_STR(fd_name(f, 100, 3), "127.0.0.1:0");
	EVENT_OF(f, EV_SOCKET_BIND_X, 100, I64(0), BYTES(V4("\x7f", "\x00", "\x00", "\x01", P80)),
		 I64(3));
	CHECK_INT(f->m.fd->type, FD_IPV4_SERVSOCK);
	CHECK(f->m.fd->flags & FDF_ROLE_SERVER);
	CHECK_INT(f->m.fd->tuple.dport, 80);
	CHECK_INT(f->m.fd->tuple.l4, L4_TCP);
	CHECK_STR(fd_name(f, 100, 3), "127.0.0.1:80");
	EVENT_OF(f, EV_SYSCALL_READ_X, 100, I64(1), NONE, I64(3), U32(1));
	CHECK(!(f->m.fd->flags & FDF_CONNECTED));
	feed_free(f);
}

TEST(a_socket_for_both_families_counts_as_ipv4_but_is_named_as_given)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 10, SOCK_DGRAM);
	EVENT_OF(f, EV_SOCKET_BIND_X, 100, I64(0), BYTES("\x0a" ZERO4 ZERO4 ZERO4 ZERO4 P80),
		 I64(3));
	CHECK_INT(f->m.fd->type, FD_IPV4_SERVSOCK);
	CHECK_STR(fd_name(f, 100, 3), ":::80");
	feed_free(f);
}

TEST(a_unix_socket_is_named_by_path_then_by_its_ends)
{
	static const char there[] = "\x01\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0/run/s";
	static const char back[] = "\x01\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0";
	struct feed *f = feed_family();

	make_socket(f, 3, 1, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_BIND_X, 100, I64(0), TEXT("\x01/run/s"), I64(3));
	CHECK_STR(fd_name(f, 100, 3), "/run/s");
	CHECK(!(f->m.fd->flags & (FDF_ROLE_SERVER | FDF_ROLE_CLIENT)));
	make_socket(f, 4, 1, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(0), TEXT(there), I64(4));
	CHECK_STR(fd_name(f, 100, 4), "1->2 /run/s");
	EVENT_OF(f, EV_SOCKET_RECVFROM_X, 100, I64(1), NONE, TEXT(back), I64(4), U32(1));
	CHECK_STR(fd_name(f, 100, 4), "2->1 ");
	CHECK(f->m.fd_name_changed);
	feed_free(f);
}

TEST(an_accepted_connection_is_a_server)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SOCKET_ACCEPT4_6_X, 100, I64(4), BYTES(CLIENT_TO_SERVER), U8(0), U32(0),
		 U32(5), U32(PPM_O_CLOEXEC));
	CHECK_STR(fd_name(f, 100, 4), "10.0.0.1:9000->10.0.0.2:80");
	CHECK(f->m.fd->flags & FDF_ROLE_SERVER && f->m.fd->flags & FDF_CONNECTED);
	CHECK(f->m.fd_name_changed);
	EVENT_OF(f, EV_SOCKET_SENDTO_X, 100, I64(1), NONE, I64(4), U32(1), BYTES(SERVER_TO_CLIENT));
	CHECK_STR(fd_name(f, 100, 4), "10.0.0.1:9000->10.0.0.2:80");
	EVENT_OF(f, EV_SOCKET_ACCEPT4_6_X, 100, I64(-11), NONE);
	CHECK(!f->m.fd);
	feed_exec(f, 100, 100, "ls");
	CHECK_STR(fd_name(f, 100, 4), "(unknown)");
	feed_free(f);
}

TEST(a_datagrams_source_is_always_the_client)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 2, SOCK_DGRAM);
	EVENT_OF(f, EV_SOCKET_SENDTO_X, 100, I64(1), NONE, I64(3), U32(1), BYTES(CLIENT_TO_SERVER));
	CHECK_STR(fd_name(f, 100, 3), "10.0.0.1:9000->10.0.0.2:80");
	CHECK(f->m.fd->flags & FDF_ROLE_CLIENT);
	EVENT_OF(f, EV_SOCKET_RECVFROM_X, 100, I64(1), NONE, BYTES(SERVER_TO_CLIENT), I64(3),
		 U32(1));
	CHECK_STR(fd_name(f, 100, 3), "10.0.0.1:9000->10.0.0.2:80");
	CHECK(!f->m.fd_name_changed);
	make_socket(f, 4, 2, SOCK_DGRAM);
	EVENT_OF(f, EV_SOCKET_RECVMSG_X, 100, I64(1), U32(1), NONE, BYTES(CLIENT_TO_SERVER), NONE,
		 I64(4));
	CHECK_STR(fd_name(f, 100, 4), "10.0.0.1:9000->10.0.0.2:80");
	CHECK(f->m.fd->flags & FDF_ROLE_SERVER);
	feed_free(f);
}

TEST(data_on_an_unknown_descriptor_tells_of_a_datagram_socket)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SOCKET_SENDTO_X, 100, I64(1), NONE, I64(9), U32(1), BYTES(CLIENT_TO_SERVER));
	CHECK_STR(fd_name(f, 100, 9), "10.0.0.1:9000->10.0.0.2:80");
	CHECK_INT(f->m.fd->tuple.l4, L4_UDP);
	EVENT_OF(f, EV_SOCKET_SENDTO_X, 100, I64(1), NONE, I64(10), U32(1), NONE);
	CHECK(!f->m.fd);
	feed_free(f);
}

TEST(mapped_addresses_are_ipv4)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 10, SOCK_STREAM);
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(0),
		 BYTES("\x0a" MAPPED "\x0a\x00\x00\x01" P9000 MAPPED "\x0a\x00\x00\x02" P80),
		 I64(3));
	CHECK_INT(f->m.fd->type, FD_IPV4_SOCK);
	CHECK_STR(fd_name(f, 100, 3), "10.0.0.1:9000->10.0.0.2:80");
	feed_free(f);
}

TEST(an_end_without_an_address_gets_an_interfaces)
{
	struct snap_interface eth = {
		.addr = {10, 0, 0, 9}, .netmask = {255, 255, 255, 0}, .name = STR("eth0")};
	struct record r = {.kind = RECORD_INTERFACE, .interface = &eth};
	struct feed *f = feed_family();

	state_apply(f->s, &r, &f->m);
	make_socket(f, 3, 2, SOCK_DGRAM);
	EVENT_OF(f, EV_SOCKET_SENDTO_X, 100, I64(1), NONE, I64(3), U32(1),
		 BYTES("\x02" ZERO4 P9000 "\x0a\x00\x00\x02" P80));
	CHECK_STR(fd_name(f, 100, 3), "10.0.0.9:9000->10.0.0.2:80");
	feed_free(f);
}

TEST(a_socketpair_is_two_entries_and_the_events_number_is_the_second)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SOCKET_SOCKETPAIR_X, 100, I64(0), I64(5), I64(6), U64(0xa), U64(0xb), U32(1),
		 U32(1), U32(0));
	CHECK_INT(f->m.fd_num, 6);
	CHECK(f->m.fd == fd_find(f->s, who(f, 100), 5));
	CHECK_STR(fd_name(f, 100, 5), "");
	CHECK_INT(fd_find(f->s, who(f, 100), 6)->unix_sock.src, 0xa);
	feed_free(f);
}

TEST(a_change_of_a_shared_socket_stays_with_who_made_it)
{
	struct feed *f = feed_family();

	make_socket(f, 3, 2, SOCK_STREAM);
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	EVENT_OF(f, EV_SOCKET_CONNECT_X, 101, I64(0), BYTES(CLIENT_TO_SERVER), I64(3));
	CHECK_STR(fd_name(f, 101, 3), "10.0.0.1:9000->10.0.0.2:80");
	CHECK_STR(fd_name(f, 100, 3), "");
	feed_free(f);
}

TEST(misshapen_addresses_are_passed_over)
{
	static const char *const bad[] = {"\x02", "\x02\x01\x02", "\x0a\x01",
					  "\x01", "\x63xyz",	  ""};
	struct feed *f = feed_family();

	make_socket(f, 3, 2, SOCK_DGRAM);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct event_arg p = {bad[i], (uint32_t)strlen(bad[i])};

		EVENT_OF(f, EV_SOCKET_SENDTO_X, 100, I64(1), NONE, I64(3), U32(1), p);
		EVENT_OF(f, EV_SOCKET_ACCEPT4_6_X, 100, I64(8), p, U8(0), U32(0), U32(5), U32(0));
		EVENT_OF(f, EV_SOCKET_CONNECT_E, 100, I64(3), p);
		EVENT_OF(f, EV_SOCKET_CONNECT_X, 100, I64(0), p, I64(3), p);
	}
	CHECK_STR(fd_name(f, 100, 3), "");
	CHECK_STR(fd_name(f, 100, 8), "(unknown)");
	feed_free(f);
}
