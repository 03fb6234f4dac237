/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: whatever parses is compiled, one condition a line, and evaluated on one event.
 * Every way of asking must come to the same.
 */
#include "filter/program.h"

#include <stdint.h>
#include <stdlib.h>

enum { DEPTH = 200, LINES_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct subject {
	struct state *state;
	struct moment moment;
	uint8_t bytes[512];
};

/* An openat of /etc/passwd by a thread that has a parent. */
static struct subject *subject_new(void)
{
	static const int64_t fd = 3, dirfd = -100;
	static const uint32_t flags = PPM_O_RDWR, mode = 0, dev = 1;
	static const uint64_t ino = 5;
	const struct event_arg args[] = {{&fd, 8},    {&dirfd, 8}, {"/etc/passwd", 12},
					 {&flags, 4}, {&mode, 4},  {&dev, 4},
					 {&ino, 8}};
	struct state_config config = STATE_CONFIG_DEFAULT;
	struct subject *s = calloc(1, sizeof(*s));
	struct record r = {.kind = RECORD_EVENT, .event = {.p = s->bytes}};

	s->state = state_new(&config);
	for (int64_t tid = 1; tid < 4; tid++) {
		struct snap_proc proc = {.tid = tid,
					 .pid = tid,
					 .ptid = tid - 1,
					 .comm = STR("sh"),
					 .exe = STR("/bin/sh"),
					 .args = {"-c\0x\0", 5}};
		struct record p = {.kind = RECORD_PROC, .proc = &proc};

		state_apply(s->state, &p, &s->moment);
	}
	r.event.n = (uint32_t)event_encode(s->bytes, sizeof(s->bytes), EV_SYSCALL_OPENAT_2_X, 1000,
					   3, args, 7);
	if (state_apply(s->state, &r, &s->moment) != STATE_DELIVER)
		abort();
	return s;
}

/* Fields that remember when they were asked last: asking twice is not asking once. */
static bool remembers(struct str line)
{
	return str_find(line, STR("evt.delta")) >= 0 || str_find(line, STR("util.")) >= 0 ||
	       str_find(line, STR("thread.cpu")) >= 0;
}

static size_t add_lines(struct program *p, struct str text, struct arena *a)
{
	struct warnings w = {.arena = a};
	size_t n = 0;

	for (unsigned i = 0; text.n && i < LINES_MAX; i++) {
		ptrdiff_t end = str_chr(text, '\n');
		struct str line = end < 0 ? text : str_head(text, (size_t)end);
		struct event_set events;
		struct position at = {0};
		struct err e;
		struct ast *t;

		text = str_from(text, line.n + 1);
		if (!remembers(line) && ast_parse(line, DEPTH, a, &t, &at, &e) == 0 &&
		    program_add(p, t, &events, &w, &at, &e) >= 0)
			n++;
	}
	free(w.list);
	return n;
}

static bool is_in(const uint32_t *ids, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject *s;
	struct program *p = program_new();
	struct arena a, scratch;
	const struct explain_step *reasons;
	struct explain_step step;
	struct field_ctx c;
	const uint32_t *ids;
	unsigned unused;
	size_t n, n_ids;

	if (!s)
		s = subject_new();
	arena_init(&a, 0);
	arena_init(&scratch, 0);
	c = (struct field_ctx){.state = s->state, .m = &s->moment, .scratch = &scratch};
	n = add_lines(p, (struct str){(const char *)data, size}, &a);
	program_seal(p);
	n_ids = program_eval(p, &c, false, &ids);
	for (uint32_t i = 0; i < n; i++) {
		bool holds = program_explain(p, &c, i, EXPLAIN_WHOLE, &a, &step, &unused);

		if (holds != is_in(ids, n_ids, i))
			abort();
		if (!holds && !program_explain_all(p, i, EXPLAIN_BRIEF, &a, &reasons))
			abort();
	}
	program_free(p);
	arena_done(&scratch);
	arena_done(&a);
	return 0;
}
