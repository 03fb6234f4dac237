/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scanners say: a byte for whose answer it is, one for how a command ended, then the text.
 * Whatever it is, the verdict fits an alert.
 */
#include "scanner/verdict.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct verdict *v)
{
	if (v->n > VERDICT_MAX || v->outcome > SCAN_FAILED || (v->n && v->outcome != SCAN_FOUND))
		abort();
	for (uint32_t i = 0; i < v->n; i++) {
		if ((unsigned char)v->text[i] < 0x20)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct verdict v;
	struct str said;

	if (n < 2)
		return 0;
	said = (struct str){(const char *)data + 2, n - 2};
	if (data[0] % 3 == 0)
		verdict_of_output(said, data[1] << 8, &v);
	else
		(data[0] % 3 == 1 ? verdict_of_reply : verdict_of_clamd)(said, &v);
	check(&v);
	return 0;
}
