/* SPDX-License-Identifier: Apache-2.0 */
/* The rule files that a command line names, else a configuration, else the bundled ones. */
#pragma once

#include "app/command.h"
#include "rules/ruleset.h"

#define RULEFILES_CONFIG                                                                           \
	((struct loader_config){.min_priority = PRIORITY_DEBUG, .suggested_output = true})

/* A loader that knows the plugins of this run. */
struct loader *rulefiles_loader(const struct loader_config *cfg);
/*
 * What the loader has to say, on standard output, and its end.  status, or what came of the writing
 * where that is good.
 */
enum exit_status rulefiles_verdict(struct loader *l, bool json, enum exit_status status);
/* A file, the *.yaml and *.yml of a folder, or standard input ("-").  Negative: it has errors. */
int rulefiles_add(struct loader *l, const char *path);
/* What the configuration names, in order. */
const struct str *rulefiles_configured(size_t *ret_n);
int rulefiles_add_configured(struct loader *l);
/* Each path that rules are loaded from, files and folders, there or not. */
void rulefiles_each(const struct option_texts *paths, void (*visit)(void *arg, const char *path),
		    void *arg);
/* The path of the bundled rules, its own to free; NULL when they are not there. */
char *rulefiles_bundled(void);
/* NULL when they have errors, which have been reported, like the warnings. */
struct ruleset *rulefiles_load(const struct option_texts *paths, const struct loader_config *cfg);
/* A condition that may use the macros and lists of the files.  False: errors, reported. */
bool rulefiles_condition(const struct option_texts *paths, struct str text, struct program *into);
