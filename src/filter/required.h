/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must stand in every text that a pattern matches: a part of the pattern itself.
 *
 * The longest such part is looked for in what can be read without doubt; empty is always true.
 */
#pragma once

#include "base/str.h"

/* As fnmatch(3) knows it; ASCII only, so that it holds whatever the case of letters. */
struct str required_by_glob(struct str pattern);
/* As RE2 knows it, with POSIX syntax. */
struct str required_by_regex(struct str pattern);
/* A path prefix of `pmatch`: a component, and the slash before it where there is one for sure. */
struct str required_by_path(struct str path);
