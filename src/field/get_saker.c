/* SPDX-License-Identifier: Apache-2.0 */
/* Fields about Saker itself. */
#include "field/get.h"
#include "field/kept.h"

enum field_result get_lossy(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, state_lost(c->state, c->m) > 0);
}

enum field_result get_lost(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, state_lost(c->state, c->m));
}

enum field_result get_metadata_status(const struct field_ctx *c, struct field *f, struct value *ret)
{
	enum metadata_status s = moment_metadata(c);

	if (s == METADATA_PENDING)
		return FIELD_UNKNOWN;
	return s == METADATA_NONE ? FIELD_NULL : give_text(ret, metadata_status_text(s));
}
