/* SPDX-License-Identifier: Apache-2.0 */
#include "app/appendix.h"

#define CONTAINER_DETAILS STR("container=%container.name (id=%container.id)")
#define POD_DETAILS STR("k8s.ns=%k8s.ns.name k8s.pod=%k8s.pod.name container=%container.id")

struct appendix appendix_of(const char *given)
{
	static const struct {
		const char *name;
		struct str text;
	} details[] = {
		{"c", CONTAINER_DETAILS},
		{"container", CONTAINER_DETAILS},
		{"k", POD_DETAILS},
		{"kubernetes", POD_DETAILS},
	};

	for (size_t i = 0; given && i < sizeof(details) / sizeof(details[0]); i++) {
		if (!strcmp(given, details[i].name))
			return (struct appendix){details[i].text, true};
	}
	return (struct appendix){given ? str_of(given) : STR_EMPTY, false};
}
