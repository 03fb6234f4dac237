/* SPDX-License-Identifier: Apache-2.0 */
/* The files that this run's configuration and rules came from, as they were read. */
#pragma once

#include "config/config.h"
#include "rules/ruleset.h"

enum file_kind { FILE_CONFIG, FILE_RULES };

struct file {
	enum file_kind kind;
	const char *path;
	const char *sha256; /* hexadecimal, of its bytes */
};

typedef void (*files_visit)(void *arg, const struct file *f);

/* In the order of their reading; rules may be NULL. */
void files_each(const struct config *c, const struct ruleset *rules, files_visit visit, void *arg);
/* One hash of all of them, which changes whenever the order, a name or a byte does. */
void files_hash(const struct config *c, const struct ruleset *rules, char ret[SHA256_TEXT]);
