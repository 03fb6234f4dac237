/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#pragma once

#include "config/config.h"

struct config {
	struct arena arena;
	struct config_issues issues;
	struct nodes nodes;
	struct node *root;
	struct config_source **files;
	size_t n_files, cap_files, n_bytes;
	uint64_t main_dev, main_ino; /* of the main file; 0: none */
};

/*
 * The path of the rows that describe a member of what `parent` describes: "a.key" or "a.*".
 * False when there is none.
 */
bool pattern_member(const char *parent, struct str key, char ret[CONFIG_PATH_MAX]);
/* The same of an item of a list: "a[name]" where there is such, else "a[]". */
bool pattern_item(const char *parent, const struct node *item, char ret[CONFIG_PATH_MAX]);
