/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/builtin.h"

#include <string.h>

const plugin_api *builtin_find(const char *name)
{
	static const plugin_api *const all[] = {&audit_plugin, &json_plugin};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i]->get_name(), name))
			return all[i];
	return NULL;
}
