/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that no rule gives: what Saker has to say of itself, in the shape that consumers know. */
#pragma once

#include "output/alert.h"

/* One member of output_fields: a text, or a number where the text is empty. */
struct internal_field {
	const char *name;
	struct str text;
	uint64_t number;
	bool is_real; /* the number is this one */
	double real;
};

struct internal_alert {
	const char *rule; /* "Falco internal: ..." */
	enum priority priority;
	uint64_t time_ns; /* since the epoch */
	struct str message;
	const struct internal_field *fields; /* by name */
	size_t n_fields;
};

#define INTERNAL_SOURCE "internal"

/* As a JSON object. */
void internal_add_fields(const struct internal_field *fields, size_t n, struct buf *out);
/* Append the line with its newline. */
void internal_format(const struct alert_config *cfg, const struct internal_alert *a,
		     struct buf *out);
