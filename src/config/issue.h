/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a configuration, and where it was said. */
#pragma once

#include "base/arena.h"
#include "base/sha256.h"
#include "base/yaml.h"

/* A file, or an option of the command line. */
struct config_source {
	const char *name; /* "/etc/falco/falco.yaml", "-o json_output=1" */
	struct str text;  /* of a file; empty for options */
	bool is_option;
	char sha256[SHA256_TEXT]; /* of a file, as it was read */
};

struct config_issue {
	bool is_error;
	const struct config_source *from; /* NULL: no place in particular */
	struct yaml_mark at;
	const char *text;
};

enum { CONFIG_ISSUES_MAX = 20 }; /* that are kept: warnings as well as errors */

struct config_issues {
	struct arena *arena; /* of their texts */
	struct config_issue list[2 * CONFIG_ISSUES_MAX];
	size_t n, n_errors, n_warnings; /* the latter two: also those that are not kept */
};

/* Returns -EINVAL. */
int config_error(struct config_issues *s, const struct config_source *from,
		 const struct yaml_mark *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void config_warn(struct config_issues *s, const struct config_source *from,
		 const struct yaml_mark *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
