/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/live/want.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define ONE(event, number, ...)                                                                    \
	r = result(syscall(number, __VA_ARGS__)), want(event), p64((uint64_t)r)

static struct sockaddr_in bound_to(int fd)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	getsockname(fd, (struct sockaddr *)&a, &n);
	return a;
}

static size_t put_in(uint8_t *out, const struct sockaddr_in *a)
{
	memcpy(out, &a->sin_addr, 4);
	memcpy(out + 4, &(uint16_t){ntohs(a->sin_port)}, 2);
	return 6;
}

void paddress(const struct sockaddr_in *a)
{
	uint8_t out[7] = {AF_INET};

	put_in(out + 1, a);
	pbytes(out, 7);
}

void ptuple(const struct sockaddr_in *from, const struct sockaddr_in *to)
{
	uint8_t out[13] = {AF_INET};

	put_in(out + 1, from);
	put_in(out + 7, to);
	pbytes(out, 13);
}

static void tcp(void)
{
	struct sockaddr_in any = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}}, server, client;
	struct sockaddr_in nobody = {AF_INET, htons(1), {htonl(INADDR_LOOPBACK)}, {0}};
	int one = 1, listening, fd, peer;
	char b[16];
	long r;

	ONE(EV_SOCKET_SOCKET_X, SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	p32(2), p32(SOCK_STREAM | SOCK_CLOEXEC), p32(0), p32(0x1000);
	listening = (int)r;
	ONE(EV_SOCKET_SETSOCKOPT_X, SYS_setsockopt, listening, SOL_SOCKET, SO_REUSEADDR, &one, 4);
	p64(listening), p8(1), p8(2), pbytes("\2\1\0\0\0", 5), p32(4);
	ONE(EV_SOCKET_BIND_X, SYS_bind, listening, &any, sizeof(any));
	paddress(&any), p64(listening);
	server = bound_to(listening);
	ONE(EV_SOCKET_LISTEN_X, SYS_listen, listening, 5), p64(listening), p32(5);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	r = result(syscall(SYS_connect, fd, &server, sizeof(server)));
	client = bound_to(fd);
	want(EV_SOCKET_CONNECT_X);
	p64(r), ptuple(&client, &server), p64(fd), paddress(&server);
	ONE(EV_SOCKET_ACCEPT4_6_X, SYS_accept4, listening, NULL, NULL, SOCK_CLOEXEC);
	peer = (int)r;
	ptuple(&client, &server), p8(0), p32(0), p32(5), p32(0x1000);
	ONE(EV_SOCKET_SENDTO_X, SYS_sendto, fd, "ping", 4, 0, NULL, 0);
	pbytes("ping", 4), p64(fd), p32(4), ptuple(&client, &server);
	ONE(EV_SOCKET_RECVFROM_X, SYS_recvfrom, peer, b, sizeof(b), 0, NULL, NULL);
	pbytes("ping", 4), ptuple(&client, &server), p64(peer), p32(16);
	ONE(EV_SOCKET_SHUTDOWN_X, SYS_shutdown, fd, SHUT_WR), p64(fd), p8(1);
	ONE(EV_SOCKET_GETSOCKOPT_X, SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &one,
	    &(socklen_t){4});
	p64(fd), p8(1), p8(4), pbytes("\1\0\0\0\0\0\0\0\0", 9), p32(4);
	ONE(EV_SOCKET_SETSOCKOPT_X, SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO,
	    &(struct timeval){2, 5}, sizeof(struct timeval));
	p64(fd), p8(1), p8(20), pbytes("\4\x88\xa7\x35\x77\0\0\0\0", 9), p32(16);
	close(peer), close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	syscall(SYS_connect, fd, &server, sizeof(server));
	client = bound_to(fd);
	ONE(EV_SOCKET_ACCEPT_5_X, SYS_accept, listening, NULL, NULL);
	ptuple(&client, &server), p8(0), p32(0), p32(5);
	close((int)r), close(fd), close(listening);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ONE(EV_SOCKET_CONNECT_X, SYS_connect, fd, &nobody, sizeof(nobody));
	pempty(), p64(fd), paddress(&nobody);
	ONE(EV_SOCKET_ACCEPT_5_X, SYS_accept, fd, NULL, NULL);
	pempty(), p8(0), p32(0), p32(0);
	close(fd);
}

/* Two more than are looked at, from a socket to itself: live.c finds them counted. */
static void send_many(void)
{
	struct sockaddr_in any = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}}, here;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct iovec v = {"x", 1};
	struct mmsghdr six[6];

	bind(fd, (struct sockaddr *)&any, sizeof(any));
	here = bound_to(fd);
	for (int i = 0; i < 6; i++)
		six[i].msg_hdr = (struct msghdr){.msg_name = &here,
						 .msg_namelen = sizeof(here),
						 .msg_iov = &v,
						 .msg_iovlen = 1};
	syscall(SYS_sendmmsg, fd, six, 6, 0);
	close(fd);
}

static void udp(void)
{
	struct sockaddr_in any = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}}, here, there;
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in from = {0};
	struct iovec v[2] = {{"me", 2}, {"ssage", 5}}, in = {(char[32]){0}, 32};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	struct mmsghdr mm[2];
	long r;

	bind(a, (struct sockaddr *)&any, sizeof(any));
	bind(b, (struct sockaddr *)&any, sizeof(any));
	here = bound_to(a), there = bound_to(b);
	ONE(EV_SOCKET_SENDTO_X, SYS_sendto, a, "dgram", 5, 0, &there, sizeof(there));
	pbytes("dgram", 5), p64(a), p32(5), ptuple(&here, &there);
	r = result(syscall(SYS_recvfrom, b, in.iov_base, 32, 0, &from, &(socklen_t){sizeof(from)}));
	want(EV_SOCKET_RECVFROM_X);
	p64(r), pbytes("dgram", 5), ptuple(&here, &there), p64(b), p32(32);
	m.msg_name = &there, m.msg_namelen = sizeof(there);
	ONE(EV_SOCKET_SENDMSG_X, SYS_sendmsg, a, &m, 0);
	pbytes("message", 7), p64(a), p32(7), ptuple(&here, &there);
	mm[0].msg_hdr = mm[1].msg_hdr = m;
	r = result(syscall(SYS_sendmmsg, a, mm, 2, 0));
	for (int i = 0; i < 2; i++) {
		want(EV_SOCKET_SENDMMSG_X);
		p64(7), p64(a), p32(7), pbytes("message", 7), ptuple(&here, &there);
	}
	send_many();
	m = (struct msghdr){
		.msg_iov = &in, .msg_iovlen = 1, .msg_name = &from, .msg_namelen = sizeof(from)};
	ONE(EV_SOCKET_RECVMSG_X, SYS_recvmsg, b, &m, 0);
	p32(7), pbytes("message", 7), ptuple(&here, &there), pempty(), p64(b);
	m.msg_namelen = sizeof(from);
	mm[0].msg_hdr = mm[1].msg_hdr = m;
	syscall(SYS_recvmmsg, b, mm, 2, MSG_DONTWAIT, NULL);
	want(EV_SOCKET_RECVMMSG_X);
	p64(7), p64(b), p32(7), pbytes("message", 7), ptuple(&here, &there), pempty();
	ONE(EV_SOCKET_RECVMSG_X, SYS_recvmsg, b, &m, MSG_DONTWAIT);
	p32(0), pempty(), pempty(), pempty(), p64(b);
	close(a), close(b);
}

static void unix_ends(void)
{
	struct sockaddr_un a = {AF_UNIX, "s.sock"};
	uint8_t named[] = "\1s.sock", outbound[17 + 7];
	int server = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int pair[2];
	long r;

	ONE(EV_SOCKET_BIND_X, SYS_bind, server, &a, sizeof(a));
	pbytes(named, sizeof(named)), p64(server);
	listen(server, 3);
	r = result(syscall(SYS_connect, fd, &a, sizeof(a)));
	want(EV_SOCKET_CONNECT_X);
	p64(r), pany(sizeof(outbound)), p64(fd), pbytes(named, sizeof(named));
	a = (struct sockaddr_un){AF_UNIX, "\0hidden"};
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ONE(EV_SOCKET_CONNECT_X, SYS_connect, fd, &a, 2 + 7);
	pempty(), p64(fd), pbytes("\1hidden", 8);
	ONE(EV_SOCKET_SOCKETPAIR_X, SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair);
	p64(pair[0]), p64(pair[1]), prange(1, UINT64_MAX, 8), prange(1, UINT64_MAX, 8);
	p32(1), p32(SOCK_DGRAM), p32(0);
	close(fd), close(server), close(pair[0]), close(pair[1]);
}

static void ipv6(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in6 s, c;
	int server = socket(AF_INET6, SOCK_STREAM, 0), fd = socket(AF_INET6, SOCK_STREAM, 0);
	uint8_t tuple[37] = {AF_INET6}, address[19] = {AF_INET6};
	long r;

	if (bind(server, (struct sockaddr *)&any, sizeof(any)) < 0)
		return;
	listen(server, 1);
	getsockname(server, (struct sockaddr *)&s, &(socklen_t){sizeof(s)});
	r = result(syscall(SYS_connect, fd, &s, sizeof(s)));
	getsockname(fd, (struct sockaddr *)&c, &(socklen_t){sizeof(c)});
	memcpy(tuple + 1, &c.sin6_addr, 16);
	memcpy(tuple + 17, &(uint16_t){ntohs(c.sin6_port)}, 2);
	memcpy(tuple + 19, &s.sin6_addr, 16);
	memcpy(tuple + 35, &(uint16_t){ntohs(s.sin6_port)}, 2);
	memcpy(address + 1, tuple + 19, 18);
	want(EV_SOCKET_CONNECT_X);
	p64((uint64_t)r), pbytes(tuple, 37), p64(fd), pbytes(address, 19);
	close(fd), close(server);
}

void cases_socket(void)
{
	long r;

	tcp();
	udp();
	unix_ends();
	ipv6();
	r = syscall(SYS_getsockname, -1, NULL, NULL), want(EV_SOCKET_GETSOCKNAME_X);
	r = syscall(SYS_getpeername, -1, NULL, NULL), want(EV_SOCKET_GETPEERNAME_X);
	(void)r;
}
