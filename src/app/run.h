/* SPDX-License-Identifier: Apache-2.0 */
/* Watching this machine: for whoever has other words for its options. */
#pragma once

#include "app/plugged.h"
#include "app/runtimes.h"
#include "app/scans.h"
#include "app/settings.h"
#include "app/startup.h"
#include "app/watch.h"

struct run_options {
	struct settings_options settings;
	struct watch_options watch;
	struct startup_options startup;
	struct runtimes_options runtimes;
	struct plugged_options plugged;
	struct sources_options sources;
	struct scans_options scans;
	struct option_texts syscalls;
	uint64_t seconds, stats;
	bool quiet, repair_syscalls, all_syscalls, print_syscalls;
	bool no_reload;
	bool dry_run; /* everything but watching */
};

/* With the settings and plugins that are there. */
enum exit_status run_configured(const struct run_options *o);
