/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of one process, wherever it stands among the ancestors.  They are empty, never null,
 * when nothing is known.
 */
#pragma once

#include "field/get.h"

typedef struct str (*thread_text)(const struct field_ctx *c, const struct thread *t);

struct str thread_name(const struct field_ctx *c, const struct thread *t);
struct str thread_exe(const struct field_ctx *c, const struct thread *t);
struct str thread_exepath(const struct field_ctx *c, const struct thread *t);
/* Blanks between the words; built in c->scratch. */
struct str thread_args(const struct field_ctx *c, const struct thread *t);
struct str thread_cmdline(const struct field_ctx *c, const struct thread *t);
struct str thread_env(const struct field_ctx *c, const struct thread *t);
/* The value of NAME in the environment, without blanks around it; empty without one. */
struct str thread_env_value(const struct field_ctx *c, const struct thread *t, struct str name);
