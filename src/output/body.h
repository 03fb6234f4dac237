/* SPDX-License-Identifier: Apache-2.0 */
/* What alerts look like to those who receive them over a network: a table of formats. */
#pragma once

#include "base/buf.h"
#include "output/sender.h"

enum body_format {
	BODY_PLAIN,	  /* the line as it is printed, as the reference sends it */
	BODY_CLOUDEVENTS, /* CloudEvents 1.0, structured: JSON */
	BODY_OTLP,	  /* OpenTelemetry's logs as JSON (ExportLogsServiceRequest) */
	BODY_COUNT,
};

enum { BODY_MAX = 16 << 20 };

/* By its name in the configuration, which has checked it. */
enum body_format body_format_of(const char *name);
/*
 * Append n alerts, at least one, as one body, and give its content type.  NULL when they do not
 * fit.
 */
const char *body_add(enum body_format f, const struct alert *alerts, size_t n, struct buf *out);
