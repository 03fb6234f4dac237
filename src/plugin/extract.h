/* SPDX-License-Identifier: Apache-2.0 */
/* Getters of what plugins know of events: values are copied to where the event's others are. */
#pragma once

#include "plugin/library.h"

enum field_result get_plugin_field(const struct field_ctx *c, struct field *f, struct value *ret);
/* event_source.describe(); arg: the plugin. */
bool plugin_describe(void *arg, const struct field_ctx *c, struct str *ret);
