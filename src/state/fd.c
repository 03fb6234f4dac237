/* SPDX-License-Identifier: Apache-2.0 */
#include "state/fd.h"

#include "base/alloc.h"
#include "state/private.h"

#include <stdlib.h>

/*
 * Threads that share a table (CLONE_FILES) use their leader's; what a process was cloned with
 * does not matter, it starts with a copy.  Live, a table is simply shared.
 */
struct files *thread_files(const struct thread *t)
{
	if (t->files || !(t->flags & PPM_CL_CLONE_FILES) || thread_is_main(t))
		return t->files;
	return t->process && t->process->leader ? t->process->leader->files : NULL;
}

/* Entries */

struct fd *fd_new(struct state *s, enum fd_type type)
{
	struct fd *fd = NULL;

	if (s->n_fds < s->cfg.max_fds)
		fd = slab_get(s->slab, sizeof(*fd));
	if (!fd) {
		s->stats.fds_refused++;
		return NULL;
	}
	s->n_fds++;
	*fd = (struct fd){.refs = 1, .type = (uint8_t)type};
	return fd;
}

void fd_unref(struct state *s, struct fd *fd)
{
	if (!fd || --fd->refs)
		return;
	intern_unref(s->names, fd->name);
	intern_unref(s->names, fd->name_raw);
	intern_unref(s->names, fd->place);
	if (fd->type == FD_UNIX_SOCK)
		intern_unref(s->names, fd->unix_sock.path);
	if (fd->flags & FDF_HAS_EXTRA)
		extra_drop(s, fd);
	slab_put(s->slab, fd, sizeof(*fd));
	s->n_fds--;
}

static struct fd *fd_copy(struct state *s, const struct fd *from)
{
	struct fd *fd = fd_new(s, from->type);

	if (!fd)
		return NULL;
	*fd = *from;
	fd->refs = 1;
	istr_ref(fd->name);
	istr_ref(fd->name_raw);
	istr_ref(fd->place);
	if (fd->type == FD_UNIX_SOCK)
		istr_ref(fd->unix_sock.path);
	if (fd->flags & FDF_HAS_EXTRA && !extra_copy(s, fd, from))
		fd->flags &= (uint8_t)~FDF_HAS_EXTRA;
	return fd;
}

/* Pages */

static void page_unref(struct state *s, struct fd_page *p)
{
	if (--p->refs)
		return;
	for (uint64_t left = p->used; left; left &= left - 1)
		fd_unref(s, p->fd[__builtin_ctzll(left)]);
	slab_put(s->slab, p, sizeof(*p));
}

struct fd_page *page_own(struct state *s, struct page_ref *r)
{
	struct fd_page *p = r->page, *copy;

	if (p->refs == 1)
		return p;
	copy = slab_get(s->slab, sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = *p;
	copy->refs = 1;
	for (uint64_t left = p->used; left; left &= left - 1)
		p->fd[__builtin_ctzll(left)]->refs++;
	p->refs--;
	r->page = copy;
	return copy;
}

/* Tables */

static struct files *files_new(struct state *s)
{
	struct files *f = slab_get(s->slab, sizeof(*f));

	if (!f)
		return NULL;
	f->refs = 1;
	f->n = f->n_pages = 0;
	f->cap = INLINE_PAGES;
	f->removed_ns = 0;
	listing_init(f);
	f->pages = f->inline_pages;
	return f;
}

static void drop_array(struct state *s, struct files *f)
{
	if (f->pages == f->inline_pages)
		return;
	s->heap_bytes -= f->cap * sizeof(*f->pages);
	free(f->pages);
}

void files_unref(struct state *s, struct files *f)
{
	if (!f || --f->refs)
		return;
	for (uint32_t i = 0; i < f->n_pages; i++)
		page_unref(s, f->pages[i].page);
	drop_array(s, f);
	slab_put(s->slab, f, sizeof(*f));
}

/* Room for n pages; false when the budget is used up. */
static bool reserve(struct state *s, struct files *f, uint32_t n)
{
	uint32_t cap = f->cap;
	size_t bytes;
	struct page_ref *pages;

	while (cap < n)
		cap *= 2;
	if (cap == f->cap)
		return true;
	bytes = cap * sizeof(*pages);
	if (s->heap_bytes + bytes > s->cfg.max_bytes / 4)
		return false;
	pages = xmalloc(bytes);
	memcpy(pages, f->pages, f->n_pages * sizeof(*pages));
	drop_array(s, f);
	s->heap_bytes += bytes;
	f->pages = pages;
	f->cap = cap;
	return true;
}

struct files *files_copy(struct state *s, struct files *f)
{
	struct files *copy = f && f->n ? files_new(s) : NULL;

	if (!copy)
		return NULL;
	if (!reserve(s, copy, f->n_pages)) {
		files_unref(s, copy);
		return NULL;
	}
	copy->n = f->n;
	copy->n_pages = f->n_pages;
	copy->removed_ns = f->removed_ns;
	for (uint32_t i = 0; i < f->n_pages; i++) {
		copy->pages[i] = f->pages[i];
		copy->pages[i].page->refs++;
	}
	listing_fork(s, copy, f);
	return copy;
}

/* Index of the first page with a number of at least no. */
static uint32_t lower_bound(const struct files *f, uint32_t no)
{
	uint32_t lo = 0, hi = f->n_pages;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (f->pages[mid].no < no)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct page_ref *page_find(const struct files *f, int64_t num)
{
	uint32_t no = (uint32_t)num / FDS_PER_PAGE, i;

	if (!f || num < 0 || num > INT32_MAX)
		return NULL;
	/* Descriptors are dense: page i is nearly always the i-th. */
	if (no < f->n_pages && f->pages[no].no == no)
		return &f->pages[no];
	i = lower_bound(f, no);
	return i < f->n_pages && f->pages[i].no == no ? &f->pages[i] : NULL;
}

static struct page_ref *page_add(struct state *s, struct files *f, uint32_t no)
{
	struct fd_page *p = slab_get(s->slab, sizeof(*p));
	uint32_t i;

	if (!p)
		return NULL;
	if (!reserve(s, f, f->n_pages + 1)) {
		slab_put(s->slab, p, sizeof(*p));
		return NULL;
	}
	p->refs = 1;
	p->used = p->cloexec = 0;
	i = lower_bound(f, no);
	memmove(f->pages + i + 1, f->pages + i, (f->n_pages - i) * sizeof(*f->pages));
	f->pages[i] = (struct page_ref){no, p};
	f->n_pages++;
	return &f->pages[i];
}

static void page_drop(struct state *s, struct files *f, struct page_ref *r)
{
	page_unref(s, r->page);
	f->n_pages--;
	memmove(r, r + 1, (size_t)(f->pages + f->n_pages - r) * sizeof(*r));
}

/* The table that t's process uses, made if there is none; not for threads without a leader. */
static struct files *files_get(struct state *s, struct thread *t)
{
	struct files *f = thread_files(t);
	struct thread *owner = t;

	if (f)
		return f;
	if (t->flags & PPM_CL_CLONE_FILES && !thread_is_main(t))
		owner = t->process ? t->process->leader : NULL;
	if (owner)
		owner->files = files_new(s);
	return owner ? owner->files : NULL;
}

struct files *files_share(struct state *s, struct thread *t)
{
	struct files *f = files_get(s, t);

	if (f)
		f->refs++;
	return f;
}

void files_unshare(struct state *s, struct thread *t)
{
	struct files *f = t->files;

	if (!f || f->refs == 1)
		return;
	t->files = files_copy(s, f);
	files_unref(s, f);
}

static struct fd *fd_refuse(struct state *s, struct fd *fd)
{
	s->stats.fds_refused++;
	fd_unref(s, fd);
	return NULL;
}

bool fd_put(struct state *s, struct thread *t, int64_t num, struct fd *fd, bool cloexec)
{
	unsigned i = (unsigned)(num % FDS_PER_PAGE);
	struct files *f;
	struct page_ref *r;
	struct fd_page *p;

	if (num < 0 || num > INT32_MAX) {
		s->stats.fds_impossible++;
		fd_unref(s, fd);
		return false;
	}
	f = files_get(s, t);
	if (!f)
		return fd_refuse(s, fd);
	r = page_find(f, num);
	if (!r)
		r = page_add(s, f, (uint32_t)(num / FDS_PER_PAGE));
	p = r ? page_own(s, r) : NULL;
	if (!p)
		return fd_refuse(s, fd);
	if (p->used >> i & 1) {
		fd_unref(s, p->fd[i]);
		s->stats.fds_removed++;
	} else {
		p->fd[i] = NULL;
		listing_add(s, f, num, &p->place[i]);
		p->used |= 1ULL << i;
		f->n++;
	}
	p->fd[i] = fd;
	p->cloexec = (p->cloexec & ~(1ULL << i)) | (uint64_t)cloexec << i;
	s->stats.fds_added++;
	return true;
}

struct fd *fd_peek(const struct thread *t, int64_t num)
{
	const struct page_ref *r = page_find(thread_files(t), num);
	unsigned i = (unsigned)num % FDS_PER_PAGE;

	return r && r->page->used >> i & 1 ? r->page->fd[i] : NULL;
}

struct fd *fd_find(const struct state *s, const struct thread *t, int64_t num)
{
	struct fd *fd = fd_peek(t, num);

	if (fd && fd->stale_name)
		fd_make_name(s, fd);
	return fd;
}

struct fd *fd_own(struct state *s, const struct thread *t, int64_t num)
{
	struct page_ref *r = page_find(thread_files(t), num);
	unsigned i = (unsigned)(num % FDS_PER_PAGE);
	struct fd_page *p;
	struct fd *copy;

	if (!r || !(r->page->used >> i & 1))
		return NULL;
	p = page_own(s, r);
	if (!p || p->fd[i]->refs == 1)
		return p ? p->fd[i] : NULL;
	copy = fd_copy(s, p->fd[i]);
	if (!copy)
		return NULL;
	p->fd[i]->refs--;
	p->fd[i] = copy;
	return copy;
}

/* Take the descriptors of the page that are set in which; true when the page went with them. */
static bool remove_bits(struct state *s, struct files *f, struct page_ref *r, uint64_t which)
{
	bool whole = !(r->page->used & ~which);
	struct fd_page *p = NULL;
	uint32_t n;

	which &= r->page->used;
	n = (uint32_t)__builtin_popcountll(which);
	if (n && !whole)
		p = page_own(s, r);
	if (!n || (!whole && !p))
		return false;
	f->n -= n;
	f->removed_ns = s->last_ts;
	s->stats.fds_removed += n;
	if (whole) {
		page_drop(s, f, r);
		return true;
	}
	for (uint64_t left = which; left; left &= left - 1)
		fd_unref(s, p->fd[__builtin_ctzll(left)]);
	p->used &= ~which;
	p->cloexec &= ~which;
	return false;
}

void fd_remove(struct state *s, const struct thread *t, int64_t num)
{
	struct page_ref *r = page_find(thread_files(t), num);

	if (r)
		remove_bits(s, thread_files(t), r, 1ULL << (num % FDS_PER_PAGE));
}

/* Bits of page no that lie in first ... last. */
static uint64_t bits_between(uint32_t no, int64_t first, int64_t last)
{
	int64_t base = (int64_t)no * FDS_PER_PAGE;
	uint64_t bits = ~0ULL;

	if (first > base + FDS_PER_PAGE - 1 || last < base)
		return 0;
	if (first > base)
		bits &= ~0ULL << (first - base);
	if (last < base + FDS_PER_PAGE - 1)
		bits &= ~0ULL >> (base + FDS_PER_PAGE - 1 - last);
	return bits;
}

void fd_remove_range(struct state *s, const struct thread *t, int64_t first, int64_t last)
{
	struct files *f = thread_files(t);

	for (uint32_t i = 0; f && i < f->n_pages;)
		i += !remove_bits(s, f, &f->pages[i], bits_between(f->pages[i].no, first, last));
}

void fd_set_cloexec(struct state *s, const struct thread *t, int64_t first, int64_t last, bool on)
{
	struct files *f = thread_files(t);
	int64_t no = (first < INT32_MAX ? first : INT32_MAX) / FDS_PER_PAGE;
	uint32_t i = f && first > 0 ? lower_bound(f, (uint32_t)no) : 0;

	for (; f && i < f->n_pages && (int64_t)f->pages[i].no * FDS_PER_PAGE <= last; i++) {
		uint64_t bits = bits_between(f->pages[i].no, first, last) & f->pages[i].page->used;
		struct fd_page *p = bits ? page_own(s, &f->pages[i]) : NULL;

		if (p)
			p->cloexec = on ? p->cloexec | bits : p->cloexec & ~bits;
	}
}

void fd_close_on_exec(struct state *s, const struct thread *t)
{
	struct files *f = thread_files(t);

	for (uint32_t i = 0; f && i < f->n_pages;)
		i += !remove_bits(s, f, &f->pages[i], f->pages[i].page->cloexec);
}

size_t fd_count(const struct state *s, const struct thread *t)
{
	const struct files *f = thread_files(t);

	return f ? f->n : 0;
}

void fd_each(const struct state *s, const struct thread *t,
	     bool (*fn)(int64_t num, struct fd *fd, void *arg), void *arg)
{
	const struct files *f = thread_files(t);

	for (uint32_t i = 0; f && i < f->n_pages; i++) {
		const struct page_ref *r = &f->pages[i];

		for (uint64_t left = r->page->used; left; left &= left - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(left);
			struct fd *fd = r->page->fd[bit];

			if (fd->stale_name)
				fd_make_name(s, fd);
			if (!fn((int64_t)r->no * FDS_PER_PAGE + bit, fd, arg))
				return;
		}
	}
}
