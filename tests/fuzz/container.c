/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata JSON and lists of cgroups: a first byte '{' means JSON. */
#include "state/container.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_json(struct str text)
{
	struct container_table *t = container_table_new(2, 1 << 16);
	struct container *c;
	struct err e;

	if (!container_parse(text, &c, &e))
		container_table_add(t, c);
	container_table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = {(const char *)data, n}, id;
	uint32_t type;

	if (n && data[0] == '{')
		fuzz_json(text);
	else if (container_id_from_cgroups(text, &id, &type) &&
		 (!id.n || id.p < text.p || id.p + id.n > text.p + n))
		abort();
	return 0;
}
