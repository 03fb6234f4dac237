/* SPDX-License-Identifier: Apache-2.0 */
/* Fields about reading, writing and opening. */
#include "schema/closed.h"

#include "field/get_fd.h"
#include "field/kept.h"

/* What a length needs to be counted by its field. */
static bool counts(const struct moment *m, unsigned wanted)
{
	unsigned category = m->ev.info->category & EC_CLASS_MASK;

	return (!(wanted & BUFLEN_IN) || category == EC_IO_READ) &&
	       (!(wanted & BUFLEN_OUT) || category == EC_IO_WRITE) &&
	       (!(wanted & BUFLEN_FILE) || fd_is_file(m->fd)) &&
	       (!(wanted & BUFLEN_NET) || fd_is_ip(m->fd));
}

enum field_result get_buflen(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct moment *m = c->m;
	unsigned category = m->ev.info->category & EC_CLASS_MASK;
	bool is_io = category == EC_IO_READ || category == EC_IO_WRITE || category == EC_IO_OTHER;

	if (!is_io || !m->fd || !m->has_res || m->res < 0 || !counts(m, f->info->up))
		return FIELD_NULL;
	return give_u64(ret, (uint64_t)m->res);
}

enum field_result get_is_syslog(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = c->m->fd;
	struct str name = fd ? istr_str(fd->name) : STR_EMPTY;
	bool is_syslog =
		c->m->ev.info->flags & EF_WRITES_TO_FD && str_find(name, STR("/dev/log")) >= 0;

	return give_u64(ret, is_syslog);
}

/* Where the flags and the mode of the calls that open files are. */
static bool open_params(const struct event *ev, int *flags, int *mode)
{
	switch (ev->type) {
	case EV_SYSCALL_OPEN_X:
		*flags = 2, *mode = 3;
		return true;
	case EV_SYSCALL_OPENAT_2_X:
	case EV_SYSCALL_OPENAT2_X:
		*flags = 3, *mode = 4;
		return true;
	case EV_SYSCALL_OPEN_BY_HANDLE_AT_X:
		*flags = 2, *mode = -1;
		return true;
	}
	return false;
}

enum field_result get_is_open(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	int flags, mode;

	if (!open_params(ev, &flags, &mode))
		return give_u64(ret, 0);
	return give_u64(ret, (event_u64(ev, (unsigned)flags) & f->info->up) != 0);
}

enum field_result get_is_open_exec(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	int flags, mode;
	bool creates;

	if (ev->type == EV_SYSCALL_CREAT_X)
		return give_u64(ret, (event_u64(ev, 2) & 0111) != 0);
	if (!open_params(ev, &flags, &mode) || mode < 0)
		return give_u64(ret, 0);
	creates = event_u64(ev, (unsigned)flags) & (PPM_O_CREAT | PPM_O_TMPFILE);
	return give_u64(ret, creates && event_u64(ev, (unsigned)mode) & 0111);
}

enum field_result get_is_open_create(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	int flags, mode;
	uint64_t given;

	if (!open_params(ev, &flags, &mode))
		return give_u64(ret, 0);
	given = event_u64(ev, (unsigned)flags);
	return give_u64(ret, given & PPM_O_F_CREATED ||
				     (given & PPM_O_TMPFILE && c->m->has_res && c->m->res >= 0));
}

enum field_result get_is_close_write(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, c->m->closing != NULL);
}

enum field_result get_close_write(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct closing *x = c->m->closing;

	if (!x || !x->is_told)
		return FIELD_NULL;
	return give_u64(ret, f->info->up == CLOSE_SIZE ? x->size : x->is_last);
}

enum field_result get_close_write_by(const struct field_ctx *c, struct field *f, struct value *ret)
{
	static const char *const texts[CLOSED_BY_COUNT] = {
		[CLOSED_UNSEEN] = "close", [CLOSED_BY_CLOSE] = "close",
		[CLOSED_BY_DUP] = "dup",   [CLOSED_BY_RANGE] = "close_range",
		[CLOSED_BY_EXEC] = "exec", [CLOSED_BY_EXIT] = "exit",
	};

	return c->m->closing ? give_text(ret, texts[c->m->closing->by]) : FIELD_NULL;
}

enum field_result get_close_write_verdict(const struct field_ctx *c, struct field *f,
					  struct value *ret)
{
	return c->kept && c->kept->verdict.n ? give_str(ret, c->kept->verdict) : FIELD_NULL;
}
