/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/ruleset.h"

#include <strings.h>

static const char *const texts[PRIORITY_COUNT] = {
	[PRIORITY_EMERGENCY] = "Emergency", [PRIORITY_ALERT] = "Alert",
	[PRIORITY_CRITICAL] = "Critical",   [PRIORITY_ERROR] = "Error",
	[PRIORITY_WARNING] = "Warning",	    [PRIORITY_NOTICE] = "Notice",
	[PRIORITY_INFO] = "Informational",  [PRIORITY_DEBUG] = "Debug",
};

const char *priority_text(enum priority p)
{
	return texts[p];
}

static bool same_word(struct str text, const char *word)
{
	return text.n == strlen(word) && strncasecmp(text.p, word, text.n) == 0;
}

bool priority_parse(struct str text, enum priority *ret)
{
	for (unsigned p = 0; p < PRIORITY_COUNT; p++)
		if (same_word(text, texts[p]) || (p == PRIORITY_INFO && same_word(text, "info"))) {
			*ret = (enum priority)p;
			return true;
		}
	return false;
}
