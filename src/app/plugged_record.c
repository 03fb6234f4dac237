/* SPDX-License-Identifier: Apache-2.0 */
#include "app/plugged_record.h"

#include "app/input.h"
#include "app/plugged.h"
#include "app/report.h"
#include "base/stop.h"
#include "capture/capfile.h"
#include "capture/machine.h"

#include <inttypes.h>

enum { LONGEST_NAP_NS = 100000000, EVENTS_PER_LOOK = 512 };

/* Other readers want to know of the machine before they take an event. */
static int write_machine(struct capfile_writer *out, struct err *e)
{
	struct machine m;
	struct record r;
	int ret = 0;

	machine_open(&m, 0);
	while (!ret && machine_next(&m, &r))
		if (r.kind == RECORD_MACHINE)
			ret = capfile_write_machine(out, r.machine, e);
	machine_close(&m);
	return ret;
}

static int write_head(struct capfile_writer *out, struct err *e)
{
	int ret = capfile_write_section(out, e);

	if (!ret)
		ret = capfile_write_saker(out, e);
	return ret ? ret : write_machine(out, e);
}

static bool matches(const struct plugged_recording *p, const struct input *in)
{
	const uint32_t *unused;

	return !p->filter || program_eval(p->filter, &in->fields, true, &unused);
}

/* False: it is over. */
static bool rest(struct capfile_writer *out, struct err *e)
{
	if (!plugins_are_open(plugged()) || capfile_flush(out, e) < 0)
		return false;
	plugins_wait(plugged(), stop_left_ns(LONGEST_NAP_NS));
	return true;
}

static int write_events(const struct plugged_recording *p, struct input *in,
			struct capfile_writer *out, uint64_t *n, struct err *e)
{
	enum state_verdict verdict;
	unsigned looks = 0;
	int more;

	while (!stop_signal && (more = input_next(in, &verdict, e)) >= 0) {
		if (more && verdict == STATE_DELIVER && matches(p, in)) {
			++*n;
			if (capfile_write_event(out, &in->record, false, e) < 0)
				break;
		}
		if (more && ++looks % EVENTS_PER_LOOK)
			continue;
		plugged_tell();
		if (stop_due() || (!more && !rest(out, e)))
			break;
	}
	return e->code;
}

enum exit_status plugged_record(const struct plugged_recording *p)
{
	struct state_config cfg = input_usual();
	struct capfile_writer *out = NULL;
	struct err e = {0}, last = {0};
	enum exit_status ended;
	struct input in;
	uint64_t n = 0;

	cfg.live = true;
	input_begin(&in, plugins_source(plugged(), NULL), &cfg);
	stop_after(p->seconds);
	if (!capfile_create(p->path, p->compress, &out, &e) && !write_head(out, &e) &&
	    !plugged_begin(p->sources, &e) && !plugins_dump(plugged(), &e))
		write_events(p, &in, out, &n, &e);
	ended = plugged_end();
	if (out && capfile_finish(out, &last) < 0 && !e.code)
		e = last;
	if (e.code)
		report("%s", e.msg);
	report("%" PRIu64 " events in %.1f s", n, stop_seconds());
	input_close(&in);
	return e.code ? EXIT_FAULT : ended;
}
