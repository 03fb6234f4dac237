/* SPDX-License-Identifier: Apache-2.0 */
#include "app/picturenote.h"

#include "base/test.h"

static struct picturenote note;

static void add_proc(int64_t tid, uint64_t read_ns)
{
	struct snap_proc p = {.tid = tid, .pid = tid, .read_ns = read_ns};

	picturenote_add(&note, &(struct record){.kind = RECORD_PROC, .proc = &p});
}

static void add_fd(int64_t num, uint8_t type, bool closes_on_exec, uint64_t read_ns)
{
	struct snap_fd fd = {.tid = 5,
			     .fd = num,
			     .type = type,
			     .closes_on_exec = closes_on_exec,
			     .read_ns = read_ns};

	picturenote_add(&note, &(struct record){.kind = RECORD_FD, .fd = &fd});
}

/* Take it: its time, and the entries. */
static size_t take(uint64_t *ret_ts, struct note_picture ret[PICTURE_NOTE_ENTRIES])
{
	struct record r;
	struct event ev;
	struct str data;

	CHECK(picturenote_take(&note, &r));
	CHECK_INT(event_decode(r.event.p, r.event.n, &ev, NULL), 0);
	CHECK_INT(ev.type, EV_ASYNCEVENT_E);
	CHECK(str_is(str_until_nul(event_param(&ev, 1)), NOTE_PICTURE));
	data = event_param(&ev, 2);
	memcpy(ret, data.p, data.n);
	*ret_ts = ev.ts;
	return data.n / sizeof(*ret);
}

TEST(threads_have_their_time_and_descriptors_what_their_list_cannot_say)
{
	static struct note_picture got[PICTURE_NOTE_ENTRIES];
	struct record r;
	uint64_t ts;

	picturenote_init(&note);
	CHECK(!picturenote_take(&note, &r));
	add_proc(5, 1000);
	add_fd(3, FD_FIFO, true, 3000);
	add_fd(4, FD_FIFO, false, 2000);
	add_fd(6, FD_FILE_V2, true, 2000); /* whose flags are in the list */
	CHECK_INT(take(&ts, got), 2);
	CHECK_INT(ts, 3000);
	CHECK(got[0].tid == 5 && got[0].fd == NOTE_PICTURE_THREAD && got[0].read_ns == 1000);
	CHECK(got[1].tid == 5 && got[1].fd == 3);
	CHECK(!picturenote_take(&note, &r));
	picturenote_done(&note);
}

TEST(without_an_entry_it_says_how_long_the_picture_took)
{
	static struct note_picture got[PICTURE_NOTE_ENTRIES];
	uint64_t ts;

	picturenote_init(&note);
	add_fd(7, FD_FIFO, false, 4000);
	CHECK_INT(take(&ts, got), 0);
	CHECK_INT(ts, 4000);
	picturenote_done(&note);
}

TEST(many_entries_are_several_notes)
{
	static struct note_picture got[PICTURE_NOTE_ENTRIES];
	struct record r;
	uint64_t ts;

	picturenote_init(&note);
	for (unsigned i = 0; i < PICTURE_NOTE_ENTRIES + 3; i++)
		add_proc(i, i + 1);
	CHECK_INT(take(&ts, got), PICTURE_NOTE_ENTRIES);
	CHECK_INT(take(&ts, got), 3);
	CHECK_INT(got[2].tid, PICTURE_NOTE_ENTRIES + 2);
	CHECK(!picturenote_take(&note, &r));
	picturenote_done(&note);
}
