/* SPDX-License-Identifier: Apache-2.0 */
#include "output/spool.h"

#include "base/alloc.h"
#include "output/bookmark.h"
#include "output/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WINDOW = 256 << 10,	/* bytes that are read or written at a time */
	SEGMENT_MIN = 64 << 10, /* bytes of a file before the next is begun ... */
	SEGMENT_MAX = 16 << 20,
	SEGMENTS_USUAL = 16, /* ... so that there are about so many */
	NAME_DIGITS = 20,
	NAME_BYTES = NAME_DIGITS + sizeof(".spool"),
};

/* There is no need of so many, and one more is still a number. */
#define NUMBER_MAX (UINT64_MAX / 2)

struct segment {
	uint64_t number;
	uint64_t bytes;	   /* good ones, with the head */
	uint64_t n_alerts; /* that are not acknowledged */
};

struct spool {
	int folder, position_fd, tail_fd; /* the last is open for writing, or -1 */
	int head_fd;			  /* the first for reading, or -1 */
	struct segment *segments;	  /* the oldest first */
	size_t n_segments, cap;
	uint64_t max_bytes, segment_bytes, next_number, last_seq;
	struct bookmark position;
	struct spool_stats stats;
	bool is_dirty; /* not all of the last is on disk for sure */
	/* Bytes of the first segment, from `in_from` on; what is before the position is done. */
	uint8_t *in;
	size_t in_n, in_cap;
	uint64_t in_from;
	uint8_t *out;
	size_t out_cap;
};

static void segment_name(uint64_t number, char ret[NAME_BYTES])
{
	snprintf(ret, NAME_BYTES, "%0*" PRIu64 ".spool", NAME_DIGITS, number);
}

static int segment_open(const struct spool *s, uint64_t number, int flags)
{
	char name[NAME_BYTES];

	segment_name(number, name);
	return openat(s->folder, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- segments ---- */

static void write_position(struct spool *s, uint64_t segment, uint64_t offset)
{
	s->position.segment = segment;
	s->position.offset = offset;
	bookmark_write(s->position_fd, &s->position);
}

static struct segment *add_segment(struct spool *s, uint64_t number)
{
	s->segments = xgrow(s->segments, &s->cap, s->n_segments + 1, sizeof(*s->segments));
	s->segments[s->n_segments] = (struct segment){.number = number};
	return &s->segments[s->n_segments++];
}

/* The first one goes.  What it had is counted by the caller. */
static void remove_first(struct spool *s)
{
	struct segment first = s->segments[0];
	char name[NAME_BYTES];

	if (s->n_segments == 1)
		close_fd(&s->tail_fd);
	close_fd(&s->head_fd);
	s->in_n = 0;
	s->stats.n_alerts -= first.n_alerts;
	s->stats.n_bytes -= first.bytes;
	s->n_segments--;
	memmove(s->segments, s->segments + 1, s->n_segments * sizeof(*s->segments));
	/* In this order: what is not there any more is not missed, what is there may come again. */
	write_position(s, first.number + 1, SEGMENT_HEAD);
	segment_name(first.number, name);
	unlinkat(s->folder, name, 0);
}

/* ---- writing ---- */

static int write_all(int fd, const uint8_t *p, size_t n, uint64_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -ENOSPC;
		p += done;
		n -= (size_t)done;
		at += (uint64_t)done;
	}
	return 0;
}

static int begin_segment(struct spool *s)
{
	struct segment *seg;
	int fd, r;

	if (s->tail_fd >= 0 && s->is_dirty)
		fdatasync(s->tail_fd);
	close_fd(&s->tail_fd);
	fd = segment_open(s, s->next_number, O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0)
		return -errno;
	r = write_all(fd, segment_head, SEGMENT_HEAD, 0);
	if (r < 0) {
		char name[NAME_BYTES];

		segment_name(s->next_number, name);
		unlinkat(s->folder, name, 0);
		close(fd);
		return r;
	}
	seg = add_segment(s, s->next_number++);
	seg->bytes = SEGMENT_HEAD;
	s->stats.n_bytes += SEGMENT_HEAD;
	s->tail_fd = fd;
	return 0;
}

static void make_room(struct spool *s, size_t n)
{
	while (s->n_segments && (s->stats.n_bytes + SEGMENT_HEAD + n > s->max_bytes ||
				 s->n_segments >= SPOOL_SEGMENTS_MAX)) {
		s->stats.n_dropped += s->segments[0].n_alerts;
		remove_first(s);
	}
}

/* All of these bytes, or none: half a record would hide what comes behind it. */
static int append(struct spool *s, const uint8_t *p, size_t n, size_t n_alerts)
{
	struct segment *tail;
	int r = 0;

	make_room(s, n);
	tail = s->n_segments ? &s->segments[s->n_segments - 1] : NULL;
	if (s->tail_fd < 0 || tail->bytes + n > s->segment_bytes)
		r = begin_segment(s);
	if (r < 0)
		return r;
	tail = &s->segments[s->n_segments - 1];
	r = write_all(s->tail_fd, p, n, tail->bytes);
	if (r < 0) {
		if (ftruncate(s->tail_fd, (off_t)tail->bytes))
			close_fd(&s->tail_fd);
		return r;
	}
	tail->bytes += n;
	tail->n_alerts += n_alerts;
	s->stats.n_bytes += n;
	s->stats.n_alerts += n_alerts;
	s->is_dirty = true;
	return 0;
}

/* As many as make one write, at least one.  How many; *ret_bytes of the buffer are theirs. */
static size_t fill(struct spool *s, const struct alert *alerts, size_t n, size_t *ret_bytes)
{
	size_t at = 0, i = 0;

	do {
		size_t bytes = record_bytes(&alerts[i]);

		s->out = xgrow(s->out, &s->out_cap, at + bytes, 1);
		record_write(&alerts[i++], s->out + at);
		at += bytes;
	} while (i < n && at + record_bytes(&alerts[i]) <= WINDOW);
	*ret_bytes = at;
	return i;
}

int spool_put(struct spool *s, const struct alert *alerts, size_t n, size_t *n_done, struct err *e)
{
	size_t most = n;

	*n_done = 0;
	while (*n_done < n) {
		size_t left = n - *n_done, bytes, some;
		int r;

		if (record_bytes(&alerts[*n_done]) > s->max_bytes / 2) {
			s->stats.n_dropped++;
			++*n_done;
			continue;
		}
		some = fill(s, alerts + *n_done, left < most ? left : most, &bytes);
		r = append(s, s->out, bytes, some);
		if (!r)
			*n_done += some;
		else if (some == 1)
			return err_set(e, r, "%s", strerror(-r));
		else /* a disk that is full may have room for some of them */
			most = some / 2;
	}
	return 0;
}

void spool_sync(struct spool *s)
{
	if (s->is_dirty && s->tail_fd >= 0)
		fdatasync(s->tail_fd);
	s->is_dirty = false;
}

/* ---- reading ---- */

/* Bytes of the first segment from the position on, at least `want` of them where there are. */
static bool load(struct spool *s, size_t want)
{
	size_t n = want > WINDOW ? want : WINDOW, got = 0;

	if (s->head_fd < 0)
		s->head_fd = segment_open(s, s->segments[0].number, O_RDONLY);
	if (s->head_fd < 0)
		return false;
	s->in = xgrow(s->in, &s->in_cap, n, 1);
	if (n > s->segments[0].bytes - s->position.offset)
		n = (size_t)(s->segments[0].bytes - s->position.offset);
	while (got < n) {
		ssize_t r =
			pread(s->head_fd, s->in + got, n - got, (off_t)(s->position.offset + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	s->in_from = s->position.offset;
	s->in_n = got;
	return got >= want;
}

/* Alerts that are in memory, from the position on; what else there is, by *ret_found. */
static size_t parse(const struct spool *s, struct alert *ret, size_t n,
		    enum segment_found *ret_found, size_t *ret_bytes)
{
	size_t at = (size_t)(s->position.offset - s->in_from), i = 0;

	*ret_found = SEGMENT_MORE;
	*ret_bytes = RECORD_HEAD;
	if (!s->in_n || s->position.offset < s->in_from || at > s->in_n)
		return 0;
	while (i < n && (*ret_found = record_read(s->in + at, s->in_n - at, &ret[i], ret_bytes)) ==
				SEGMENT_ALERT) {
		at += *ret_bytes;
		i++;
	}
	return i;
}

size_t spool_peek(struct spool *s, struct alert *ret, size_t n)
{
	while (!spool_is_empty(s)) {
		enum segment_found found;
		size_t bytes, got = parse(s, ret, n, &found, &bytes);

		if (!got && found == SEGMENT_MORE && load(s, bytes)) {
			got = parse(s, ret, n, &found, &bytes);
			if (!got && found == SEGMENT_MORE && load(s, bytes))
				got = parse(s, ret, n, &found, &bytes);
		}
		if (got)
			return got;
		/* It was good when it was counted: somebody has changed it, or the disk fails. */
		s->stats.n_damaged += s->segments[0].n_alerts;
		remove_first(s);
	}
	return 0;
}

void spool_ack(struct spool *s, size_t n)
{
	struct segment *first = s->segments;
	struct alert unused;
	uint64_t offset = s->position.offset;

	for (size_t i = 0; i < n && s->n_segments; i++) {
		size_t at = (size_t)(offset - s->in_from), bytes;

		if (record_read(s->in + at, s->in_n - at, &unused, &bytes) != SEGMENT_ALERT)
			return;
		offset += bytes;
		first->n_alerts--;
		s->stats.n_alerts--;
	}
	if (!n)
		return;
	s->position.offset = offset;
	if (!first->n_alerts)
		remove_first(s);
	else
		write_position(s, first->number, offset);
}

/* ---- what was there before ---- */

/* "00000000000000000001.spool" */
static bool parse_name(const char *name, uint64_t *ret)
{
	struct str digits = {name, NAME_DIGITS};

	return strlen(name) == NAME_BYTES - 1 && !strcmp(name + NAME_DIGITS, ".spool") &&
	       str_u64(digits, ret) && *ret < NUMBER_MAX;
}

static int compare(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int list(struct spool *s, struct err *e)
{
	int fd = openat(s->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint64_t number;
	int r = 0;

	if (!d) {
		r = err_set(e, -errno, "%s", strerror(errno));
		close_fd(&fd);
		return r;
	}
	while (!r && (entry = readdir(d))) {
		if (!parse_name(entry->d_name, &number))
			continue;
		add_segment(s, number);
		if (s->n_segments > SPOOL_SEGMENTS_MAX)
			r = err_set(e, -E2BIG, "there are more than %d files in it",
				    (int)SPOOL_SEGMENTS_MAX);
	}
	closedir(d);
	if (s->n_segments)
		qsort(s->segments, s->n_segments, sizeof(*s->segments), compare);
	return r;
}

/* One pass over a file's records, in windows. */
struct pass {
	int fd;
	uint64_t at;	 /* of the next record in the file */
	size_t n, start; /* bytes in memory, where the next record begins in them */
	bool at_end;
};

/* More bytes behind those that are there; the record that begins there needs `want`. */
static bool pass_more(struct spool *s, struct pass *p, size_t want)
{
	size_t left = p->n - p->start;
	ssize_t got;

	if (p->at_end)
		return false;
	s->in = xgrow(s->in, &s->in_cap, want > WINDOW ? want : WINDOW, 1);
	memmove(s->in, s->in + p->start, left);
	p->start = 0;
	p->n = left;
	got = pread(p->fd, s->in + left, s->in_cap - left, (off_t)(p->at + left));
	if (got < 0 && errno == EINTR)
		return true;
	p->at_end = got <= 0;
	if (got > 0)
		p->n += (size_t)got;
	return got > 0;
}

static bool has_head(int fd)
{
	uint8_t head[SEGMENT_HEAD];

	return pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	       !memcmp(head, segment_head, sizeof(head));
}

/* What is good of a file, up to the first record that is not.  False: nothing. */
static bool examine(struct spool *s, struct segment *seg)
{
	bool is_first = seg->number == s->position.segment, is_boundary = false;
	struct pass p = {.fd = segment_open(s, seg->number, O_RDWR | O_NONBLOCK),
			 .at = SEGMENT_HEAD};
	struct stat st = {0};
	uint64_t n_before = 0;
	enum segment_found found;
	struct alert a;
	size_t bytes;

	if (p.fd < 0)
		return false;
	if (fstat(p.fd, &st) || !S_ISREG(st.st_mode) || !has_head(p.fd))
		p.at_end = true;
	for (;;) {
		if (is_first && p.at == s->position.offset) {
			is_boundary = true;
			n_before = seg->n_alerts;
		}
		do
			found = record_read(s->in + p.start, p.n - p.start, &a, &bytes);
		while (found == SEGMENT_MORE && pass_more(s, &p, bytes));
		if (found != SEGMENT_ALERT)
			break;
		if (a.seq > s->last_seq)
			s->last_seq = a.seq;
		seg->n_alerts++;
		p.start += bytes;
		p.at += bytes;
	}
	/* What is behind it will never be read, and must not take room that nobody counts. */
	if (S_ISREG(st.st_mode) && ftruncate(p.fd, (off_t)p.at))
		seg->bytes = (uint64_t)st.st_size;
	else
		seg->bytes = p.at;
	close(p.fd);
	if (is_boundary)
		seg->n_alerts -= n_before;
	else if (is_first)
		s->position.offset = SEGMENT_HEAD;
	if (found == SEGMENT_BAD)
		s->stats.n_damaged++;
	return seg->n_alerts;
}

/* Files that are done, or hold nothing good, go. */
static void examine_all(struct spool *s)
{
	size_t kept = 0;

	if (s->position.segment >= NUMBER_MAX)
		s->position.segment = s->position.offset = 0;
	s->next_number = s->position.segment + 1;
	s->in = xgrow(s->in, &s->in_cap, WINDOW, 1);
	for (size_t i = 0; i < s->n_segments; i++) {
		struct segment seg = s->segments[i];
		char name[NAME_BYTES];

		if (seg.number >= s->next_number)
			s->next_number = seg.number + 1;
		if (seg.number >= s->position.segment && examine(s, &seg)) {
			s->segments[kept++] = seg;
			s->stats.n_alerts += seg.n_alerts;
			s->stats.n_bytes += seg.bytes;
			continue;
		}
		segment_name(seg.number, name);
		unlinkat(s->folder, name, 0);
	}
	s->n_segments = kept;
	if (!kept || s->segments[0].number != s->position.segment) {
		s->position.segment = kept ? s->segments[0].number : s->next_number;
		s->position.offset = SEGMENT_HEAD;
	}
	s->in_n = 0;
}

static int open_folder(struct spool *s, const char *path, struct err *e)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return err_set(e, -errno, "%s", strerror(errno));
	s->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->folder < 0)
		return err_set(e, -errno, "%s", strerror(errno));
	if (flock(s->folder, LOCK_EX | LOCK_NB))
		return err_set(e, errno == EWOULDBLOCK ? -EBUSY : -errno, "%s",
			       errno == EWOULDBLOCK ? "another Saker has it" : strerror(errno));
	s->position_fd = bookmark_open(s->folder, "position", &s->position, e);
	return s->position_fd < 0 ? s->position_fd : 0;
}

int spool_open(const char *path, uint64_t max_bytes, struct spool **ret, struct err *e)
{
	struct spool *s = xcalloc(1, sizeof(*s));
	int r;

	s->folder = s->position_fd = s->tail_fd = s->head_fd = -1;
	s->max_bytes = max_bytes < SPOOL_BYTES_MIN ? SPOOL_BYTES_MIN : max_bytes;
	s->segment_bytes = s->max_bytes / SEGMENTS_USUAL;
	if (s->segment_bytes < SEGMENT_MIN)
		s->segment_bytes = SEGMENT_MIN;
	if (s->segment_bytes > SEGMENT_MAX)
		s->segment_bytes = SEGMENT_MAX;
	r = open_folder(s, path, e);
	if (!r)
		r = list(s, e);
	if (r < 0) {
		spool_close(s);
		return err_prepend(e, "%s: ", path);
	}
	examine_all(s);
	make_room(s, 0);
	*ret = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	spool_sync(s);
	close_fd(&s->tail_fd);
	close_fd(&s->head_fd);
	close_fd(&s->position_fd);
	close_fd(&s->folder);
	free(s->segments);
	free(s->in);
	free(s->out);
	free(s);
}

bool spool_is_empty(const struct spool *s)
{
	return !s->stats.n_alerts;
}

uint64_t spool_last_seq(const struct spool *s)
{
	return s->last_seq;
}

void spool_get_stats(const struct spool *s, struct spool_stats *ret)
{
	*ret = s->stats;
}
