/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/verdict.h"

#include <sys/wait.h>

/* Takes a line off the front of s. */
static struct str take_line(struct str *s)
{
	ptrdiff_t end = str_chr(*s, '\n');
	struct str line = end < 0 ? *s : str_head(*s, (size_t)end);

	*s = str_from(*s, line.n + 1);
	return str_trim(line);
}

static struct str shorten(struct str s)
{
	return s.n > VERDICT_MAX ? str_head(s, VERDICT_MAX) : s;
}

enum scan_outcome verdict_of_output(struct str said, int status, struct str *ret)
{
	struct str line = STR_EMPTY;

	*ret = STR_EMPTY;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return SCAN_FAILED;
	while (!line.n && said.n)
		line = take_line(&said);
	*ret = shorten(line);
	return line.n ? SCAN_FOUND : WEXITSTATUS(status) ? SCAN_FAILED : SCAN_CLEAN;
}

enum scan_outcome verdict_of_reply(struct str said, struct str *ret)
{
	struct str line = take_line(&said), found = STR("FOUND");

	*ret = STR_EMPTY;
	if (str_is(line, "OK"))
		return SCAN_CLEAN;
	if (!str_starts(line, found) || (line.n > found.n && line.p[found.n] != ' '))
		return SCAN_FAILED;
	*ret = shorten(str_trim(str_from(line, found.n)));
	return SCAN_FOUND;
}
