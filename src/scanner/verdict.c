/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/verdict.h"

#include <sys/wait.h>

/* Takes a line off the front of s. */
static struct str take_line(struct str *s)
{
	ptrdiff_t end = str_chr(*s, '\n');
	struct str line = end < 0 ? *s : str_head(*s, (size_t)end);

	*s = str_from(*s, line.n + (end >= 0));
	return str_trim(line);
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static void set(struct verdict *v, enum scan_outcome outcome, struct str text)
{
	v->outcome = outcome;
	v->n = (uint32_t)(text.n > VERDICT_MAX ? VERDICT_MAX : text.n);
	for (uint32_t i = 0; i < v->n; i++)
		v->text[i] = is_control(text.p[i]) ? '?' : text.p[i];
}

void verdict_of_output(struct str said, int status, struct verdict *ret)
{
	struct str line = STR_EMPTY;

	set(ret, SCAN_FAILED, STR_EMPTY);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return;
	while (!line.n && said.n)
		line = take_line(&said);
	if (line.n)
		set(ret, SCAN_FOUND, line);
	else if (!WEXITSTATUS(status))
		ret->outcome = SCAN_CLEAN;
}

void verdict_of_reply(struct str said, struct verdict *ret)
{
	struct str line = take_line(&said), found = STR("FOUND");

	set(ret, SCAN_FAILED, STR_EMPTY);
	if (str_is(line, "OK"))
		ret->outcome = SCAN_CLEAN;
	else if (str_starts(line, found) && (line.n == found.n || line.p[found.n] == ' '))
		set(ret, SCAN_FOUND, str_trim(str_from(line, found.n)));
}

void verdict_of_clamd(struct str said, struct verdict *ret)
{
	struct str line = take_line(&said), found = STR(" FOUND");
	ptrdiff_t colon = str_find(line, STR(": "));

	set(ret, SCAN_FAILED, STR_EMPTY);
	if (colon < 0)
		return;
	line = str_from(line, (size_t)colon + 2);
	if (str_is(line, "OK"))
		ret->outcome = SCAN_CLEAN;
	else if (str_ends(line, found))
		set(ret, SCAN_FOUND, str_head(line, line.n - found.n));
}
