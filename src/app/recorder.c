/* SPDX-License-Identifier: Apache-2.0 */
#include "app/recorder.h"

#include "app/privilege.h"
#include "app/report.h"
#include "app/secrets.h"
#include "app/settings.h"
#include "app/still.h"
#include "app/told.h"
#include "app/window.h"
#include "base/alloc.h"
#include "capture/bytes.h"
#include "capture/capfile.h"
#include "schema/note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum {
	PIECE_BYTES = 256 << 10, /* what goes to the disk at once ... */
	PIECE_MAX = 96 << 20,	 /* ... but for the longest of blocks */
	HEAD_MAX = 16 << 20,	 /* of machine, interfaces and users */
	MS_NS = 1000000,
};

struct recorder {
	struct recorder_config cfg;
	const char *prefix;
	bool all_rules;
	uint64_t default_ns, max_file_mb;
	struct diskwriter *disk;
	struct window *window; /* NULL: none */
	struct told *told;     /* before the window */

	struct buf head; /* blocks of what the machine is */
	struct capfile_writer *to_head;
	struct buf piece; /* blocks of the file at hand */
	struct capfile_writer *to_piece;

	const struct record *at; /* the event that rules look at; NULL: none */
	const struct state *now;
	bool is_open; /* there is a file */
	uint64_t until_ns;
	uint64_t n_full_told;
	struct recorder_stats stats;
};

bool recorder_is_wanted(void)
{
	return config_bool(settings(), CONFIG_KEY_CAPTURE_ENABLED);
}

unsigned recorder_needs(void)
{
	return recorder_is_wanted() ? NEED_WRITE : 0;
}

/* ---- open and close ---- */

static void leave_window(void *arg, const struct record *rec)
{
	struct recorder *r = arg;

	told_look(r->told, rec);
}

static struct window *open_window(struct recorder *r)
{
	const struct window_config cfg = {
		.bytes = config_number(settings(), CONFIG_KEY_CAPTURE_WINDOW),
		.state = r->cfg.state,
		.leave = leave_window,
		.arg = r,
	};

	return cfg.bytes ? window_new(&cfg) : NULL;
}

static int open_disk(struct recorder *r, struct err *e)
{
	const struct config *c = settings();
	const struct diskwriter_config cfg = {
		.prefix = r->prefix,
		.max_file_bytes = r->max_file_mb << 20,
		.max_folder_bytes = config_number(c, CONFIG_KEY_CAPTURE_TOTAL_MB) << 20,
		.max_files = config_number(c, CONFIG_KEY_CAPTURE_MAX_FILES),
		.max_waiting_bytes = config_number(c, CONFIG_KEY_CAPTURE_QUEUE),
		.waits = !r->cfg.state.live,
	};

	return diskwriter_open(&cfg, &r->disk, e);
}

void recorder_free(struct recorder *r)
{
	struct err unused = {0};

	if (!r)
		return;
	window_free(r->window);
	told_free(r->told);
	capfile_finish(r->to_head, &unused);
	capfile_finish(r->to_piece, &unused);
	buf_done(&r->head);
	buf_done(&r->piece);
	free(r);
}

int recorder_open(const struct recorder_config *cfg, struct recorder **ret, struct err *e)
{
	const struct config *c = settings();
	struct recorder *r;

	*ret = NULL;
	if (!recorder_is_wanted())
		return 0;
	r = xcalloc(1, sizeof(*r));
	r->cfg = *cfg;
	r->prefix = config_text(c, CONFIG_KEY_CAPTURE_PREFIX);
	r->all_rules = !strcmp(config_word(c, CONFIG_KEY_CAPTURE_MODE), "all_rules");
	r->default_ns = config_number(c, CONFIG_KEY_CAPTURE_DURATION) * MS_NS;
	r->max_file_mb = config_number(c, CONFIG_KEY_CAPTURE_MAX_MB);
	r->told = told_new();
	r->window = open_window(r);
	buf_init(&r->head, HEAD_MAX);
	buf_init(&r->piece, PIECE_MAX);
	r->to_head = capfile_create_memory(&r->head);
	r->to_piece = capfile_create_memory(&r->piece);
	if (open_disk(r, e) < 0) {
		recorder_free(r);
		return e->code;
	}
	*ret = r;
	return 0;
}

static void tell_complaint(struct recorder *r)
{
	struct err e = {0};

	if (diskwriter_complaint(r->disk, &e))
		report("capture: %s", e.msg);
}

/* ---- the file at hand ---- */

static void flush(struct recorder *r)
{
	diskwriter_put(r->disk, &r->piece);
}

static void end(struct recorder *r)
{
	if (!r->is_open)
		return;
	flush(r);
	diskwriter_end(r->disk);
	r->is_open = false;
}

static bool tell_full(struct recorder *r, uint64_t bytes)
{
	static const char rule[] = "Falco internal: capture size limit reached";
	const struct internal_field fields[] = {
		{.name = "max_file_size_mb", .number = r->max_file_mb},
		{.name = "written_bytes", .number = bytes}};
	struct timespec t;
	struct internal_alert a = {
		.rule = rule,
		.priority = PRIORITY_INFO,
		.message =
			STR("Falco internal: capture size limit reached. The capture ends here."),
		.fields = fields,
		.n_fields = 2};

	r->n_full_told++;
	clock_gettime(CLOCK_REALTIME, &t);
	a.time_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	return r->cfg.say(r->cfg.arg, &a);
}

bool recorder_finish(struct recorder *r)
{
	bool was_open = r && r->is_open, is_good;
	struct err e = {0};

	if (!r)
		return true;
	tell_complaint(r);
	end(r);
	is_good = diskwriter_close(r->disk, &r->stats.disk, &e);
	r->disk = NULL;
	if (was_open && r->stats.disk.n_full > r->n_full_told)
		tell_full(r, r->stats.disk.full_bytes);
	if (!is_good)
		report("capture: the disk does not take what was recorded; the file is not whole");
	else if (e.code)
		report("capture: %s", e.msg);
	return is_good && !r->stats.disk.n_failed;
}

static int write_record(void *arg, const struct record *rec, struct err *e)
{
	struct recorder *r = arg;

	rec = secrets_record(rec);
	if (rec->kind == RECORD_PROC)
		return capfile_write_procs(r->to_piece, rec->proc, 1, e);
	if (rec->kind == RECORD_FD)
		return capfile_write_fds(r->to_piece, rec->fd->tid, rec->fd, 1, e);
	return capfile_write_event(r->to_piece, rec, rec->event.state_only, e);
}

static int write_start(struct recorder *r, const struct state *then, struct err *e)
{
	uint64_t ts = r->window ? window_begin_ns(r->window) : state_last_ts(then);
	int ret = capfile_write_section(r->to_piece, e);

	if (!ret && state_is_live(then))
		ret = capfile_write_saker(r->to_piece, e);
	if (!ret)
		ret = capfile_write_raw(r->to_piece, buf_str(&r->head), e);
	if (!ret)
		ret = still_each(then, write_record, r, e);
	if (!ret)
		ret = still_each_note(then, ts, write_record, r, e);
	if (!ret)
		ret = told_each(r->told, write_record, r, e);
	return ret;
}

static int write_all(struct recorder *r, struct err *e)
{
	int ret = write_start(r, r->window ? window_state(r->window) : r->now, e);

	if (!ret && r->window)
		ret = window_each(r->window, write_record, r, e);
	else if (!ret && r->at)
		ret = write_record(r, r->at, e);
	return ret;
}

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void begin(struct recorder *r, const struct event *ev)
{
	uint64_t since_ns = monotonic_ns();
	struct err e = {0};
	char *path;

	buf_reset(&r->piece);
	if (write_all(r, &e) < 0) {
		r->stats.n_too_large++;
		report("capture: not begun: %s", e.msg);
		buf_reset(&r->piece);
		return;
	}
	path = xasprintf("%s_%020" PRIu64 "_%020" PRIu64 ".scap", r->prefix, event_wall_ns(ev),
			 ev->num);
	diskwriter_begin(r->disk, path);
	free(path);
	r->is_open = true;
	if (!diskwriter_put(r->disk, &r->piece)) {
		r->stats.n_too_large++;
		end(r); /* without its beginning a file is none */
	}
	since_ns = monotonic_ns() - since_ns;
	if (since_ns > r->stats.longest_ns)
		r->stats.longest_ns = since_ns;
}

void recorder_fire(struct recorder *r, const struct rule *rule, const struct field_ctx *c)
{
	uint64_t duration_ns = (uint64_t)rule->capture_duration_ms * MS_NS, until_ns;

	if (!r->all_rules && !rule->capture)
		return;
	until_ns = c->m->ev.ts + (duration_ns ? duration_ns : r->default_ns);
	r->stats.n_alerts++;
	if (!r->is_open)
		begin(r, &c->m->ev);
	else if (until_ns < r->until_ns)
		return;
	r->until_ns = until_ns;
}

/* ---- records ---- */

static void add_to_head(struct recorder *r, const struct record *rec)
{
	size_t n = r->head.n;
	struct err e = {0};
	int ret = 0;

	if (rec->kind == RECORD_MACHINE)
		ret = capfile_write_machine(r->to_head, rec->machine, &e);
	else if (rec->kind == RECORD_INTERFACE)
		ret = capfile_write_interfaces(r->to_head, rec->interface, 1, &e);
	else if (rec->kind == RECORD_USER && !rec->user->is_local)
		ret = capfile_write_users(r->to_head, rec->user, 1, NULL, 0, &e);
	else if (rec->kind == RECORD_GROUP && !rec->group->is_local)
		ret = capfile_write_users(r->to_head, NULL, 0, rec->group, 1, &e);
	if (ret < 0) /* users beyond all that is usual */
		r->head.n = n;
}

static void begin_section(struct recorder *r)
{
	end(r);
	buf_reset(&r->head);
	told_clear(r->told);
}

static void see_entry(struct recorder *r, const struct record *rec)
{
	if (rec->kind == RECORD_SECTION)
		begin_section(r);
	add_to_head(r, rec);
	if (r->window)
		window_learn(r->window, rec);
}

static void write_on(struct recorder *r, const struct record *rec)
{
	struct err e = {0};

	if (load64(rec->event.p) > r->until_ns) {
		end(r);
		return;
	}
	if (write_record(r, rec, &e) < 0 || r->piece.n >= PIECE_BYTES)
		flush(r);
}

/* It belongs to what was there before, though it comes as an event. */
static bool is_of_picture(const struct record *rec)
{
	struct event ev;

	return load16(rec->event.p + 20) == EV_ASYNCEVENT_E &&
	       event_decode(rec->event.p, rec->event.n, &ev, NULL) == 0 &&
	       str_is(str_until_nul(event_param(&ev, 1)), NOTE_PICTURE);
}

void recorder_see(struct recorder *r, const struct record *rec, const struct state *now)
{
	r->at = NULL;
	if (rec->kind != RECORD_EVENT || rec->event.n < RECORD_HEADER_BYTES || is_of_picture(rec)) {
		see_entry(r, rec);
		return;
	}
	r->at = rec;
	r->now = now;
	if (r->is_open)
		write_on(r, rec);
	if (r->window)
		window_put(r->window, rec);
	else
		told_look(r->told, rec);
}

/* ---- now and then ---- */

bool recorder_tick(struct recorder *r, uint64_t now_ns)
{
	uint64_t bytes;

	r->at = NULL;
	tell_complaint(r);
	if (!r->is_open)
		return true;
	if (now_ns > r->until_ns) {
		end(r);
		return true;
	}
	flush(r);
	if (!diskwriter_is_full(r->disk, &bytes))
		return true;
	end(r);
	return tell_full(r, bytes);
}

void recorder_get_stats(const struct recorder *r, struct recorder_stats *ret)
{
	*ret = r->stats;
	if (r->disk)
		diskwriter_get_stats(r->disk, &ret->disk);
}
