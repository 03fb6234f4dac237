/* SPDX-License-Identifier: Apache-2.0 */
/* Values of tables: members of structures as what plugins see. */
#include "plugin/life.h"
#include "plugin/table.h"

size_t state_type_bytes(unsigned type)
{
	static const uint8_t bytes[] = {
		[SS_PLUGIN_ST_INT8] = 1,   [SS_PLUGIN_ST_INT16] = 2,  [SS_PLUGIN_ST_INT32] = 4,
		[SS_PLUGIN_ST_INT64] = 8,  [SS_PLUGIN_ST_UINT8] = 1,  [SS_PLUGIN_ST_UINT16] = 2,
		[SS_PLUGIN_ST_UINT32] = 4, [SS_PLUGIN_ST_UINT64] = 8, [SS_PLUGIN_ST_BOOL] = 4,
	};

	return type < sizeof(bytes) ? bytes[type] : 0;
}

bool state_type_is(unsigned type)
{
	return state_type_bytes(type) || type == SS_PLUGIN_ST_STRING || type == SS_PLUGIN_ST_TABLE;
}

bool column_get_member(const struct place *p, const struct held *h, const void *row,
		       const struct column *c, ss_plugin_state_data *out)
{
	const char *at = (const char *)row + c->at;

	out->u64 = 0;
	if (c->type == SS_PLUGIN_ST_BOOL)
		out->b = *(const bool *)at;
	else
		memcpy(out, at, state_type_bytes(c->type));
	return true;
}

int column_set_member(const struct place *p, const struct held *h, void *row,
		      const struct column *c, const ss_plugin_state_data *in)
{
	char *at = (char *)row + c->at;

	if (c->type == SS_PLUGIN_ST_BOOL)
		*(bool *)at = in->b != 0;
	else
		memcpy(at, in, state_type_bytes(c->type));
	return SS_PLUGIN_SUCCESS;
}

bool column_get_text(const struct place *p, const struct held *h, const void *row,
		     const struct column *c, ss_plugin_state_data *out)
{
	const struct istr *const *text = (const void *)((const char *)row + c->at);

	out->str = visit_text(p->v, istr_str(*text));
	return true;
}
