/* SPDX-License-Identifier: Apache-2.0 */
#include "state/place.h"

#include "schema/place.h"
#include "state/private.h"

#include <stdio.h>

/* What a place begins with when it is kept. */
struct kept {
	uint32_t real_dev, magic, layer, path_bytes;
};

bool place_read(const struct istr *i, struct place *ret)
{
	struct kept k;

	if (!i || i->n < sizeof(k))
		return false;
	memcpy(&k, i->s, sizeof(k));
	*ret = (struct place){.path = str_head(str_from(istr_str(i), sizeof(k)), k.path_bytes),
			      .real = str_from(istr_str(i), sizeof(k) + k.path_bytes),
			      .real_dev = k.real_dev,
			      .magic = k.magic,
			      .layer = k.layer};
	return true;
}

/* ---- from the kernel's word to the event that it is about ---- */

static bool is_of_name(int64_t fd)
{
	return fd <= PLACE_NAME && fd >= PLACE_TARGET;
}

/* A thread has two at most, and the second is of a target. */
static struct place_wait *wait_of(struct state *s, int64_t tid, int64_t fd)
{
	return &s->places[hash_u64((uint64_t)tid * 2 + (fd == PLACE_TARGET)) % N_PLACES];
}

/* With its reference. */
static struct istr *empty(struct state *s, struct place_wait *w)
{
	struct istr *place = w->place;

	s->n_named -= place && is_of_name(w->fd);
	w->place = NULL;
	return place;
}

static void lose(struct state *s, struct place_wait *w)
{
	if (!w->place)
		return;
	s->stats.places_lost++;
	intern_unref(s->names, empty(s, w));
}

static void forget_names(struct state *s)
{
	for (unsigned i = 0; i < 3; i++) {
		intern_unref(s->names, s->named_places[i]);
		s->named_places[i] = NULL;
	}
}

void places_clear(struct state *s)
{
	for (unsigned i = 0; i < N_PLACES; i++)
		intern_unref(s->names, empty(s, &s->places[i]));
	forget_names(s);
}

static struct istr *keep_text(struct state *s, const struct place_head *h, struct str path,
			      struct str real)
{
	struct kept k = {.real_dev = h->real_dev,
			 .magic = h->magic,
			 .layer = h->layer,
			 .path_bytes = (uint32_t)path.n};

	buf_reset(&s->text);
	buf_add(&s->text, &k, sizeof(k));
	buf_adds(&s->text, path);
	buf_adds(&s->text, real);
	if (s->text.n != sizeof(k) + path.n + real.n)
		return NULL;
	return intern_get(s->names, buf_str(&s->text));
}

static void keep(struct state *s, int64_t tid, const struct place_head *h, struct str path,
		 struct str real)
{
	struct place_wait *w = wait_of(s, tid, h->fd);

	lose(s, w);
	*w = (struct place_wait){.tid = tid, .fd = h->fd, .ino = h->ino, .dev = h->dev};
	w->place = keep_text(s, h, path, real);
	s->n_named += w->place && is_of_name(h->fd);
}

/* The parts of a note; false where it makes no sense. */
static bool read_note(struct state *s, const struct event *ev, struct place_head *ret,
		      struct str *ret_path, struct str *ret_real)
{
	struct str data = event_param(ev, 2);

	if (data.n < sizeof(*ret)) {
		s->stats.n_bad_records++;
		return false;
	}
	memcpy(ret, data.p, sizeof(*ret));
	data = str_from(data, sizeof(*ret));
	*ret_path = str_until_nul(data);
	*ret_real = str_until_nul(str_from(data, ret_path->n + 1));
	return true;
}

void apply_place(struct state *s, struct moment *m)
{
	struct place_head h;
	struct str path, real;

	if (read_note(s, &m->ev, &h, &path, &real))
		keep(s, m->ev.tid, &h, path, real);
}

/* Who has it, and knows nothing better of it. */
static struct istr **slot_of(struct state *s, int64_t tid, const struct place_head *h)
{
	struct thread *t = thread_find(s, tid);
	struct fd *fd;

	if (!t)
		return NULL;
	if (h->fd == PLACE_EXE)
		return t->exe_ino == h->ino && !t->exe_place ? &t->exe_place : NULL;
	fd = fd_peek(t, h->fd);
	if (!fd || fd->place || fd->ino != h->ino || (fd->dev && fd->dev != h->dev))
		return NULL;
	return &fd->place;
}

void apply_found_place(struct state *s, struct moment *m)
{
	struct place_head h;
	struct str path, real;
	struct istr **slot;

	if (!read_note(s, &m->ev, &h, &path, &real))
		return;
	slot = slot_of(s, m->ev.tid, &h);
	if (slot)
		*slot = keep_text(s, &h, path, real);
}

struct istr *place_take(struct state *s, int64_t tid, int64_t fd, uint32_t dev, uint64_t ino)
{
	struct place_wait *w = wait_of(s, tid, fd);

	if (!w->place || w->tid != tid)
		return NULL;
	if (w->fd == fd && w->ino == ino && (w->dev == dev || fd == PLACE_EXE))
		return empty(s, w);
	lose(s, w);
	return NULL;
}

/* The thread's note of this name; NULL: none. */
static struct place_wait *name_of(struct state *s, int64_t tid, int64_t which)
{
	struct place_wait *w = wait_of(s, tid, which);

	return w->place && w->tid == tid && w->fd == which ? w : NULL;
}

void places_of_names(struct state *s, struct moment *m)
{
	forget_names(s);
	for (int64_t which = PLACE_NAME; which >= PLACE_TARGET; which--) {
		struct place_wait *w = name_of(s, m->ev.tid, which);
		int64_t i = PLACE_NAME - which;

		if (w && w->dev == m->ev.type)
			m->named[i] = s->named_places[i] = empty(s, w);
		else if (w)
			lose(s, w);
	}
}

void places_pass_names(struct state *s, int64_t tid)
{
	for (int64_t which = PLACE_NAME; which >= PLACE_TARGET; which--) {
		struct place_wait *w = name_of(s, tid, which);

		if (w)
			intern_unref(s->names, empty(s, w));
	}
}

/* ---- from there to the host's path ---- */

/* Kinds of file systems that containers have of their own. */
static const struct {
	uint32_t magic;
	const char *name;
} kinds[] = {
	{0x01021994, "tmpfs"},
	{0x9fa0, "proc"},
	{0x62656572, "sysfs"},
	{0x1cd1, "devpts"},
	{0x19800202, "mqueue"},
	{0x27e0eb, "cgroup"},
	{0x63677270, "cgroup2"},
	{0x858458f6, "ramfs"},
	{0x958458f6, "hugetlbfs"},
	{0x6e736673, "nsfs"},
	{0x09041934, "anon_inode"},
	{0x65735546, "fuse"},
	{0x794c7630, "overlay"},
	{0xef53, "ext4"},
	{0x58465342, "xfs"},
	{0x9123683e, "btrfs"},
	{0x6969, "nfs"},
	{0x73717368, "squashfs"},
	{0x64626720, "debugfs"},
	{0x74726163, "tracefs"},
	{0xcafe4a11, "bpf"},
};

static const char *kind_name(uint32_t magic)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].magic == magic)
			return kinds[i].name;
	return "other";
}

const char *place_status_text(enum place_status s)
{
	static const char *const texts[] = {
		[PLACE_KNOWN] = "known",	 [PLACE_ELSEWHERE] = "elsewhere",
		[PLACE_UNSEEN] = "unseen",	 [PLACE_NO_PATH] = "no_path",
		[PLACE_NO_MOUNTS] = "no_mounts",
	};

	return texts[s];
}

enum place_status state_host_path(const struct state *s, const struct istr *place,
				  char buf[PLACE_TEXT_MAX], struct str *ret)
{
	struct place p;
	int n;

	if (!place_read(place, &p))
		return PLACE_UNSEEN;
	if (!p.real.n)
		return PLACE_NO_PATH;
	if (!s->host_mounts.n)
		return PLACE_NO_MOUNTS;
	if (host_mounts_find(&s->host_mounts, p.real_dev, p.real, buf, ret))
		return PLACE_KNOWN;
	n = snprintf(buf, PLACE_TEXT_MAX, "%s:%.*s", kind_name(p.magic), STR_ARG(p.real));
	if (n < 0 || n >= PLACE_TEXT_MAX)
		return PLACE_NO_PATH;
	*ret = (struct str){buf, (size_t)n};
	return PLACE_ELSEWHERE;
}
