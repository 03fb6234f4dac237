/* SPDX-License-Identifier: Apache-2.0 */
/* Getters of what plugins know of events: values are copied to where the event's others are. */
#pragma once

#include "plugin/library.h"

enum field_result get_plugin_field(const struct field_ctx *c, struct field *f, struct value *ret);

/* Where a value stands: bytes of the event's record. */
struct value_place {
	uint32_t start, length;
};

/*
 * Of each value of a plugin's field, in arena a.  How many; 0: there is no value, or the plugin
 * does not say.  f may be any field.
 */
size_t plugin_field_places(const struct field_ctx *c, struct field *f, struct arena *a,
			   const struct value_place **ret);
/* event_source.describe(); arg: the plugin. */
bool plugin_describe(void *arg, const struct field_ctx *c, struct str *ret);
