/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins of this run of the program: from its command line, or from whoever adds them.
 *
 * Loaded before rules are; every input takes part in them from then on.
 */
#pragma once

#include "app/command.h"
#include "plugin/plugins.h"

struct plugged_options {
	struct option_texts plugins, open_params;
};

#define PLUGGED_ROW(type, member, name, kind, field, value, help)                                  \
	OPTION_ROW(type, name, 0, kind, member.field, value, help)
#define PLUGGED_ROWS(type, member)                                                                 \
	PLUGGED_ROW(type, member, "plugin", TEXTS, plugins, "FILE[:CONFIG]",                       \
		    "load a plugin; CONFIG is what it is given, text or JSON"),                    \
		PLUGGED_ROW(type, member, "open-params", TEXTS, open_params, "NAME=TEXT",          \
			    "what the event source of this plugin is opened with")

/* Which event sources `run` watches. */
struct sources_options {
	struct option_texts enable, disable;
};

#define SOURCES_ROWS(type, member)                                                                 \
	PLUGGED_ROW(type, member, "enable-source", TEXTS, enable, "NAME",                          \
		    "watch this event source, and only such ones"),                                \
		PLUGGED_ROW(type, member, "disable-source", TEXTS, disable, "NAME",                \
			    "not this event source; syscall is the kernel's")

/* EXIT_DONE, or what is wrong has been reported. */
enum exit_status plugged_load(const struct plugged_options *o);
/* The same of one more, for who reads configuration. */
int plugged_add(const struct plugin_config *cfg, struct err *e);
/* NULL: there are none. */
struct plugins *plugged(void);
/* Of those that are part of Saker, enum need; nobody knows what others' code needs. */
unsigned plugged_needs(void);
void plugged_close(void);

/* Bits of event sources, by number; EXIT_USAGE, reported, when one is unknown or none is left. */
enum exit_status plugged_choose(const struct sources_options *o, uint32_t *ret);
/* Report what plugins count. */
void plugged_tell_metrics(void);
/* Report what plugins have said since. */
void plugged_tell(void);
/* Start the sources that are wanted; 0 for those of a capture. */
int plugged_begin(uint32_t sources, struct err *e);
/* End them.  EXIT_FAULT when one failed, which has been reported. */
enum exit_status plugged_end(void);
