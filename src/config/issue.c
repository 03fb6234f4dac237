/* SPDX-License-Identifier: Apache-2.0 */
#include "config/issue.h"

#include <errno.h>
#include <stdio.h>

enum { TEXT_MAX = 1024 };

static void add(struct config_issues *s, bool is_error, const struct config_source *from,
		const struct yaml_mark *at, const char *fmt, va_list ap)
{
	size_t *count = is_error ? &s->n_errors : &s->n_warnings;
	char text[TEXT_MAX];

	if ((*count)++ >= CONFIG_ISSUES_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	s->list[s->n++] = (struct config_issue){
		.is_error = is_error,
		.from = from,
		.at = at ? *at : (struct yaml_mark){0, 0, 0},
		.text = arena_str(s->arena, str_of(text)).p,
	};
}

int config_error(struct config_issues *s, const struct config_source *from,
		 const struct yaml_mark *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(s, true, from, at, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

void config_warn(struct config_issues *s, const struct config_source *from,
		 const struct yaml_mark *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(s, false, from, at, fmt, ap);
	va_end(ap);
}
