/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins hand over of tables, looked up.  Whoever finds nothing has told the plugin so, if
 * it is in a call at all.
 */
#pragma once

#include "plugin/table.h"

/* False: it is no table that may be used so now. */
bool place_find(ss_plugin_table_t *t, enum access access, struct place *ret);
/* An entry of this table that the plugin holds, or NULL. */
struct held *place_entry(const struct place *p, ss_plugin_table_entry_t *e);
/* What tables with the same fields have in common. */
unsigned place_schema(const struct place *p);
/* Fields that were added, which are numbered behind the fixed ones; NULL: there can be none. */
const struct added_columns *place_added(const struct place *p);
unsigned place_fixed(const struct place *p);
/* Number of the field, or -1. */
int place_column(const struct place *p, const ss_plugin_table_field_t *f);
/* Keys of tables that are not plugins' are whole numbers. */
bool place_key(const struct place *p, const ss_plugin_state_data *key, int64_t *ret);
/* Whether there is state at all. */
bool place_is_ready(const struct place *p);
