/* SPDX-License-Identifier: Apache-2.0 */
#include "state/fd.h"

#include <string.h>

/* Addresses, ports and pointers are written by hand: every connection's name is made here. */

enum { TEXT_MAX = 128 }; /* two IPv6 addresses with embedded IPv4, two ports, an arrow */

static const struct {
	char letter;
	const char *word;
} types[FD_TYPE_COUNT] = {
	[FD_UNKNOWN] = {'o', "<NA>"},
	[FD_FILE] = {'f', "file"},
	[FD_DIRECTORY] = {'d', "directory"},
	[FD_IPV4_SOCK] = {'4', "ipv4"},
	[FD_IPV6_SOCK] = {'6', "ipv6"},
	[FD_IPV4_SERVSOCK] = {'4', "ipv4"},
	[FD_IPV6_SERVSOCK] = {'6', "ipv6"},
	[FD_FIFO] = {'p', "pipe"},
	[FD_UNIX_SOCK] = {'u', "unix"},
	[FD_EVENT] = {'e', "event"},
	[FD_UNSUPPORTED] = {'X', "<NA>"},
	[FD_SIGNALFD] = {'s', "signalfd"},
	[FD_EVENTPOLL] = {'l', "eventpoll"},
	[FD_INOTIFY] = {'i', "inotify"},
	[FD_TIMERFD] = {'t', "timerfd"},
	[FD_NETLINK] = {'n', "netlink"},
	[FD_FILE_V2] = {'f', "file"},
	[FD_BPF] = {'b', "bpf"},
	[FD_USERFAULTFD] = {'u', "userfaultfd"},
	[FD_IOURING] = {'r', "io_uring"},
	[FD_MEMFD] = {'m', "memfd"},
	[FD_PIDFD] = {'P', "pidfd"},
};

static const struct {
	char letter;
	const char *word;
} protocols[] = {
	[L4_UNKNOWN] = {0, "<NA>"}, [L4_NA] = {0, "<NA>"},     [L4_TCP] = {'t', "tcp"},
	[L4_UDP] = {'u', "udp"},    [L4_ICMP] = {'i', "icmp"}, [L4_RAW] = {'r', "raw"},
};

char fd_type_char(enum fd_type t)
{
	return types[t < FD_TYPE_COUNT ? t : FD_UNKNOWN].letter;
}

const char *fd_type_word(enum fd_type t)
{
	return types[t < FD_TYPE_COUNT ? t : FD_UNKNOWN].word;
}

char fd_l4_char(uint8_t l4)
{
	return protocols[l4 <= L4_RAW ? l4 : L4_UNKNOWN].letter;
}

const char *fd_l4_word(uint8_t l4)
{
	return protocols[l4 <= L4_RAW ? l4 : L4_UNKNOWN].word;
}

static char *put_decimal(char *p, uint32_t v)
{
	char digits[10];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

static char *put_hex(char *p, uint64_t v)
{
	unsigned shift = v ? (63 - (unsigned)__builtin_clzll(v)) & ~3U : 0;

	for (;; shift -= 4) {
		*p++ = "0123456789abcdef"[v >> shift & 15];
		if (!shift)
			return p;
	}
}

static char *put_v4(char *p, const uint8_t *addr)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			*p++ = '.';
		p = put_decimal(p, addr[i]);
	}
	return p;
}

static uint16_t group_of(const uint8_t *addr, unsigned i)
{
	return (uint16_t)(addr[2 * i] << 8 | addr[2 * i + 1]);
}

/* The longest run of zero groups, the first of equals; one alone does not count. */
static unsigned find_zeros(const uint8_t *addr, unsigned *ret_n)
{
	unsigned best = 0, best_n = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && !group_of(addr, i + n))
			n++;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
		i += n;
	}
	*ret_n = best_n > 1 ? best_n : 0;
	return best;
}

/* As everywhere: longest run of zeros shortened, an embedded IPv4 address in its own form. */
static char *put_v6(char *p, const uint8_t *addr)
{
	unsigned n_zeros, zeros = find_zeros(addr, &n_zeros);
	bool mapped = n_zeros == 5 && !zeros && group_of(addr, 5) == 0xffff;
	bool embedded = (n_zeros == 6 && !zeros) || mapped;

	for (unsigned i = 0; i < 8; i++) {
		if (n_zeros && i == zeros) {
			*p++ = ':';
			if (zeros + n_zeros == 8)
				*p++ = ':';
			i += n_zeros - 1;
			continue;
		}
		if (i)
			*p++ = ':';
		if (i == 6 && embedded)
			return put_v4(p, addr + 12);
		p = put_hex(p, group_of(addr, i));
	}
	return p;
}

static char *put_endpoint(char *p, const uint8_t *addr, bool is_v6, bool with_port, uint16_t port)
{
	p = is_v6 ? put_v6(p, addr) : put_v4(p, addr);
	if (with_port) {
		*p++ = ':';
		p = put_decimal(p, port);
	}
	return p;
}

static size_t copy_out(char *out, size_t max, const char *text, const char *end)
{
	size_t n = (size_t)(end - text);

	if (n > max)
		n = max;
	memcpy(out, text, n);
	return n;
}

/* "::" counts too: an IPv6 socket's own end that was never bound, of an IPv4 connection. */
static bool is_mapped(const uint8_t *addr)
{
	static const uint8_t any[16], prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, prefix, sizeof(prefix)) || !memcmp(addr, any, sizeof(any));
}

size_t tuple_text(char *out, size_t max, const struct sock_tuple *t, bool is_v6, bool ports)
{
	bool mapped = is_v6 && is_mapped(t->src) && is_mapped(t->dst);
	const uint8_t *src = mapped ? t->src + 12 : t->src, *dst = mapped ? t->dst + 12 : t->dst;
	char text[TEXT_MAX], *p = text;

	is_v6 = is_v6 && !mapped;
	p = put_endpoint(p, src, is_v6, ports, t->sport);
	*p++ = '-';
	*p++ = '>';
	p = put_endpoint(p, dst, is_v6, ports, t->dport);
	return copy_out(out, max, text, p);
}

size_t endpoint_text(char *out, size_t max, const uint8_t addr[16], uint16_t port, bool is_v6)
{
	char text[TEXT_MAX];

	return copy_out(out, max, text, put_endpoint(text, addr, is_v6, true, port));
}

size_t unix_text(char *out, size_t max, uint64_t src, uint64_t dst, struct str path)
{
	char text[TEXT_MAX], *p = put_hex(text, src);
	size_t n;

	*p++ = '-';
	*p++ = '>';
	p = put_hex(p, dst);
	*p++ = ' ';
	n = copy_out(out, max, text, p);
	return n + copy_out(out + n, max - n, path.p, path.p + path.n);
}
