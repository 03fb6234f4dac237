/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include "encode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

enum { WORDS_MAX = 64, RECORD_MAX = 65536 };

/* The words of a line; key is empty in those without one. */
struct word {
	struct str key, value;
};

struct words {
	struct word list[WORDS_MAX];
	unsigned n;
};

/* Where a key of a line goes. */
struct key {
	const char *name;
	enum { KEY_STR, KEY_LIST, KEY_BOOL, KEY_U32, KEY_64 } kind;
	size_t offset;
};

#define PROC(name, kind, member)                                                                   \
	{                                                                                          \
		name, kind, offsetof(struct snap_proc, member)                                     \
	}
static const struct key proc_keys[] = {
	PROC("pid", KEY_64, pid),
	PROC("ppid", KEY_64, ptid),
	PROC("sid", KEY_64, sid),
	PROC("vpgid", KEY_64, vpgid),
	PROC("pgid", KEY_64, pgid),
	PROC("vtid", KEY_64, vtid),
	PROC("vpid", KEY_64, vpid),
	PROC("exe", KEY_STR, exe),
	PROC("exepath", KEY_STR, exepath),
	PROC("cwd", KEY_STR, cwd),
	PROC("root", KEY_STR, root),
	PROC("args", KEY_LIST, args),
	PROC("env", KEY_LIST, env),
	PROC("cgroups", KEY_LIST, cgroups),
	PROC("fdlimit", KEY_64, fdlimit),
	PROC("flags", KEY_U32, flags),
	PROC("uid", KEY_U32, uid),
	PROC("gid", KEY_U32, gid),
	PROC("loginuid", KEY_U32, loginuid),
	PROC("tty", KEY_U32, tty),
	PROC("vmsize", KEY_U32, vmsize_kb),
	PROC("vmrss", KEY_U32, vmrss_kb),
	PROC("vmswap", KEY_U32, vmswap_kb),
	PROC("pfmajor", KEY_64, pfmajor),
	PROC("pfminor", KEY_64, pfminor),
	PROC("pidns_init_start", KEY_64, pidns_init_start_ns),
	PROC("clone", KEY_64, clone_ns),
	PROC("cap_inheritable", KEY_64, cap_inheritable),
	PROC("cap_permitted", KEY_64, cap_permitted),
	PROC("cap_effective", KEY_64, cap_effective),
	PROC("exe_ino", KEY_64, exe_ino),
	PROC("exe_ino_ctime", KEY_64, exe_ino_ctime_ns),
	PROC("exe_ino_mtime", KEY_64, exe_ino_mtime_ns),
	PROC("exe_writable", KEY_BOOL, exe_writable),
	PROC("exe_upper_layer", KEY_BOOL, exe_upper_layer),
	PROC("exe_lower_layer", KEY_BOOL, exe_lower_layer),
	PROC("exe_from_memfd", KEY_BOOL, exe_from_memfd),
	{.name = NULL},
};

#define USER(name, kind, member)                                                                   \
	{                                                                                          \
		name, kind, offsetof(struct snap_user, member)                                     \
	}
static const struct key user_keys[] = {
	USER("gid", KEY_U32, gid),
	USER("home", KEY_STR, home),
	USER("shell", KEY_STR, shell),
	{.name = NULL},
};

#define FD(name, kind, member)                                                                     \
	{                                                                                          \
		name, kind, offsetof(struct snap_fd, member)                                       \
	}
static const struct key fd_keys[] = {
	FD("ino", KEY_64, ino),
	FD("dev", KEY_U32, dev),
	FD("flags", KEY_U32, open_flags),
	{.name = NULL},
};

static const struct key no_keys[] = {{.name = NULL}};

static const struct fd_kind {
	const char *name;
	uint8_t type;
} fd_kinds[] = {
	{"file", FD_FILE_V2},
	{"oldfile", FD_FILE},
	{"directory", FD_DIRECTORY},
	{"ipv4", FD_IPV4_SOCK},
	{"ipv6", FD_IPV6_SOCK},
	{"ipv4server", FD_IPV4_SERVSOCK},
	{"ipv6server", FD_IPV6_SERVSOCK},
	{"pipe", FD_FIFO},
	{"unix", FD_UNIX_SOCK},
	{"event", FD_EVENT},
	{"signalfd", FD_SIGNALFD},
	{"eventpoll", FD_EVENTPOLL},
	{"inotify", FD_INOTIFY},
	{"timerfd", FD_TIMERFD},
	{"netlink", FD_NETLINK},
	{"bpf", FD_BPF},
	{"userfaultfd", FD_USERFAULTFD},
	{"io_uring", FD_IOURING},
	{"memfd", FD_MEMFD},
	{"pidfd", FD_PIDFD},
};

static const char *const l4_names[] = {
	[L4_NA] = "na", [L4_TCP] = "tcp", [L4_UDP] = "udp", [L4_ICMP] = "icmp", [L4_RAW] = "raw",
};

/* Split a line at blanks that are not within quotes, and words at their first '='. */
static int split(struct scene *s, struct str line, struct words *ret, struct err *e)
{
	*ret = (struct words){.n = 0};
	while (line = str_trim(line), line.n) {
		struct word *w = &ret->list[ret->n];
		size_t n = 0;
		bool quoted = false;

		for (; n < line.n && (quoted || line.p[n] != ' '); n++) {
			if (line.p[n] == '"' && (!n || line.p[n - 1] != '\\'))
				quoted = !quoted;
			if (line.p[n] == '=' && !quoted && !w->key.n)
				w->key = (struct str){line.p, n};
		}
		if (++ret->n == WORDS_MAX)
			return err_set(e, -E2BIG, "too many words");
		w->value = str_head(line, n);
		if (w->key.n)
			w->value = str_from(w->value, w->key.n + 1);
		w->value = unquote(w->value, &s->arena);
		line = str_from(line, n);
	}
	return 0;
}

static int set_key(struct scene *s, const struct key *k, struct str value, void *item,
		   struct err *e)
{
	char *to = (char *)item + k->offset;
	uint64_t number = 0;

	if (k->kind >= KEY_BOOL && !parse_number(value, &number))
		return err_set(e, -EINVAL, "%s: '%.*s' is no number", k->name, STR_ARG(value));
	switch (k->kind) {
	case KEY_STR:
		*(struct str *)to = value;
		break;
	case KEY_LIST:
		*(struct str *)to = nul_separated(value, &s->arena);
		break;
	case KEY_BOOL:
		*(bool *)to = number;
		break;
	case KEY_U32:
		*(uint32_t *)to = (uint32_t)number;
		break;
	case KEY_64:
		*(uint64_t *)to = number;
		break;
	}
	return 0;
}

/* The words from the first on that have a key. */
static int set_keys(struct scene *s, const struct words *w, unsigned first, const struct key *keys,
		    void *item, struct err *e)
{
	for (unsigned i = first; i < w->n; i++) {
		const struct key *k = keys;
		int r;

		while (k->name && !str_is(w->list[i].key, k->name))
			k++;
		if (!k->name)
			return err_set(e, -EINVAL, "unknown key '%.*s'", STR_ARG(w->list[i].key));
		r = set_key(s, k, w->list[i].value, item, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint64_t number_at(const struct words *w, unsigned i)
{
	uint64_t v = 0;

	if (i < w->n)
		parse_number(w->list[i].value, &v);
	return v;
}

static struct str text_at(const struct words *w, unsigned i)
{
	return i < w->n && !w->list[i].key.n ? w->list[i].value : STR_EMPTY;
}

static void apply(struct scene *s, const struct record *r)
{
	struct moment m;

	if (state_apply(s->state, r, &m) == STATE_DELIVER) {
		s->moment = m;
		s->has_event = true;
	}
}

static int add_proc(struct scene *s, const struct words *w, struct err *e)
{
	struct snap_proc p = {
		.tid = (int64_t)number_at(w, 1),
		.ptid = 1,
		.sid = -1,
		.vpgid = -1,
		.pgid = -1,
		.comm = text_at(w, 2),
		.exe = text_at(w, 2),
		.exepath = STR_EMPTY,
		.cwd = STR("/"),
		.root = STR("/"),
		.args = STR_EMPTY,
		.env = STR_EMPTY,
		.cgroups = STR_EMPTY,
		.fdlimit = 1024,
		.loginuid = UINT32_MAX,
	};
	int r;

	p.pid = p.vtid = p.vpid = p.tid;
	r = set_keys(s, w, 3, proc_keys, &p, e);
	if (r == 0)
		apply(s, &(struct record){.kind = RECORD_PROC, .proc = &p});
	return r;
}

static int add_user(struct scene *s, const struct words *w, struct err *e)
{
	struct snap_user u = {
		.uid = (uint32_t)number_at(w, 1),
		.name = text_at(w, 2),
		.home = STR_EMPTY,
		.shell = STR_EMPTY,
	};
	int r = set_keys(s, w, 3, user_keys, &u, e);

	if (r == 0)
		apply(s, &(struct record){.kind = RECORD_USER, .user = &u});
	return r;
}

static int add_group(struct scene *s, const struct words *w, struct err *e)
{
	struct snap_group g = {.gid = (uint32_t)number_at(w, 1), .name = text_at(w, 2)};

	apply(s, &(struct record){.kind = RECORD_GROUP, .group = &g});
	return set_keys(s, w, 3, no_keys, &g, e);
}

static int add_interface(struct scene *s, const struct words *w, struct err *e)
{
	struct snap_interface i = {.name = text_at(w, 1)};
	unsigned bits;

	if (!parse_network(text_at(w, 2), i.addr, &i.is_v6, &bits))
		return err_set(e, -EINVAL, "an interface needs an address and its bits");
	for (unsigned bit = 0; bit < bits; bit++)
		i.netmask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	apply(s, &(struct record){.kind = RECORD_INTERFACE, .interface = &i});
	return 0;
}

static bool is_socket(uint8_t type)
{
	return type >= FD_IPV4_SOCK && type <= FD_IPV6_SERVSOCK;
}

/* The word l4=..., taken out of the list. */
static uint8_t take_l4(struct words *w)
{
	for (unsigned i = 0; i < w->n; i++)
		for (unsigned l4 = L4_NA; l4 <= L4_RAW; l4++)
			if (str_is(w->list[i].key, "l4") &&
			    str_is(w->list[i].value, l4_names[l4])) {
				w->list[i] = w->list[--w->n];
				return (uint8_t)l4;
			}
	return L4_TCP;
}

static int add_fd(struct scene *s, struct words *w, struct err *e)
{
	struct snap_fd f = {.tid = (int64_t)number_at(w, 1), .fd = (int64_t)number_at(w, 2)};
	struct str kind = text_at(w, 3), what = text_at(w, 4);
	uint8_t l4 = take_l4(w);
	int r;

	for (size_t i = 0; i < sizeof(fd_kinds) / sizeof(*fd_kinds); i++)
		if (str_is(kind, fd_kinds[i].name))
			f.type = fd_kinds[i].type;
	if (!f.type)
		return err_set(e, -EINVAL, "no kind of descriptor: '%.*s'", STR_ARG(kind));
	f.name = is_socket(f.type) ? STR_EMPTY : what;
	if (is_socket(f.type) && !parse_tuple(what, &f.tuple))
		return err_set(e, -EINVAL, "no ends of a socket: '%.*s'", STR_ARG(what));
	if (is_socket(f.type))
		f.tuple.l4 = l4;
	r = set_keys(s, w, 5, fd_keys, &f, e);
	if (r == 0)
		apply(s, &(struct record){.kind = RECORD_FD, .fd = &f});
	return r;
}

/* The newest type of that name, an exit where there is one. */
static int find_event(struct str name)
{
	int found = -1;

	for (int t = 0; t < EV_COUNT; t++) {
		const struct event_info *info = &event_table[t];

		if (info->flags & (EF_OLD_VERSION | EF_UNUSED) || !str_is(name, info->name))
			continue;
		if (found < 0 || event_is_exit((uint16_t)t) || !event_is_exit((uint16_t)found))
			found = t;
	}
	return found;
}

/* An event as far as its line has been read. */
struct draft {
	const struct event_info *info;
	uint64_t ts, tid, cpu;
	struct event_arg args[EVENT_MAX_PARAMS];
};

static int set_param(struct scene *s, struct draft *d, const struct word *w, struct err *e)
{
	int i = event_param_index(d->info, w->key);
	struct str value;

	if (i < 0)
		return err_set(e, -ENOENT, "%s has no '%.*s'", d->info->name, STR_ARG(w->key));
	if (!encode_param(&d->info->params[i], w->value, &s->arena, &value))
		return err_set(e, -EINVAL, "%.*s: cannot be '%.*s'", STR_ARG(w->key),
			       STR_ARG(w->value));
	d->args[i] = (struct event_arg){value.p, (uint32_t)value.n};
	return 0;
}

/* `tid` and the like belong to the record; where a parameter has the same name, it is set, too. */
static int set_word(struct scene *s, struct draft *d, const struct word *w, struct err *e)
{
	uint64_t *own = str_is(w->key, "tid")	? &d->tid
			: str_is(w->key, "ts")	? &d->ts
			: str_is(w->key, "cpu") ? &d->cpu
						: NULL;

	if (own && !parse_number(w->value, own))
		return err_set(e, -EINVAL, "'%.*s' is no number", STR_ARG(w->value));
	if (own && event_param_index(d->info, w->key) < 0)
		return 0;
	return set_param(s, d, w, e);
}

static int add_event(struct scene *s, const struct words *w, struct err *e)
{
	struct draft d = {.ts = s->ts + 1000, .tid = UINT64_MAX};
	int type = find_event(text_at(w, 0)), n, r = 0;
	/* State may keep pointers into a record until the next one. */
	uint8_t *bytes = arena_alloc(&s->arena, RECORD_MAX);

	if (type < 0)
		return err_set(e, -ENOENT, "no event '%.*s'", STR_ARG(text_at(w, 0)));
	d.info = &event_table[type];
	for (unsigned i = 1; i < w->n && r == 0; i++)
		r = set_word(s, &d, &w->list[i], e);
	if (r < 0)
		return r;
	n = event_encode(bytes, RECORD_MAX, (uint16_t)type, d.ts, (int64_t)d.tid, d.args,
			 d.info->n_params);
	if (n < 0)
		return err_set(e, n, "the event is too large");
	s->ts = d.ts;
	apply(s, &(struct record){
			 .kind = RECORD_EVENT,
			 .event = {.p = bytes, .n = (uint32_t)n, .cpu = (uint16_t)d.cpu},
		 });
	return 0;
}

int scene_add(struct scene *s, struct str line, struct err *e)
{
	struct words w;
	int r = split(s, line, &w, e);
	struct str what = text_at(&w, 0);

	if (r < 0)
		return r;
	if (str_is(what, "proc"))
		return add_proc(s, &w, e);
	if (str_is(what, "fd"))
		return add_fd(s, &w, e);
	if (str_is(what, "user"))
		return add_user(s, &w, e);
	if (str_is(what, "group"))
		return add_group(s, &w, e);
	if (str_is(what, "interface"))
		return add_interface(s, &w, e);
	return add_event(s, &w, e);
}

void scene_init(struct scene *s)
{
	*s = (struct scene){.ts = 1600000000000000000ULL};
	s->state = state_new(&STATE_CONFIG_DEFAULT);
	arena_init(&s->arena, 0);
}

void scene_done(struct scene *s)
{
	state_free(s->state);
	arena_done(&s->arena);
}
