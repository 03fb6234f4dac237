/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/convert.h"

#include "capture/testfile.h"

#include <errno.h>

#define TID 42

/*
 * A record of n parameters of the size that their types ask for, 3 bytes for those of any
 * size; parameter i is filled with first + i.
 */
static size_t typical(uint8_t *out, uint16_t type, unsigned n, char first)
{
	char letters[EVENT_MAX_PARAMS];
	unsigned lengths[EVENT_MAX_PARAMS];

	for (unsigned i = 0; i < n; i++) {
		unsigned size = param_type_size(event_table[type].params[i].type);

		letters[i] = (char)(first + (char)i);
		lengths[i] = size ? size : 3;
	}
	return make_record(out, type, TID, letters, lengths, n);
}

static unsigned n_of(struct str rec)
{
	return load32((const uint8_t *)rec.p + 22);
}

static uint16_t type_of(struct str rec)
{
	return load16((const uint8_t *)rec.p + 20);
}

static struct str param(struct str rec, unsigned i)
{
	unsigned wide = event_table[type_of(rec)].flags & EF_LARGE_PAYLOAD ? 4 : 2;
	const char *len = rec.p + RECORD_HEADER_BYTES, *p = len + (size_t)wide * n_of(rec);
	uint32_t n;

	for (;; i--, len += wide, p += n) {
		n = 0;
		memcpy(&n, len, wide);
		if (!i)
			return (struct str){p, n};
	}
}

static bool is_all(struct str s, char c)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != c)
			return false;
	return s.n > 0;
}

/* Nobody wants to know its blocks. */
static int convert_alone(struct converter *c, struct str *rec, struct err *e)
{
	struct str unused;

	return convert(c, rec, STR_EMPTY, &unused, e);
}

static struct str converted(struct converter *c, const uint8_t *rec, size_t n, int expected)
{
	struct str s = {(const char *)rec, n};
	struct err e = {0};
	int r = convert_alone(c, &s, &e);

	if (r < 0)
		fail_msg("type %u: %s", load16(rec + 20), e.msg);
	CHECK_INT(r, expected);
	if (r != CONVERTED_DROP)
		CHECK_INT(record_check((const uint8_t *)s.p, s.n, &e), 0);
	return s;
}

static bool reads_enter(const struct convert_rule *r)
{
	for (unsigned i = 0; i < r->n_steps; i++)
		if (r->steps[i].from == FROM_ENTER || r->steps[i].from == FROM_ENTER_OR_EMPTY)
			return true;
	return false;
}

/* Nothing of the table converts this any further. */
static bool is_final(uint16_t type, unsigned n)
{
	const struct event_info *info = &event_table[type];
	const struct convert_rule *r = convert_find(type, n);

	if (r && r->action != CONVERT_ADD_PARAMS && r->action != CONVERT_CHANGE_TYPE)
		return true;
	return !(info->flags & EF_OLD_VERSION) &&
	       (!(info->flags & EF_CONVERTER_MANAGED) || n == info->n_params);
}

/* One parameter made by a rule of a single step, after the enter record if it reads one. */
static void check_param(struct convert_step step, struct str v, uint8_t type)
{
	unsigned size = param_type_size(type);

	switch ((enum convert_source)step.from) {
	case FROM_OLD:
		CHECK(is_all(v, (char)('A' + step.param)));
		return;
	case FROM_ENTER:
	case FROM_ENTER_OR_EMPTY:
		CHECK(is_all(v, (char)('a' + step.param)));
		return;
	case FROM_DEFAULT:
		CHECK_INT(v.n, size);
		CHECK(!size || is_all(v, type == PT_UID || type == PT_GID ? '\xff' : 0));
		return;
	case FROM_EMPTY:
		CHECK_INT(v.n, 0);
		return;
	case FROM_JSON:
		CHECK(v.n > 20);
		return;
	}
}

static void check_rewrite(struct converter *c, const struct convert_rule *r)
{
	uint8_t rec[4096];
	unsigned kept = r->action == CONVERT_ADD_PARAMS ? r->n_params : 0;
	const struct convert_rule *next;
	struct str out;
	bool is_chain;
	size_t n;

	if (reads_enter(r)) {
		uint16_t enter = r->event - 1;
		struct str s = {(const char *)rec,
				typical(rec, enter, event_table[enter].n_params, 'a')};
		int done = convert_alone(c, &s, NULL);

		CHECK(done == CONVERTED_DROP || done == CONVERTED_ASIS);
	}
	n = typical(rec, r->event, r->n_params, 'A');
	next = convert_find(r->to, kept + r->n_steps);
	if (next && next->action == CONVERT_STORE) {
		converted(c, rec, n, CONVERTED_DROP);
		return;
	}
	out = converted(c, rec, n, CONVERTED_OTHER);
	CHECK(is_final(type_of(out), n_of(out)));
	CHECK_MEM(out.p, rec, 16);
	CHECK_INT(load32((const uint8_t *)out.p + 16), out.n);
	is_chain = type_of(out) != r->to || n_of(out) != kept + r->n_steps;
	if (is_chain)
		return;
	for (unsigned i = 0; i < kept; i++)
		CHECK(is_all(param(out, i), (char)('A' + (char)i)));
	for (unsigned i = 0; i < r->n_steps; i++)
		check_param(r->steps[i], param(out, kept + i),
			    event_table[r->to].params[kept + i].type);
}

static void check_rule(struct converter *c, const struct convert_rule *r)
{
	uint8_t rec[4096];
	size_t n = typical(rec, r->event, r->n_params, 'a');
	uint64_t absorbed = c->n_absorbed;

	switch ((enum convert_action)r->action) {
	case CONVERT_PASS:
	case CONVERT_STORE_AND_PASS:
		converted(c, rec, n, CONVERTED_ASIS);
		return;
	case CONVERT_STORE:
		converted(c, rec, n, CONVERTED_DROP);
		CHECK_INT(c->n_absorbed, absorbed + 1);
		return;
	case CONVERT_ADD_PARAMS:
	case CONVERT_CHANGE_TYPE:
		check_rewrite(c, r);
		return;
	case CONVERT_NONE:
		fail();
	}
}

TEST(every_rule_of_the_table_leads_to_a_record_of_today)
{
	struct converter c;
	unsigned n_rules = 0;

	converter_init(&c);
	for (uint16_t type = 0; type < EV_COUNT; type++) {
		for (unsigned n = 0; n <= EVENT_MAX_PARAMS; n++) {
			const struct convert_rule *r = convert_find(type, n);

			if (!r)
				continue;
			check_rule(&c, r);
			n_rules++;
		}
	}
	CHECK_INT(n_rules, 253);
	converter_done(&c);
}

TEST(records_of_today_pass_untouched)
{
	struct converter c;
	uint8_t rec[4096];

	converter_init(&c);
	for (uint16_t type = 0; type < EV_COUNT; type++) {
		const struct event_info *info = &event_table[type];

		if (info->flags & (EF_UNUSED | EF_OLD_VERSION) ||
		    (!event_is_exit(type) && c.enters))
			continue;
		converted(&c, rec, typical(rec, type, info->n_params, 'A'), CONVERTED_ASIS);
	}
	converter_done(&c);
}

TEST(the_quick_answer_is_the_full_answer)
{
	struct converter c;
	uint8_t rec[4096];

	converter_init(&c);
	for (uint16_t type = 0; type < EV_COUNT; type++) {
		for (unsigned n = 0; n <= event_table[type].n_params; n++) {
			struct str s = {(const char *)rec, typical(rec, type, n, 'A')};

			if (c.pass[type] == n || c.pass[type] == PASS_ANY)
				CHECK_INT(convert_alone(&c, &s, NULL), CONVERTED_ASIS);
		}
		if (event_table[type].flags & EF_LARGE_PAYLOAD)
			CHECK_INT(c.pass[type], PASS_NEVER);
	}
	CHECK_INT(c.pass[EV_SYSCALL_READ_X], 4);
	CHECK_INT(c.pass[EV_SYSCALL_OPENAT_2_E], 4);
	CHECK_INT(c.pass[EV_SOCKET_CONNECT_E], PASS_NEVER);
	CHECK_INT(c.pass[EV_SIGNALDELIVER_E], PASS_ANY);
	CHECK(!c.enters);
	converter_done(&c);
}

TEST(the_oldest_execve_comes_all_the_way)
{
	struct converter c;
	uint8_t rec[4096];
	struct str out;

	converter_init(&c);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_EXECVE_8_X, 8, 'A'), CONVERTED_OTHER);
	CHECK_INT(type_of(out), EV_SYSCALL_EXECVE_19_X);
	CHECK_INT(n_of(out), event_table[EV_SYSCALL_EXECVE_19_X].n_params);
	for (unsigned i = 0; i < 8; i++)
		CHECK(is_all(param(out, i), (char)('A' + (char)i)));
	for (unsigned i = 8; i < n_of(out); i++)
		CHECK_INT(param(out, i).n, 0);

	/* Its enter half is an event too, and is remembered for the file name. */
	out = converted(&c, rec, typical(rec, EV_SYSCALL_EXECVE_17_E, 0, 'a'), CONVERTED_OTHER);
	CHECK_INT(type_of(out), EV_SYSCALL_EXECVE_19_E);
	CHECK_INT(n_of(out), 1);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_EXECVE_18_E, 1, 'a'), CONVERTED_OTHER);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_EXECVE_18_X, 17, 'A'), CONVERTED_OTHER);
	CHECK(is_all(param(out, 30), 'a'));
	converter_done(&c);
}

TEST(an_exit_without_its_enter_gets_defaults)
{
	struct converter c;
	uint8_t rec[4096];
	struct str out;

	converter_init(&c);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_READ_X, 2, 'A'), CONVERTED_OTHER);
	CHECK_INT(param(out, 2).n, 8);
	CHECK(is_all(param(out, 2), 0));
	CHECK_INT(param(out, 3).n, 4);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_SETUID_X, 1, 'A'), CONVERTED_OTHER);
	CHECK_INT(param(out, 1).n, 0); /* "or empty" */

	/* The enter of another call is not taken, and is gone afterwards. */
	converted(&c, rec, typical(rec, EV_SYSCALL_WRITE_E, 2, 'a'), CONVERTED_DROP);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_READ_X, 2, 'A'), CONVERTED_OTHER);
	CHECK(is_all(param(out, 2), 0));
	out = converted(&c, rec, typical(rec, EV_SYSCALL_WRITE_X, 2, 'A'), CONVERTED_OTHER);
	CHECK(is_all(param(out, 2), 0));
	converter_done(&c);
}

TEST(an_enter_is_used_once_and_by_its_thread_only)
{
	struct converter c;
	uint8_t rec[4096];
	int64_t other = TID + 1;
	struct str out;
	size_t n;

	converter_init(&c);
	converted(&c, rec, typical(rec, EV_SYSCALL_READ_E, 2, 'a'), CONVERTED_DROP);
	n = typical(rec, EV_SYSCALL_READ_X, 2, 'A');
	memcpy(rec + 8, &other, 8);
	out = converted(&c, rec, n, CONVERTED_OTHER);
	CHECK(is_all(param(out, 2), 0));
	n = typical(rec, EV_SYSCALL_READ_X, 2, 'A');
	out = converted(&c, rec, n, CONVERTED_OTHER);
	CHECK(is_all(param(out, 2), 'a'));
	out = converted(&c, rec, n, CONVERTED_OTHER);
	CHECK(is_all(param(out, 2), 0));

	converted(&c, rec, typical(rec, EV_SYSCALL_READ_E, 2, 'a'), CONVERTED_DROP);
	converter_restart(&c);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_READ_X, 2, 'A'), CONVERTED_OTHER);
	CHECK(is_all(param(out, 2), 0));
	converter_done(&c);
}

TEST(waiting_enters_are_bounded_and_the_oldest_go_first)
{
	enum { N = 100000 };
	struct converter c;
	uint8_t rec[4096];
	unsigned n_found = 0;

	converter_init(&c);
	for (int64_t tid = 0; tid < N; tid++) {
		size_t n = typical(rec, EV_SYSCALL_READ_E, 2, 'a');

		memcpy(rec + 8, &tid, 8);
		converted(&c, rec, n, CONVERTED_DROP);
	}
	CHECK(converter_evicted(&c) > N / 2);
	for (int64_t tid = 0; tid < N; tid++) {
		size_t n = typical(rec, EV_SYSCALL_READ_X, 2, 'A');

		memcpy(rec + 8, &tid, 8);
		if (is_all(param(converted(&c, rec, n, CONVERTED_OTHER), 2), 'a'))
			n_found++;
		else
			CHECK(tid < N - 100);
	}
	CHECK_INT(n_found + converter_evicted(&c), N);
	converter_done(&c);
}

TEST(enters_of_any_size_take_bounded_memory)
{
	static uint8_t rec[70000];
	const unsigned lengths[] = {8, 60000, 8};
	struct converter c;

	converter_init(&c);
	for (int64_t tid = 0; tid < 1000; tid++) {
		size_t n = make_record(rec, EV_SOCKET_SENDTO_E, tid, "abc", lengths, 3);

		converted(&c, rec, n, CONVERTED_DROP);
	}
	CHECK(converter_evicted(&c) > 800);
	converter_done(&c);
}

TEST(longer_values_than_the_type_has_room_for_are_cut)
{
	const unsigned lengths[] = {8, 8};
	struct converter c;
	uint8_t rec[4096];
	struct str out;

	converter_init(&c);
	converted(&c, rec, make_record(rec, EV_SYSCALL_READ_E, TID, "ab", lengths, 2),
		  CONVERTED_DROP);
	out = converted(&c, rec, typical(rec, EV_SYSCALL_READ_X, 2, 'A'), CONVERTED_OTHER);
	CHECK_INT(param(out, 3).n, 4);
	CHECK(is_all(param(out, 3), 'b'));
	converter_done(&c);
}

TEST(a_container_record_becomes_json)
{
	static const char text[] = "{\"container\":{\"id\":\"abc\",\"image\":\"\",\"name\":"
				   "\"a\\\"\\\\\\u0001\",\"type\":7}}";
	const unsigned lengths[] = {4, 4, 5, 0};
	struct converter c;
	uint8_t rec[4096];
	struct str out;
	size_t n;

	converter_init(&c);
	n = make_record(rec, EV_CONTAINER_E, TID, "xxxx", lengths, 4);
	memcpy(rec + RECORD_HEADER_BYTES + 8, "abc\0\7\0\0\0a\"\\\1\0", 13);
	out = converted(&c, rec, n, CONVERTED_OTHER);
	CHECK_INT(type_of(out), EV_CONTAINER_JSON_2_E);
	CHECK_INT(n_of(out), 1);
	CHECK_INT(param(out, 0).n, sizeof(text));
	CHECK_MEM(param(out, 0).p, text, sizeof(text));
	converter_done(&c);
}

TEST(what_has_no_meaning_today_is_dropped)
{
	struct converter c;
	uint8_t rec[4096];

	converter_init(&c);
	for (uint16_t type = 0; type < EV_COUNT; type++) {
		uint16_t flags = event_table[type].flags;

		if (flags & EF_UNUSED ||
		    (flags & (EF_OLD_VERSION | EF_CONVERTER_MANAGED)) == EF_OLD_VERSION)
			converted(&c, rec, typical(rec, type, 0, 'A'), CONVERTED_DROP);
	}
	converter_done(&c);
}

TEST(impossible_numbers_of_parameters_are_errors)
{
	static const unsigned ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	struct converter c;
	struct err e = {0};
	uint8_t rec[4096];
	struct str s = {(const char *)rec, 0};

	converter_init(&c);
	s.n = make_record(rec, EV_SYSCALL_READ_X, TID, "ABCDEFGH", ones, 5);
	CHECK_INT(convert_alone(&c, &s, &e), -EINVAL);
	CHECK_STR(e.msg, "a record of type 7 (read) cannot have 5 parameters");
	s.n = make_record(rec, EV_SYSCALL_READ_X, TID, "ABCDEFGH", ones, 1);
	CHECK_INT(convert_alone(&c, &s, &e), -EINVAL);
	s.n = make_record(rec, EV_SYSCALL_READ_E, TID, "ABCDEFGH", ones, 1);
	CHECK_INT(convert_alone(&c, &s, &e), -EINVAL);
	converter_done(&c);
}

TEST(conversion_does_not_outgrow_its_limit)
{
	static uint8_t rec[80000];
	static const unsigned lengths[] = {8, 65481};
	const unsigned big_name[] = {4, 4, 40000, 4};
	struct converter c;
	struct err e = {0};
	struct str s = {(const char *)rec, 0};

	converter_init(&c);
	s.n = make_record(rec, EV_SYSCALL_READ_X, TID, "AB", lengths, 2);
	CHECK_INT(convert_alone(&c, &s, &e), CONVERTED_OTHER);
	CHECK(s.n <= CONVERT_MAX_BYTES);
	s = (struct str){(const char *)rec, 0};
	s.n = make_record(rec, EV_SYSCALL_READ_X, TID, "AB", (const unsigned[]){8, 65535}, 2);
	CHECK_INT(convert_alone(&c, &s, &e), -EINVAL);
	CHECK_STR(e.msg, "the converted record is too long (65589 bytes)");
	/* Two bytes of JSON for each of a name. */
	s = (struct str){(const char *)rec, 0};
	s.n = make_record(rec, EV_CONTAINER_E, TID, "a\1\"a", big_name, 4);
	CHECK_INT(convert_alone(&c, &s, &e), -EINVAL);
	CHECK_STR(e.msg, "a converted parameter is too long");
	converter_done(&c);
}

/* The version 1 form of a record: no number of parameters. */
static size_t to_v1(uint8_t *rec, size_t n)
{
	memmove(rec + 22, rec + 26, n - 26);
	store32(rec + 16, (uint32_t)n - 4);
	return n - 4;
}

TEST(the_number_of_parameters_of_version_1_is_found)
{
	struct converter c;
	uint8_t rec[4096], v1[4096];

	converter_init(&c);
	for (uint16_t type = 0; type < EV_COUNT; type++) {
		for (unsigned n = 0; n <= event_table[type].n_params; n++) {
			size_t len = typical(rec, type, n, 'A');
			struct str out;
			struct err e = {0};

			memcpy(v1, rec, len);
			to_v1(v1, len);
			if (type == EV_NOTIFICATION_E || type == EV_INFRASTRUCTURE_EVENT_E)
				store32(v1 + 16, (uint32_t)len - 4 + 3);
			CHECK_INT(convert_v1(&c, v1, len, &out, &e), 0);
			CHECK_INT(n_of(out), n);
			CHECK_INT(out.n, len);
			CHECK_MEM(out.p, rec, len);
		}
	}
	converter_done(&c);
}

TEST(version_1_records_that_do_not_add_up_are_errors)
{
	struct converter c;
	struct err e = {0};
	struct str out;
	uint8_t rec[4096];
	size_t n = to_v1(rec, typical(rec, EV_SYSCALL_READ_X, 2, 'A'));

	converter_init(&c);
	store32(rec + 16, (uint32_t)n - 1);
	CHECK_INT(convert_v1(&c, rec, n, &out, &e), -EINVAL);
	CHECK_STR(e.msg, "the lengths of its record (read) do not add up");
	CHECK_INT(convert_v1(&c, rec, n - 2, &out, &e), -EINVAL);
	CHECK_STR(e.msg, "its record says it has 36 bytes, there are 35");
	store32(rec + 16, 21);
	CHECK_INT(convert_v1(&c, rec, n, &out, &e), -EINVAL);
	store16(rec + 20, EV_NOTIFICATION_E);
	store32(rec + 16, 22);
	CHECK_INT(convert_v1(&c, rec, n, &out, &e), -EINVAL);
	converter_done(&c);
}
