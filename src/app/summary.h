/* SPDX-License-Identifier: Apache-2.0 */
/* What a watch comes to, on standard error. */
#pragma once

#include "app/input.h"
#include "app/parking.h"
#include "app/recorder.h"
#include "app/rollup.h"
#include "capture/live.h"
#include "rules/ruleset.h"

/* The rules that matched, most matches first. */
void summary_rules(const struct ruleset *r);
/* What the kernel sent, by event type, and what of it was lost. */
void summary_live(struct live *l);
/* What was unknown when it was met, and how much of that was found out. */
void summary_healing(const struct input *in);
/* Whose cgroup is named after a container that they are not in. */
void summary_posing(const struct input *in);
/* What waited for metadata of containers. */
void summary_parking(const struct parking *p);
/* Captures on alert; NULL: none were wanted. */
void summary_recorder(const struct recorder *r);
/* Alerts that were told as one. */
void summary_rollup(const struct rollup *r);
