/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

bool library_load(const char *const *names, const struct library_symbol *symbols, size_t n)
{
	void *library = NULL;
	bool complete;

	for (; *names && !library; names++)
		library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
	complete = library;
	for (size_t i = 0; i < n && complete; i++) {
		void *found = dlsym(library, symbols[i].name);

		memcpy(symbols[i].at, &found, sizeof(found));
		complete = found;
	}
	return complete;
}
