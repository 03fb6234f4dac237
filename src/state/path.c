/* SPDX-License-Identifier: Apache-2.0 */
#include "state/fd.h"

enum { JOIN_MAX = 1024 };

/* Off with the last component and the slash in front of it. */
static size_t without_last(const char *p, size_t n)
{
	while (n && p[n - 1] != '/')
		n--;
	return n ? n - 1 : 0;
}

/* Append the components of path to the n bytes in out, which do not end in a slash. */
static size_t add_components(char *out, size_t n, bool absolute, struct str path)
{
	const char *p = path.p, *end = path.p + path.n;

	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t len = (size_t)((slash ? slash : end) - p);

		if (len == 2 && p[0] == '.' && p[1] == '.') {
			n = without_last(out, n);
		} else if (len && !(len == 1 && p[0] == '.')) {
			if (n || absolute)
				out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
		}
		p += len + 1;
	}
	return n;
}

/* The highest bit of each byte that is c, and no other bit. */
static uint64_t bytes_equal(uint64_t word, char c)
{
	const uint64_t ones = UINT64_MAX / 255, low7 = ones * 0x7f;

	word ^= ones * (uint8_t)c;
	return ~(((word & low7) + low7) | word | low7);
}

bool path_is_plain(struct str path)
{
	uint64_t word, slashes;
	size_t at = 0;

	/* Steps of seven, so that each pair of neighbours is together in one word. */
	for (; at + sizeof(word) <= path.n; at += sizeof(word) - 1) {
		memcpy(&word, path.p + at, sizeof(word));
		slashes = bytes_equal(word, '/');
		if (slashes << 8 & (slashes | bytes_equal(word, '.')))
			return false;
	}
	for (; at + 1 < path.n; at++)
		if (path.p[at] == '/' && (path.p[at + 1] == '/' || path.p[at + 1] == '.'))
			return false;
	return true;
}

struct str path_join(char out[1025], struct str base, struct str path)
{
	bool absolute;
	size_t n;

	if (base.n + path.n + 1 > JOIN_MAX)
		return STR("/DIR_TOO_LONG/FILENAME_TOO_LONG");
	if (!path.n)
		return STR_EMPTY;
	if (path.p[0] == '/')
		base = STR_EMPTY;
	if (!base.n && path.p[0] == '/' && path.p[path.n - 1] != '/' && path_is_plain(path)) {
		memcpy(out, path.p, path.n);
		out[path.n] = '\0';
		return (struct str){out, path.n};
	}
	absolute = (base.n ? base : path).p[0] == '/';
	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	if (base.n)
		memcpy(out, base.p, base.n);
	n = add_components(out, base.n, absolute, path);
	if (!n && absolute)
		out[n++] = '/';
	out[n] = '\0';
	return (struct str){out, n};
}
