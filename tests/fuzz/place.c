/* SPDX-License-Identifier: Apache-2.0 */
/* Where files are on the host: a path of a file system, then the host's mounts. */
#include "state/hostmounts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = {(const char *)data, n}, path, found;
	ptrdiff_t end = str_chr(rest, '\n');
	struct host_mounts h;
	char buf[8192];

	path = end < 0 ? rest : str_head(rest, (size_t)end);
	rest = end < 0 ? STR_EMPTY : str_from(rest, (size_t)end + 1);
	host_mounts_init(&h);
	host_mounts_set(&h, rest);
	for (size_t i = 0; i < h.n && path.n && path.p[0] == '/'; i++)
		if (host_mounts_find(&h, h.rows[i].dev, path, buf, &found) && !found.n)
			abort();
	host_mounts_done(&h);
	return 0;
}
