/* SPDX-License-Identifier: Apache-2.0 */
#include "app/copy.h"

#include "app/placenotes.h"
#include "capture/bytes.h"
#include "capture/enters.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && S_ISREG(a->st_mode);
}

/* Creating the output would empty the input. */
static bool is_own_input(const char *input, const char *output)
{
	struct stat in, out;
	int r = strcmp(input, "-") ? stat(input, &in) : fstat(STDIN_FILENO, &in);

	if (r < 0)
		return false;
	r = strcmp(output, "-") ? stat(output, &out) : fstat(STDOUT_FILENO, &out);
	return r == 0 && same_file(&in, &out);
}

int copy_open(struct copy *c, const struct copy_options *o, const char *input, struct err *e)
{
	int r;

	*c = (struct copy){.o = *o};
	if (is_own_input(input, o->path))
		return err_set(e, -EINVAL, "%s: is the capture that is being read", o->path);
	r = capfile_create(o->path, o->compress, &c->writer, e);
	if (!r && o->some) {
		c->enters = enters_new();
		c->notes = placenotes_new();
	}
	return r;
}

int copy_finish(struct copy *c, struct err *e)
{
	int r = c->writer ? capfile_finish(c->writer, e) : 0;

	enters_free(c->enters);
	placenotes_free(c->notes);
	*c = (struct copy){.writer = NULL};
	return r;
}

static uint16_t type_of(struct str rec)
{
	return load16((const uint8_t *)rec.p + 20);
}

/* Hidden from everybody; needed where its exit is kept, and only there. */
static bool is_enter_half(uint16_t type)
{
	return !event_is_exit(type) && event_table[type].category & EC_SYSCALL;
}

/* The thread's enter half, if it is this exit's. */
static struct str take_enter(struct copy *c, int64_t tid, uint16_t exit)
{
	struct str enter = enters_find(c->enters, tid);
	bool is_its = enter.n && event_is_exit(exit) &&
		      (type_of(enter) + 1 == exit ||
		       (type_of(enter) == EV_SYSCALL_EXECVEAT_E && exit == EV_SYSCALL_EXECVE_19_X));
	struct str raw = enters_take(c->enters, tid);

	return is_its ? raw : STR_EMPTY;
}

/* What an event needs in front of it, whether conversion needs it or state. */
struct front {
	struct str enter, notes[PLACENOTES_OF_EVENT];
};

static int write_event(struct copy *c, const struct record *r, const struct front *front,
		       bool state_only, struct err *e)
{
	bool has_raw = r->event.raw_enter.n > 0;
	int rc = capfile_write_raw(c->writer, has_raw ? r->event.raw_enter : front->enter, e);

	for (unsigned i = 0; i < PLACENOTES_OF_EVENT && !rc; i++)
		rc = capfile_write_raw(c->writer, front->notes[i], e);

	if (rc)
		return rc;
	return state_only ? capfile_write_state_only(c->writer, r->raw, e)
			  : capfile_write_raw(c->writer, r->raw, e);
}

static int some_event(struct copy *c, const struct record *r, enum state_verdict verdict,
		      bool wanted, struct err *e)
{
	struct str rec = {(const char *)r->event.p, r->event.n};
	int64_t tid = (int64_t)load64(r->event.p + 8);
	uint16_t type = type_of(rec);
	struct front front;

	if (is_enter_half(type)) {
		enters_put(c->enters, tid, rec, r->raw);
		return 0;
	}
	if (type == EV_ASYNCEVENT_E && placenotes_hold(c->notes, rec, r->raw))
		return 0;
	front.enter = take_enter(c, tid, type);
	placenotes_take(c->notes, tid, front.notes);
	/* What is not shown is no event to a filter: readers of the copy need it too. */
	if (wanted || verdict == STATE_HIDDEN)
		return write_event(c, r, &front, false, e);
	if (c->o.keeps_state && event_changes_state(type))
		return write_event(c, r, &front, true, e);
	return 0;
}

int copy_record(struct copy *c, const struct record *r, enum state_verdict verdict, bool wanted,
		struct err *e)
{
	if (c->o.some && r->kind == RECORD_EVENT)
		return some_event(c, r, verdict, wanted, e);
	if (c->o.some && r->kind == RECORD_UNSEEN)
		return 0;
	if (c->o.some && r->kind == RECORD_SECTION) {
		enters_clear(c->enters);
		placenotes_clear(c->notes);
	}
	return capfile_write_raw(c->writer, r->raw, e);
}
