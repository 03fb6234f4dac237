/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the descriptor that an event works on. */
#include "field/get_fd.h"
#include "field/text.h"

enum field_result get_fd_num(const struct field_ctx *c, struct field *f, struct value *ret)
{
	if (!moment_has_fd(c->m) || !c->m->has_fd_num)
		return FIELD_NULL;
	return give_i64(ret, c->m->fd_num);
}

enum field_result get_fd_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	return fd ? give_text(ret, fd_type_word(fd->type)) : FIELD_NULL;
}

/* What a call would have made, had it not failed. */
static const char *expected_type(unsigned type)
{
	static const struct {
		const char *name, *letter;
	} calls[] = {
		{"openat", "f"},       {"openat2", "f"},       {"creat", "f"},
		{"socket", "4"},       {"accept", "4"},	       {"accept4", "4"},
		{"pipe", "p"},	       {"pipe2", "p"},	       {"eventfd", "e"},
		{"eventfd2", "e"},     {"epoll_create", "l"},  {"epoll_create1", "l"},
		{"signalfd", "s"},     {"signalfd4", "s"},     {"timerfd_create", "t"},
		{"inotify_init", "i"}, {"inotify_init1", "i"},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, event_table[type].name) == 0)
			return calls[i].letter;
	return "o";
}

enum field_result get_fd_typechar(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);
	char *letter;

	if (!moment_has_fd(c->m) || (!fd && !c->m->has_fd_num))
		return FIELD_NULL;
	if (!fd)
		return give_text(ret, expected_type(c->m->ev.type));
	letter = arena_alloc(c->scratch, 1);
	*letter = fd_type_char(fd->type);
	return give_str(ret, (struct str){letter, 1});
}

/* false: null. */
static bool fd_name(const struct field_ctx *c, struct str *ret)
{
	const struct fd *fd = moment_fd(c->m);

	if (!moment_has_fd(c->m))
		return false;
	if (!fd)
		return moment_given_name(c, ret);
	*ret = istr_str(fd->name);
	return true;
}

static struct str directory_of(struct str path)
{
	ptrdiff_t slash = str_rchr(path, '/');

	return slash <= 0 ? STR("/") : str_head(path, (size_t)slash);
}

/* false: null. */
static bool fd_directory(const struct field_ctx *c, struct str *ret)
{
	const struct fd *fd = moment_fd(c->m);
	struct str name;

	if (!fd_name(c, &name))
		return false;
	if (fd && fd->type == FD_DIRECTORY) {
		*ret = name;
		return true;
	}
	if (fd && !fd_is_file(fd))
		return false;
	*ret = directory_of(name);
	return true;
}

enum field_result get_fd_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	struct str name;

	return fd_name(c, &name) ? give_str(ret, name) : FIELD_NULL;
}

enum field_result get_fd_directory(const struct field_ctx *c, struct field *f, struct value *ret)
{
	struct str directory;

	return fd_directory(c, &directory) ? give_str(ret, directory) : FIELD_NULL;
}

enum field_result get_fd_filename(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);
	struct str name, last;

	if (!fd || !fd_is_file(fd))
		return FIELD_NULL;
	name = istr_str(fd->name);
	last = str_from(name, (size_t)(str_rchr(name, '/') + 1));
	return give_str(ret, last.n || !name.n ? last : STR("/"));
}

enum field_result get_fd_nameraw(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	if (!moment_has_fd(c->m))
		return FIELD_NULL;
	return give_str(ret, path_squeeze(c->scratch,
					  fd ? istr_str(fd->name_raw) : moment_given_name_raw(c)));
}

static enum field_result give_in_container(const struct field_ctx *c, struct str s,
					   struct value *ret)
{
	struct text text = text_start(c->scratch);

	text_add(&text, thread_container(c->m->thread));
	text_addc(&text, ':');
	text_add(&text, s);
	return give_str(ret, text_str(&text));
}

enum field_result get_fd_container_name(const struct field_ctx *c, struct field *f,
					struct value *ret)
{
	struct str name;

	return fd_name(c, &name) ? give_in_container(c, name, ret) : FIELD_NULL;
}

enum field_result get_fd_container_directory(const struct field_ctx *c, struct field *f,
					     struct value *ret)
{
	struct str directory;

	return fd_directory(c, &directory) ? give_in_container(c, directory, ret) : FIELD_NULL;
}

enum field_result get_fd_uid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	struct text text = text_start(c->scratch);

	if (!moment_has_fd(c->m) || !c->m->has_fd_num)
		return FIELD_NULL;
	text_add_i64(&text, c->m->thread->tid);
	text_add_i64(&text, c->m->fd_num);
	return give_str(ret, text_str(&text));
}

enum field_result get_name_changed(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return moment_fd(c->m) ? give_u64(ret, c->m->fd_name_changed) : FIELD_NULL;
}

/* Device numbers are packed as the kernel does for user space: minor bits on both sides. */
enum field_result get_dev(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	if (!fd)
		return FIELD_NULL;
	if (f->info->up == DEV_MAJOR)
		return give_i64(ret, fd->dev >> 8 & 0xfff);
	if (f->info->up == DEV_MINOR)
		return give_i64(ret, (fd->dev & 0xff) | (fd->dev >> 12 & 0xfff00));
	return give_i64(ret, (int32_t)fd->dev);
}

enum field_result get_ino(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	return fd ? give_i64(ret, (int64_t)fd->ino) : FIELD_NULL;
}

enum field_result get_fd_flag(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	return fd ? give_u64(ret, (fd->flags & f->info->up) != 0) : FIELD_NULL;
}

struct type_set {
	uint32_t seen; /* bits by enum fd_type */
	struct value *items;
	uint32_t n;
};

static bool add_type(int64_t num, struct fd *fd, void *arg)
{
	struct type_set *set = arg;
	const char *word = fd_type_word(fd->type);

	/* FILE and FILE_V2 have one word, and so have the two kinds of sockets. */
	for (uint32_t i = 0; i < set->n; i++)
		if (str_is(set->items[i].s, word))
			return true;
	if (!(set->seen >> fd->type & 1))
		give_text(&set->items[set->n++], word);
	set->seen |= 1u << fd->type;
	return true;
}

enum field_result get_fd_types(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	struct type_set set = {0};

	if (!moment_has_fd(c->m))
		return FIELD_NULL;
	set.items = arena_alloc(c->scratch, FD_TYPE_COUNT * sizeof(*set.items));
	if (f->has_arg) {
		const struct fd *fd = fd_find(c->state, t, (int64_t)f->index);

		if (!fd)
			return FIELD_NULL;
		give_text(&set.items[set.n++], fd_type_word(fd->type));
	} else {
		fd_each_listed(c->state, t, add_type, &set);
	}
	return give_list(ret, set.items, set.n);
}

static const struct fd *standard_fd(const struct field_ctx *c, const struct field *f)
{
	return c->m->thread ? fd_find(c->state, c->m->thread, f->info->up) : NULL;
}

enum field_result get_std_type(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = standard_fd(c, f);

	return fd ? give_text(ret, fd_type_word(fd->type)) : FIELD_NULL;
}

enum field_result get_std_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = standard_fd(c, f);

	return fd ? give_str(ret, istr_str(fd->name)) : FIELD_NULL;
}
