/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saker as the program that it stands for: `falco`, by the name of a link or as the first word,
 * with that program's flags, configuration, output and exit codes.
 */
#pragma once

#include "app/listing.h"
#include "app/plugged.h"

enum flag_state { FLAG_DONE, FLAG_REMOVED, FLAG_WITHOUT };

struct falco_options {
	const char *config, *describe, *list, *plugin_info, *format, *print, *pidfile, *capture;
	const char *k8s_api, *k8s_cert, *k8s_node;
	const char *stats_file, *mesos, *gvisor_config, *gvisor_generate, *gvisor_root;
	struct option_texts set, rules, validate, disable, disable_tags, tags, cri;
	struct sources_options sources;
	uint64_t seconds, snaplen, stats_ms;
	bool config_schema, rule_schema, dry_run, ignored, describe_all, list_events, list_plugins,
		names_only, markdown, support, unbuffered, verbose, version, page_size;
	bool all_events, base64, cri_async, modern_bpf, nodriver;
};

struct falco_flag {
	enum flag_state state;
	const char *setting, *help;
};

extern const struct option_table falco_options;
/* Of the row of the same number. */
extern const struct falco_flag falco_flags[];

/* Words behind the name.  An exit status. */
int falco_main(char **args, unsigned n);
/* The table of flags, and which of them do what. */
void listing_flags(enum listing_form form, struct buf *out);

/*
 * Flags as settings: in the arena, before those of -o.  What takes their place is reported.
 * -EINVAL, reported: some of them contradict each other.
 */
int falco_settings(const struct falco_options *o, struct arena *a, struct option_texts *ret);

/* What is printed.  words: of the command line. */
void falco_versions(bool json, struct buf *out);
void falco_support(const struct falco_options *o, char **words, unsigned n, struct buf *out);
void falco_ignored(struct buf *out);
void falco_rules(const struct ruleset *set, const char *only, bool json, struct buf *out);
/* At the end: what was detected, on standard output. */
enum exit_status falco_summary(const struct ruleset *set, uint64_t n_alerts);
