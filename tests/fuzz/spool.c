/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spool that somebody else wrote: a byte (odd: checksums are mended, so that what is behind them
 * is reached), a byte for how many of the next are the file of the position, then a segment.  All
 * that is said to be there must come out; what is put behind it, too; and a second look must see
 * the same.
 */
#include "output/segment.h"
#include "output/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[64];

static void remove_all(void)
{
	static const char *const names[] = {"00000000000000000001.spool",
					    "00000000000000000002.spool", "position"};
	char path[128];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static void write_file(const char *name, const uint8_t *p, size_t n)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	close(fd);
}

static void mend(uint8_t *p, size_t n)
{
	size_t at = SEGMENT_HEAD;
	uint32_t bytes, sum;

	if (n >= SEGMENT_HEAD)
		memcpy(p, segment_head, SEGMENT_HEAD);
	while (at + RECORD_HEAD <= n) {
		memcpy(&bytes, p + at, sizeof(bytes));
		if (bytes > n - at - RECORD_HEAD)
			return;
		sum = (uint32_t)crc32(0, p + at, sizeof(bytes));
		sum = (uint32_t)crc32_z(sum, p + at + RECORD_HEAD, bytes);
		memcpy(p + at + sizeof(bytes), &sum, sizeof(sum));
		at += RECORD_HEAD + bytes;
	}
}

static struct spool *open_it(void)
{
	struct err e = {0};
	struct spool *s;

	if (spool_open(folder, SPOOL_BYTES_MIN, &s, &e) < 0)
		abort();
	return s;
}

static uint64_t count(const struct spool *s)
{
	struct spool_stats stats;

	spool_get_stats(s, &stats);
	return stats.n_alerts;
}

static void drain(struct spool *s)
{
	uint64_t want = count(s), got = 0;
	struct alert alerts[3];
	size_t n;

	while ((n = spool_peek(s, alerts, 3))) {
		for (size_t i = 0; i < n; i++)
			hash_bytes(alerts[i].line.p, alerts[i].line.n, alerts[i].seq);
		got += n;
		spool_ack(s, n);
	}
	if (got != want)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct alert more = {.seq = 1, .line = STR("more")};
	struct spool *s;
	struct err e = {0};
	uint64_t n_there;
	uint8_t *copy;
	size_t head, done;

	if (n < 2 || data[1] > n - 2)
		return 0;
	if (!*folder)
		atexit(remove_all);
	remove_all();
	strcpy(folder, "/tmp/saker-fuzz-spool-XXXXXX");
	if (!mkdtemp(folder))
		abort();
	head = 2 + data[1];
	copy = malloc(n - head + 1);
	memcpy(copy, data + head, n - head);
	if (data[0] % 2)
		mend(copy, n - head);
	write_file("position", data + 2, data[1]);
	write_file("00000000000000000001.spool", copy, n - head);
	free(copy);
	s = open_it();
	n_there = count(s);
	spool_close(s);
	s = open_it();
	if (count(s) != n_there || spool_put(s, &more, 1, &done, &e) || count(s) != n_there + 1)
		abort();
	drain(s);
	spool_close(s);
	return 0;
}
