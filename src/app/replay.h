/* SPDX-License-Identifier: Apache-2.0 */
/* Rules over a capture: for whoever has other words for its options. */
#pragma once

#include "app/plugged.h"
#include "app/settings.h"
#include "app/watch.h"

struct replay_options {
	struct settings_options settings;
	struct watch_options watch;
	struct plugged_options plugged;
	bool summary;
	bool dry_run; /* everything but reading */
	struct input_options input;
};

/* With the settings and plugins that are there. */
enum exit_status replay_configured(const struct replay_options *o, const char *path);
