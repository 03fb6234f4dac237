/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts that a scanner decides (docs/SCANNING.md): a rule with the tag "scan" that matches a file
 * that is closed after writing has the file looked at, and alerts when something is found.
 */
#pragma once

#include "app/options.h"
#include "field/kept.h"
#include "rules/ruleset.h"
#include "scanner/scanner.h"

struct scans_options {
	const char *command, *socket, *clamd;
	uint64_t max_bytes, per_second, timeout_ms, n_running, n_waiting; /* 0: the usual one */
};

#define SCANS_ROW(type, member, name, kind, field, value, help)                                    \
	OPTION_ROW(type, name, 0, kind, member.field, value, help)
#define SCANS_ROWS(type, member)                                                                   \
	SCANS_ROW(type, member, "scanner-command", TEXT, command, "COMMAND",                       \
		  "has a look at files for rules with the tag scan"),                              \
		SCANS_ROW(type, member, "scanner-socket", TEXT, socket, "PATH",                    \
			  "the same, of a server there"),                                          \
		SCANS_ROW(type, member, "scanner-clamd", TEXT, clamd, "PATH",                      \
			  "the same, of ClamAV's clamd there"),                                    \
		SCANS_ROW(type, member, "scanner-max-size", SIZE, max_bytes, "SIZE",               \
			  "of a file that is scanned; 64M"),                                       \
		SCANS_ROW(type, member, "scanner-rate", NUMBER, per_second, "N",                   \
			  "scans that are begun in a second; 50"),                                 \
		SCANS_ROW(type, member, "scanner-timeout", NUMBER, timeout_ms, "MS",               \
			  "how long a scan may take; 10000"),                                      \
		SCANS_ROW(type, member, "scanner-jobs", NUMBER, n_running, "N",                    \
			  "scans at a time; 2"),                                                   \
		SCANS_ROW(type, member, "scanner-queue", NUMBER, n_waiting, "N",                   \
			  "files under way at a time, the waiting ones too; 1024")
#define SCANS_ARGUMENTS                                                                            \
	"[--scanner-command COMMAND | --scanner-socket PATH | --scanner-clamd PATH] "              \
	"[--scanner-max-size SIZE] [--scanner-rate N] [--scanner-timeout MS] [--scanner-jobs N] "  \
	"[--scanner-queue N]"

struct scans;

/* Before there are threads.  *ret is NULL when no scanner is given, which is fine for the others.
 */
int scans_open(const struct scans_options *o, struct scans **ret, struct err *e);
void scans_free(struct scans *s);
/* What the process must be able to do for it, of enum privilege_need. */
unsigned scans_needs(const struct scans *s);
/* When capabilities have been given up. */
int scans_start(struct scans *s, struct err *e);
/* Behind the last event: what is under way stays unfinished. */
void scans_stop(struct scans *s);
void scans_summarize(const struct scans *s);

/* Which file the moment is about, for later: parking_config.note(). */
const void *scans_note(const struct scans *s, const struct field_ctx *c, struct arena *a);
/* True: whether this rule of a set, which matches, alerts is up to the scanner. */
bool scans_ask(struct scans *s, const struct rule *r, uint32_t id, const void *set,
	       const struct field_ctx *c);
/*
 * The next rule that is to alert, of which set, and what of; good until the next call.  False: none
 * now.
 */
bool scans_next(struct scans *s, uint32_t *ret_id, const void **ret_set, struct field_ctx *ret);
/* Whether a rule of this set waits for the scanner. */
bool scans_wait_for(const struct scans *s, const void *set);
/* Whether any scan is under way. */
bool scans_is_busy(const struct scans *s);
