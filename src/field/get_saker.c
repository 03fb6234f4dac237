/* SPDX-License-Identifier: Apache-2.0 */
/* Fields about Saker itself. */
#include "field/get.h"

enum field_result get_lossy(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, state_lost(c->state, c->m) > 0);
}

enum field_result get_lost(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, state_lost(c->state, c->m));
}
