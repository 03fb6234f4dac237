/* SPDX-License-Identifier: Apache-2.0 */
/* Fields about what happened: name, kind and outcome of the event. */
#include "field/eventsource.h"
#include "field/get.h"

enum field_result get_evt_num(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, c->m->ev.num);
}

enum field_result get_source(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event_source *s = event_source_get(c->source);

	return s ? give_text(ret, s->name) : FIELD_NULL;
}

enum field_result get_pluginname(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event_source *s = event_source_get(c->source);

	return s && s->plugin ? give_text(ret, s->plugin) : FIELD_NULL;
}

enum field_result get_plugininfo(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event_source *s = event_source_get(c->source);
	struct str line;

	if (!s || !s->describe || !s->describe(s->arg, c, &line))
		return FIELD_NULL;
	return give_str(ret, line);
}

enum field_result get_hostname(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_text(ret, field_config.hostname ? field_config.hostname : "");
}

static bool is_meta(const struct event *ev)
{
	return ev->info->category & EC_METAEVENT;
}

static bool is_async(const struct event *ev)
{
	return ev->type == EV_ASYNCEVENT_E;
}

static bool is_generic(const struct event *ev)
{
	return ev->type == EV_GENERIC_E || ev->type == EV_GENERIC_X;
}

struct str moment_type_name(const struct moment *m)
{
	const struct event *ev = &m->ev;
	struct str name;

	if (is_generic(ev) && event_has(ev, 0)) {
		uint64_t code = event_u64(ev, 0);

		/* Old captures know calls that had no portable code at their time. */
		if (code == SC_UNKNOWN)
			code = syscall_of_native((unsigned)event_u64(ev, 1));
		if (code < SC_COUNT && syscall_table[code].name)
			return str_of(syscall_table[code].name);
	}
	if (is_async(ev) && event_text(ev, 1, &name))
		return name;
	return str_of(ev->info->name);
}

enum field_result get_is_async(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, is_meta(&c->m->ev));
}

enum field_result get_asynctype(const struct field_ctx *c, struct field *f, struct value *ret)
{
	if (!is_meta(&c->m->ev))
		return FIELD_NULL;
	return give_str(ret, moment_type_name(c->m));
}

enum field_result get_dir(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_str(ret, event_is_exit(c->m->ev.type) ? STR("<") : STR(">"));
}

enum field_result get_evt_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_str(ret, moment_type_name(c->m));
}

/* A name stands for both directions of the oldest event that has it, a number for one. */
enum field_result get_type_is(const struct field_ctx *c, struct field *f, struct value *ret)
{
	unsigned type = c->m->ev.type;

	return give_u64(ret, type == f->index || (!f->arg_is_index && type == f->index + 1));
}

enum field_result get_syscall_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	if (!(c->m->ev.info->category & EC_SYSCALL))
		return FIELD_NULL;
	return give_str(ret, moment_type_name(c->m));
}

static const char *fd_category(const struct fd *fd)
{
	static const char *const words[FD_TYPE_COUNT] = {
		[FD_FILE] = "file",	    [FD_FILE_V2] = "file",  [FD_DIRECTORY] = "file",
		[FD_IPV4_SOCK] = "net",	    [FD_IPV6_SOCK] = "net", [FD_IPV4_SERVSOCK] = "net",
		[FD_IPV6_SERVSOCK] = "net", [FD_FIFO] = "ipc",	    [FD_UNIX_SOCK] = "ipc",
		[FD_EVENT] = "ipc",	    [FD_SIGNALFD] = "ipc",  [FD_INOTIFY] = "ipc",
	};

	return fd && fd->type < FD_TYPE_COUNT && words[fd->type] ? words[fd->type] : "unknown";
}

static const char *category_word(unsigned category)
{
	static const struct {
		uint16_t category;
		const char *word;
	} words[] = {
		{EC_OTHER, "other"}, {EC_FILE, "file"},		  {EC_NET, "net"},
		{EC_IPC, "IPC"},     {EC_MEMORY, "memory"},	  {EC_PROCESS, "process"},
		{EC_SLEEP, "sleep"}, {EC_SYSTEM, "system"},	  {EC_SIGNAL, "signal"},
		{EC_USER, "user"},   {EC_TIME, "time"},		  {EC_PROCESSING, "processing"},
		{EC_WAIT, "wait"},   {EC_SCHEDULER, "scheduler"}, {EC_INTERNAL, "internal"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].category == category)
			return words[i].word;
	return "unknown";
}

enum field_result get_category(const struct field_ctx *c, struct field *f, struct value *ret)
{
	unsigned category = c->m->ev.info->category & EC_CLASS_MASK;

	if (category == EC_IO_READ || category == EC_IO_WRITE || category == EC_IO_OTHER)
		return give_text(ret, fd_category(c->m->fd));
	return give_text(ret, category_word(category));
}

enum field_result get_cpu(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_i64(ret, (int16_t)c->m->ev.cpu);
}

enum field_result get_has_flag(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, (c->m->ev.info->flags & f->info->up) != 0);
}

enum field_result get_io_dir(const struct field_ctx *c, struct field *f, struct value *ret)
{
	unsigned flags = c->m->ev.info->flags;

	if (flags & EF_WRITES_TO_FD)
		return give_str(ret, STR("write"));
	if (flags & EF_READS_FROM_FD)
		return give_str(ret, STR("read"));
	return FIELD_NULL;
}

/* Whether parameter i's type has names for errors. */
static bool names_errors(const struct event *ev)
{
	for (unsigned i = 0; i < ev->info->n_params; i++) {
		const struct param_info *p = &ev->info->params[i];

		if (strcmp(p->name, "res") == 0 || strcmp(p->name, "fd") == 0)
			return p->type == PT_ERRNO || p->type == PT_FD;
	}
	return false;
}

enum field_result get_res(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct moment *m = c->m;
	const char *name = NULL;

	if (!m->has_res)
		return FIELD_NULL;
	if (m->res >= 0)
		return give_str(ret, STR("SUCCESS"));
	if (names_errors(&m->ev) && m->res >= -4096)
		name = errno_name((int)-m->res);
	if (name)
		return give_text(ret, name);
	return give_str(ret, arena_printf(c->scratch, "%lld", (long long)m->res));
}

enum field_result get_rawres(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->has_res ? give_i64(ret, c->m->res) : FIELD_NULL;
}

enum field_result get_failed(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->has_res ? give_u64(ret, c->m->res < 0) : FIELD_NULL;
}

enum field_result get_one(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, 1);
}

static bool is_file(const struct fd *fd)
{
	return fd->type == FD_FILE || fd->type == FD_FILE_V2 || fd->type == FD_DIRECTORY;
}

static bool is_socket(const struct fd *fd)
{
	return fd_is_ip(fd) || fd->type == FD_UNIX_SOCK;
}

static bool opens_file(unsigned type)
{
	return type == EV_SYSCALL_OPEN_X || type == EV_SYSCALL_CREAT_X ||
	       type == EV_SYSCALL_OPENAT_2_X || type == EV_SYSCALL_OPENAT2_X ||
	       type == EV_SYSCALL_OPEN_BY_HANDLE_AT_X;
}

static bool opens_connection(unsigned type)
{
	return type == EV_SOCKET_ACCEPT_5_X || type == EV_SOCKET_ACCEPT4_6_X ||
	       type == EV_SOCKET_CONNECT_X || type == EV_SOCKET_BIND_X;
}

/* What an error of this event is about: that of its descriptor, else of the call. */
static unsigned error_class(const struct moment *m)
{
	unsigned type = m->ev.type;

	if (m->fd ? is_file(m->fd) : opens_file(type))
		return ERROR_FILE;
	if (m->fd ? is_socket(m->fd) : opens_connection(type))
		return ERROR_NET;
	if (!m->fd && (m->ev.info->category & EC_CLASS_MASK) == EC_MEMORY)
		return ERROR_MEMORY;
	return ERROR_OTHER;
}

enum field_result get_count_error(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct moment *m = c->m;
	unsigned wanted = f->info->up;
	/* Calls about memory count as such whatever their descriptor is. */
	bool counts =
		wanted == ERROR_ANY || wanted == error_class(m) ||
		(wanted == ERROR_MEMORY && (m->ev.info->category & EC_CLASS_MASK) == EC_MEMORY);

	return counts && m->has_res ? give_u64(ret, m->res < 0) : FIELD_NULL;
}

enum field_result get_count_exit(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return event_is_exit(c->m->ev.type) ? give_u64(ret, 1) : FIELD_NULL;
}

/* up: main threads only. */
enum field_result get_count_procinfo(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct moment *m = c->m;
	bool counts = m->ev.type == EV_PROCINFO_E &&
		      (!f->info->up || (m->thread && thread_is_main(m->thread)));

	return give_u64(ret, counts);
}

/* How far away the given time is, in milliseconds begun: compared with "=", a limit. */
enum field_result get_around(const struct field_ctx *c, struct field *f, struct value *ret)
{
	uint64_t ts = event_wall_ns(&c->m->ev);
	uint64_t distance_ns = ts > f->index ? ts - f->index : f->index - ts;

	return give_u64(ret, (distance_ns + 999999) / 1000000);
}

/* mem[0]: how often this use was read. */
enum field_result get_counter(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, ++f->mem[0]);
}
