/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where alerts go, besides standard output, which is app/sink.h: what the configuration says of
 * outputs, wired up (output/outlet.h, docs/OUTPUTS.md).
 *
 * Of the event thread, which never waits in outputs_put() unless it is patient.
 */
#pragma once

#include "app/command.h"
#include "output/outlet.h"

struct outputs;

/* Whether there is any at all, standard output included. */
bool outputs_any(void);
/* What the process must be able to do for them, of enum privilege_need. */
unsigned outputs_needs(void);

/*
 * Before there are threads and while all capabilities are there.  host: what alerts call this
 * machine; borrowed.  patient: a replay, which has time to wait for a queue with room.
 */
int outputs_open(const char *host, bool json, bool patient, struct outputs **ret, struct err *e);
int outputs_start(struct outputs *o, struct err *e);
/*
 * False: there are more alerts than outputs.rate allows, and this one goes nowhere.  ns: of the
 * event.
 */
bool outputs_may(struct outputs *o, uint64_t ns);
/* line: with its newline. */
void outputs_put(struct outputs *o, const struct rule *r, uint64_t ns, struct str line);
/* One that is whole but for its seq. */
void outputs_give(struct outputs *o, const struct alert *alert);
/* Now and then: say what has happened to them; reopen them when SIGUSR1 asked for it. */
void outputs_tick(struct outputs *o);
/* Pass on what waits, in the time that the configuration leaves for it. */
enum exit_status outputs_end(struct outputs *o);
/* What became of the alerts; quiet: only if some were lost. */
void outputs_summarize(const struct outputs *o, bool quiet);
void outputs_free(struct outputs *o); /* NULL is fine, as for all but outputs_may() */

/* For metrics: of output i; false: there are not so many. */
bool outputs_stats(const struct outputs *o, size_t i, const char **ret_name,
		   struct outlet_stats *ret);
uint64_t outputs_n_limited(const struct outputs *o);
