/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files: YAML in, one immutable compiled ruleset out.
 */
#pragma once

#include "base/sha256.h"
#include "filter/message.h"
#include "filter/program.h"

/* Of the rule language: what required_engine_version asks for, 0.N.0. */
#define RULES_ENGINE_VERSION 62

enum priority {
	PRIORITY_EMERGENCY,
	PRIORITY_ALERT,
	PRIORITY_CRITICAL,
	PRIORITY_ERROR,
	PRIORITY_WARNING,
	PRIORITY_NOTICE,
	PRIORITY_INFO,
	PRIORITY_DEBUG,
	PRIORITY_COUNT,
};

/* "Warning", "Informational" ... as alerts print it. */
const char *priority_text(enum priority p);
/* Case-insensitive, INFO and INFORMATIONAL both. */
bool priority_parse(struct str text, enum priority *ret);

struct texts {
	struct str *list;
	size_t n;
};

/* One more member of an alert's output_fields. */
struct rule_extra {
	struct str name;
	struct message *message;
};

/* For people who look at rules (loader_config.describe). */
struct rule_details {
	struct str condition_compiled; /* with its lists, macros and exceptions in place */
	struct str output_compiled;    /* with what is appended to it */
	struct texts exception_names, exception_fields, exception_operators;
};

struct rule {
	struct str name, desc, condition, output, source;
	enum priority priority;
	struct str *tags; /* sorted, distinct */
	size_t n_tags;
	bool enabled, capture;
	uint32_t capture_duration_ms;
	struct message *message;      /* output with suggested and extra output appended */
	struct message_token *tokens; /* distinct, of message and extra fields */
	size_t n_tokens;
	struct rule_extra *extras;
	size_t n_extras;
	/* Alerts of one key in this time are told as one; 0: each for itself. */
	uint64_t rollup_ns;
	struct message *rollup_key; /* NULL: all of the rule are one key */
	struct event_set events;
	uint64_t n_matches;	      /* counted by the caller */
	struct rule_details *details; /* NULL unless asked for */
};

struct macro_info {
	struct str name, condition;
	bool used;
	/* Only with loader_config.describe: */
	struct str condition_compiled;
	struct event_set events;
};

struct list_info {
	struct str name;
	struct str *items;
	size_t n_items;
	bool used;
	/* Only with loader_config.describe: names of lists among them replaced by their items. */
	struct str *compiled;
	size_t n_compiled;
};

/* A file that rules came from, as it was read. */
struct ruleset_file {
	struct str name;
	char sha256[SHA256_TEXT];
};

struct ruleset {
	struct arena arena;
	struct program *program; /* condition i is rules[i]'s */
	struct rule *rules;	 /* the enabled ones (compile_disabled: all), in definition order */
	size_t n_rules;
	struct rule *all; /* every rule that loaded, also the disabled ones */
	size_t n_all;
	struct macro_info *macros;
	size_t n_macros;
	struct list_info *lists;
	size_t n_lists;
	struct ruleset_file *files; /* in the order of their reading */
	size_t n_files;
};

void ruleset_free(struct ruleset *r);
bool rule_has_tag(const struct rule *r, struct str tag);
/* Whether is() says so of any field, by its text, of the output or of an extra field. */
bool rule_prints(const struct rule *r, bool (*is)(struct str field, const void *arg),
		 const void *arg);
/* pattern: a name in which '*' is any text. */
bool rule_name_matches(struct str pattern, struct str name);

/* What required_plugin_versions of rule files may ask for. */
struct plugin_version {
	const char *name;
	uint32_t number[3];
};

/* Rules that are on from here on, or off. */
struct rule_switch {
	bool on, is_tag;
	struct str text; /* a tag, or a name with '*' */
};

struct append_field {
	struct str name, format; /* no format: the field of this name, as a value */
};

/* What belongs behind the outputs of some rules; empty texts match all. */
struct append_output {
	struct str source, rule;
	const struct str *tags; /* all of these */
	size_t n_tags;
	struct str text;
	bool suggested;
	const struct append_field *fields;
	size_t n_fields;
};

/* Which rules' alerts are told as one, and by what. */
struct rule_rollup {
	struct str rule; /* a name with '*'; empty: all */
	uint64_t interval_ns;
	struct str key; /* a message of fields; empty: none */
};

struct loader_config {
	bool hashes;		    /* ruleset_file.sha256 is wanted; else it is "" */
	enum priority min_priority; /* rules below are not enabled; default DEBUG */
	const struct str *tags;	    /* when given: only rules with one of these */
	size_t n_tags;
	const struct str *disabled; /* names with '*' */
	size_t n_disabled;
	const struct rule_switch *switches; /* after all that, in order */
	size_t n_switches;
	const struct append_output *appends;
	size_t n_appends;
	const struct rule_rollup *rollups; /* the first that a rule matches counts */
	size_t n_rollups;
	const struct plugin_version *plugins; /* that are loaded; borrowed by the loader */
	size_t n_plugins;
	bool suggested_output; /* default true; else where appends say so */
	/*
	 * Goes behind every output.  Details of the container stand where an output says
	 * %container.info, if it does, and are left out where suggested output has them.
	 */
	struct str extra_output;
	bool extra_is_details;
	bool describe;	       /* fill in what only people read */
	bool compile_disabled; /* into the program too: rule.enabled tells them apart */
};

struct loader;

/* The shape that rule files should have, as a JSON schema (draft 7). */
void schema_json(struct buf *out);

struct loader *loader_new(const struct loader_config *cfg);
void loader_free(struct loader *l);
/*
 * Load one file (or text already in memory, named so in messages) on top of the earlier ones
 * and compile everything so far.  0, or -EINVAL when the file has errors: see loader_results.
 */
int loader_add_file(struct loader *l, const char *path);
int loader_add_text(struct loader *l, const char *name, struct str text);
/*
 * Add a condition, named so in messages, to a program of its own; macros and lists of the files
 * so far may be used in it.  0, or -EINVAL: see loader_results.
 */
int loader_add_condition(struct loader *l, const char *name, struct str text, struct program *into);
/* The compiled rules; the loader gives up ownership.  NULL after an error. */
struct ruleset *loader_take(struct loader *l);

/* Verdicts of all files so far: {"falco_load_results":[...]}, one line. */
void loader_results_json(const struct loader *l, struct buf *out);
/*
 * For people: "FILE: Ok", warnings and errors with place, source line and caret.
 * verbose: also of files that nothing is to be said about.
 */
void loader_results_text(const struct loader *l, bool verbose, struct buf *out);
/* The same of the last file or condition alone. */
void loader_last_result_text(const struct loader *l, struct buf *out);
bool loader_ok(const struct loader *l);
