/* SPDX-License-Identifier: Apache-2.0 */
#include "output/bookmark.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { PLACES = 2 };

struct place {
	struct bookmark bookmark;
	uint32_t sum, zero;
};

static uint32_t checksum(const struct bookmark *p)
{
	return (uint32_t)crc32(0x53504f53, (const Bytef *)p, sizeof(*p));
}

int bookmark_open(int folder, const char *name, struct bookmark *ret, struct err *e)
{
	int fd = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct place places[PLACES] = {{{0, 0, 0}, 0, 0}};
	ssize_t n;

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", name, strerror(errno));
	n = pread(fd, places, sizeof(places), 0);
	*ret = (struct bookmark){0, 0, 0};
	for (unsigned i = 0; i < PLACES; i++) {
		if (n < (ssize_t)((i + 1) * sizeof(*places)) ||
		    places[i].sum != checksum(&places[i].bookmark))
			continue;
		if (places[i].bookmark.generation >= ret->generation)
			*ret = places[i].bookmark;
	}
	/* Both places have their room on disk from here on, also when it is full later. */
	if (n < (ssize_t)sizeof(places)) {
		memset(places, 0, sizeof(places));
		n = pwrite(fd, places, sizeof(places), 0);
		if (n != (ssize_t)sizeof(places)) {
			int code = n < 0 ? -errno : -ENOSPC;

			close(fd);
			return err_set(e, code, "%s: %s", name, strerror(-code));
		}
	}
	return fd;
}

int bookmark_write(int fd, struct bookmark *p)
{
	struct place place;

	p->generation++;
	place = (struct place){*p, checksum(p), 0};
	return pwrite(fd, &place, sizeof(place), (off_t)(p->generation % PLACES * sizeof(place))) ==
			       sizeof(place)
		       ? 0
		       : -EIO;
}
