/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of /proc and /etc.  The first byte says which parser reads the rest. */
#include "capture/procfs.h"
#include "capture/sockets.h"
#include "capture/users.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_within(struct str s, struct str in)
{
	return !s.n || (s.p >= in.p && s.p + s.n <= in.p + in.n);
}

static void fuzz_status(struct str text)
{
	struct proc_status s;

	if (proc_status_parse(text, &s) && (s.pid <= 0 || !is_within(s.groups, text)))
		abort();
}

static void fuzz_stat(struct str text)
{
	struct proc_stat s;

	if (proc_stat_parse(text, &s) && !is_within(s.comm, text))
		abort();
}

static void fuzz_cgroup(struct str text)
{
	struct cgroup_line l;
	struct str line;

	while (text_line(&text, &line))
		if (cgroup_line_parse(line, &l) &&
		    (!is_within(l.path, line) || !is_within(l.controllers, line)))
			abort();
}

static void fuzz_mountinfo(struct str text)
{
	struct mountinfo_line m;
	struct str line, value;
	char out[64];

	while (text_line(&text, &line)) {
		if (!mountinfo_line_parse(line, &m))
			continue;
		if (option_find(m.super_options, STR("upperdir="), &value) &&
		    !is_within(value, line))
			abort();
		if (text_unescape(m.point, out, sizeof(out)) > sizeof(out))
			abort();
	}
}

static void fuzz_fdinfo(struct str text)
{
	struct proc_fdinfo i;
	uint64_t v;

	proc_fdinfo_parse(text, &i);
	open_flags_portable(i.flags);
	proc_limits_parse(text, &v);
	bracket_parse(text, STR("socket:["), &v);
}

static void fuzz_sockets(struct str text)
{
	enum socket_table t = text.n ? (unsigned char)text.p[0] % SOCKETS_COUNT : SOCKETS_TCP;
	struct sockets s;
	struct snap_fd fd;
	struct str line;

	sockets_init(&s, 16);
	text = str_from(text, 1);
	while (text_line(&text, &line))
		sockets_add_line(&s, t, line);
	for (uint64_t ino = 0; ino < 100; ino++)
		if (sockets_find(&s, ino, &fd) && fd.type >= FD_TYPE_COUNT)
			abort();
	sockets_done(&s);
}

static void fuzz_users(struct str text)
{
	struct snap_user u;
	struct snap_group g;
	struct str line;

	while (text_line(&text, &line)) {
		if (user_parse(line, &u) && !is_within(u.shell, line))
			abort();
		if (group_parse(line, &g) && !is_within(g.name, line))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const parsers[])(struct str text) = {
		fuzz_status, fuzz_stat,	   fuzz_cgroup, fuzz_mountinfo,
		fuzz_fdinfo, fuzz_sockets, fuzz_users,
	};
	enum { N_PARSERS = sizeof(parsers) / sizeof(*parsers) };

	if (n)
		parsers[data[0] % N_PARSERS]((struct str){(const char *)data + 1, n - 1});
	return 0;
}
