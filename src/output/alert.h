/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts: a matched rule at a moment, as text or as one line of JSON. */
#pragma once

#include "field/kept.h"
#include "rules/ruleset.h"

struct alert_config {
	bool json;
	bool time_iso8601;
	bool json_include_output, json_include_message, json_include_output_fields,
		json_include_tags;
	const char *hostname;
	struct redaction *redaction; /* of fields' texts; NULL: none */
};

#define ALERT_CONFIG_DEFAULT                                                                       \
	((struct alert_config){.json_include_output = true,                                        \
			       .json_include_output_fields = true,                                 \
			       .json_include_tags = true})

/* Keep what the alert says at this moment; false when some of it is unknown yet. */
bool alert_keep(const struct rule *r, const struct field_ctx *c, struct kept *k);
/* Of the last of several alerts that are told as one: how many, and in what time. */
struct alert_rolled {
	uint64_t n, span_ns;
};

/* The time of an alert as text begins with it. */
void alert_add_time(const struct alert_config *cfg, uint64_t wall_ns, struct buf *out);
/* Append the line with its newline. */
void alert_format(const struct alert_config *cfg, const struct rule *r, const struct field_ctx *c,
		  struct buf *out);
/* The same with "(x N in T)" behind the output; rolled: NULL or with n 0 is alert_format(). */
void alert_format_rolled(const struct alert_config *cfg, const struct rule *r,
			 const struct field_ctx *c, const struct alert_rolled *rolled,
			 struct buf *out);
