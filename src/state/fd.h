/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File descriptors: entries, and the tables that hold them.
 *
 * A table is made of pages of 64 descriptors, counted and copied on write: a fork costs
 * references.  Entries are counted too, and copied when a shared one changes.
 */
#pragma once

#include "state/state.h"

enum {
	FDF_FROM_SCAN = 1 << 0,
	FDF_ROLE_CLIENT = 1 << 1,
	FDF_ROLE_SERVER = 1 << 2,
	FDF_CONNECTED = 1 << 3,
	FDF_UPPER_LAYER = 1 << 4,
	FDF_LOWER_LAYER = 1 << 5,
	FDF_HAS_EXTRA = 1 << 6, /* private to state/: extra.h */
};

struct fd {
	uint32_t refs;	     /* private to state/ */
	uint8_t type;	     /* enum fd_type */
	uint8_t flags;	     /* FDF_* */
	bool stale_name;     /* private to state/: name is yet to be made of the two ends */
	uint32_t open_flags; /* portable */
	uint32_t dev;
	uint64_t ino;
	int64_t pid;	       /* pidfd's target */
	struct istr *name;     /* full path, tuple text or link text; NULL is "" */
	struct istr *name_raw; /* as the process gave it; NULL when not from a path */
	struct istr *place;    /* where the file is: place.h; NULL unknown */
	union {
		struct sock_tuple tuple; /* IPv4, IPv6; a server socket's own end is dst */
		struct {
			uint64_t src, dst; /* kernel addresses of the two ends */
			struct istr *path; /* private to state/ */
		} unix_sock;
	};
};

/* Descriptor num in the table that t's process uses now; NULL when unknown. */
struct fd *fd_find(const struct state *s, const struct thread *t, int64_t num);
/* How many descriptors that table holds. */
size_t fd_count(const struct state *s, const struct thread *t);
/* Call fn for each in ascending order until it returns false. */
void fd_each(const struct state *s, const struct thread *t,
	     bool (*fn)(int64_t num, struct fd *fd, void *arg), void *arg);
/*
 * The same in the order that listings have where rules come from: the latest first, more or
 * less, but back to front in a forked process and at certain sizes.
 */
void fd_each_listed(const struct state *s, const struct thread *t,
		    bool (*fn)(int64_t num, struct fd *fd, void *arg), void *arg);

/* 'f' for files ... and "file" ...: the tables of fields.md.  l4: 't' 'u' 'i' 'r' or 0. */
char fd_type_char(enum fd_type t);
const char *fd_type_word(enum fd_type t); /* "<NA>" for unknown ones */
char fd_l4_char(uint8_t l4);
const char *fd_l4_word(uint8_t l4);

static inline bool fd_is_ip(const struct fd *f)
{
	return f->type >= FD_IPV4_SOCK && f->type <= FD_IPV6_SERVSOCK;
}

static inline bool fd_is_server_sock(const struct fd *f)
{
	return f->type == FD_IPV4_SERVSOCK || f->type == FD_IPV6_SERVSOCK;
}

static inline bool fd_is_v6(const struct fd *f)
{
	return f->type == FD_IPV6_SOCK || f->type == FD_IPV6_SERVSOCK;
}

/*
 * base and path joined and normalised: "//" and "." dropped, ".." folded; an absolute path
 * wins; an empty one gives "".  Writes at most 1024 bytes with a NUL into out and returns it;
 * when the two together are longer than 1024, the text "/DIR_TOO_LONG/FILENAME_TOO_LONG".
 * base itself is normal already; whether it ends in '/' does not matter.
 */
struct str path_join(char out[1025], struct str base, struct str path);
/* Whether no "//" and no "/." is in it, as in nearly every path. */
bool path_is_plain(struct str path);

/* "1.2.3.4:80->5.6.7.8:90"; v4-mapped pairs print as IPv4.  Returns the length written. */
size_t tuple_text(char *out, size_t max, const struct sock_tuple *t, bool is_v6, bool ports);
/* "1.2.3.4:80" or ":::80". */
size_t endpoint_text(char *out, size_t max, const uint8_t addr[16], uint16_t port, bool is_v6);
/* "ffff88001->ffff88002 /run/x.sock"; the blank stays without a path. */
size_t unix_text(char *out, size_t max, uint64_t src, uint64_t dst, struct str path);
