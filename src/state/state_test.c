/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

static void want(struct feed *f, uint16_t type, unsigned call)
{
	uint64_t events[(EV_COUNT + 63) / 64] = {0}, calls[(SC_COUNT + 63) / 64] = {0};

	events[type / 64] |= 1ULL << (type % 64);
	calls[call / 64] |= 1ULL << (call % 64);
	state_want(f->s, events, calls);
}

TEST(events_are_numbered_and_know_the_one_before)
{
	struct feed *f = feed_new(NULL);
	uint64_t first;

	feed_tick(f, 1);
	first = f->ts;
	CHECK_INT(f->m.ev.num, 1);
	CHECK(f->m.is_first);
	CHECK_INT(f->m.prev_ts, 0);
	feed_tick(f, 1);
	CHECK_INT(f->m.ev.num, 2);
	CHECK(!f->m.is_first);
	CHECK_INT(f->m.prev_ts, first);
	CHECK_INT(f->m.first_ts, first);
	feed_free(f);
}

TEST(unwanted_events_still_do_their_work)
{
	struct feed *f = feed_family();

	want(f, EV_SYSCALL_CLOSE_X, 0);
	f->m.ev.num = 0;
	feed_openat(f, 100, 3, "/a", 0);
	CHECK_INT(EVENT_OF(f, EV_SYSCALL_NANOSLEEP_X, 100, I64(0), U64(1)), STATE_UNWANTED);
	CHECK_INT(EVENT_OF(f, EV_SYSCALL_CLOSE_X, 100, I64(0), I64(3)), STATE_DELIVER);
	CHECK_STR(text_of(f->m.fd->name), "/a");
	CHECK_INT(f->m.ev.num, 4);
	CHECK_INT(EVENT_OF(f, EV_SYSCALL_NANOSLEEP_X, 100, I64(0), U64(1)), STATE_UNWANTED);
	CHECK_STR(fd_name(f, 100, 3), "(unknown)");
	CHECK_INT(EVENT_OF(f, EV_SYSCALL_NANOSLEEP_X, 444, I64(0), U64(1)), STATE_UNWANTED);
	CHECK_STR(text_of(who(f, 444)->comm), "<NA>");
	state_want(f->s, NULL, NULL);
	CHECK_INT(EVENT_OF(f, EV_SYSCALL_NANOSLEEP_X, 100, I64(0), U64(1)), STATE_DELIVER);
	feed_free(f);
}

TEST(a_skipped_exit_ends_the_wait_for_an_enter_half)
{
	struct feed *f = feed_family();

	want(f, EV_SYSCALL_OPENAT_2_X, 0);
	EVENT_OF(f, EV_SYSCALL_OPENAT_2_E, 100, I64(AT_FDCWD_PORTABLE), TEXT("/first"), U32(1),
		 U32(0));
	EVENT_OF(f, EV_SYSCALL_NANOSLEEP_X, 100, I64(0), U64(1));
	feed_openat(f, 100, 3, "/second", 0);
	CHECK_STR(fd_name(f, 100, 3), "/second");
	feed_free(f);
}

TEST(generic_calls_are_wanted_one_by_one)
{
	struct feed *f = feed_family();

	want(f, EV_GENERIC_X, SC_GETPID);
	CHECK_INT(EVENT_OF(f, EV_GENERIC_X, 100, U16(SC_GETPID), U16(39)), STATE_DELIVER);
	CHECK_INT(EVENT_OF(f, EV_GENERIC_X, 100, U16(SC_GETPPID), U16(110)), STATE_UNWANTED);
	CHECK_INT(EVENT_OF(f, EV_GENERIC_X, 100, U16(9999), U16(110)), STATE_UNWANTED);
	CHECK_INT(EVENT_OF(f, EV_GENERIC_X, 100, NONE), STATE_UNWANTED);
	feed_free(f);
}

TEST(the_state_is_the_same_whoever_looks)
{
	static const char tuple[] = "\x01\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0/run/s";
	const char *names[2];

	for (unsigned i = 0; i < 2; i++) {
		static char name[2][64];
		struct feed *f = feed_family();

		if (i)
			want(f, EV_SYSCALL_CLOSE_X, 0);
		EVENT_OF(f, EV_SOCKET_SOCKET_X, 100, I64(3), U32(1), U32(1), U32(0), U32(0));
		EVENT_OF(f, EV_SOCKET_SENDTO_X, 100, I64(1), NONE, I64(3), U32(1), TEXT(tuple));
		EVENT_OF(f, EV_SYSCALL_CLOSE_X, 100, I64(0), I64(3));
		names[i] = strcpy(name[i], text_of(f->m.fd->name));
		feed_free(f);
	}
	CHECK_STR(names[0], "1->2 /run/s");
	CHECK_STR(names[1], names[0]);
}

TEST(metadata_before_the_first_event_is_not_shown)
{
	struct feed *f = feed_new(NULL);

	CHECK_INT(EVENT_OF(f, EV_USER_ADDED_E, -1, U32(5), U32(6), TEXT("games"), TEXT("/g"),
			   TEXT("/bin/sh"), TEXT("")),
		  STATE_HIDDEN);
	CHECK_STR(text_of(user_find(f->s, NULL, 5)->name), "games");
	CHECK_INT(EVENT_OF(f, EV_SYSCALL_NANOSLEEP_X, 1, I64(0), U64(1)), STATE_DELIVER);
	CHECK_INT(f->m.ev.num, 2);
	CHECK_INT(f->m.first_ts, f->ts);
	CHECK_INT(EVENT_OF(f, EV_GROUP_ADDED_E, -1, U32(5), TEXT("g"), TEXT("")), STATE_DELIVER);
	CHECK_STR(text_of(group_find(f->s, NULL, 5)->name), "g");
	EVENT_OF(f, EV_GROUP_DELETED_E, -1, U32(5), TEXT("g"), TEXT(""));
	EVENT_OF(f, EV_USER_DELETED_E, -1, U32(5), U32(6), TEXT("games"), TEXT(""), TEXT(""),
		 TEXT(""));
	CHECK(!user_find(f->s, NULL, 5) && !group_find(f->s, NULL, 5));
	feed_free(f);
}

TEST(containers_come_and_go_and_their_events_show_them)
{
	static const char json[] = "{\"container\":{\"id\":\"0123456789ab\",\"name\":\"web\"}}";
	struct feed *f = feed_family();
	uint64_t epoch = state_container_epoch(f->s);

	EVENT_OF(f, EV_ASYNCEVENT_E, -1, U32(0), TEXT("container"), TEXT(json));
	CHECK(f->m.container && str_is(f->m.container->name, "web"));
	CHECK(container_find(f->s, STR("0123456789ab")));
	CHECK(state_container_epoch(f->s) != epoch);
	EVENT_OF(f, EV_ASYNCEVENT_E, -1, U32(0), TEXT("container_removed"), TEXT(json));
	CHECK(f->m.container && str_is(f->m.container->name, "web"));
	CHECK(!container_find(f->s, STR("0123456789ab")));
	EVENT_OF(f, EV_CONTAINER_JSON_2_E, -1, TEXT(json));
	CHECK(container_find(f->s, STR("0123456789ab")));
	EVENT_OF(f, EV_ASYNCEVENT_E, -1, U32(0), TEXT("container"), TEXT("{nonsense"));
	CHECK(!f->m.container);
	feed_free(f);
}

TEST(records_that_lie_are_counted_and_skipped)
{
	static const uint8_t bad[64] = {[16] = 200};
	struct record r = {.kind = RECORD_EVENT};
	struct feed *f = feed_family();
	struct state_stats st;

	for (uint32_t n = 0; n <= sizeof(bad); n++) {
		r.event.p = bad;
		r.event.n = n;
		CHECK_INT(state_apply(f->s, &r, &f->m), STATE_HIDDEN);
	}
	state_get_stats(f->s, &st);
	CHECK_INT(st.n_bad_records, sizeof(bad) + 1);
	feed_free(f);
}

/* Numbers that are likely to meet each other, and some that are absurd. */
static int64_t odd_number(uint64_t *seed)
{
	static const int64_t odd[] = {-1, -100, INT64_MIN, INT64_MAX, INT32_MAX, 1LL << 33, 0};
	uint64_t x = *seed = hash_u64(*seed + 1);

	return x % 8 ? (int64_t)(x >> 32) % 12 : odd[x >> 32 & 7 ? (x >> 32) % 7 : 0];
}

static int64_t number[EVENT_MAX_PARAMS];
static char text[EVENT_MAX_PARAMS][80];

static struct event_arg odd_arg(unsigned i, const struct param_info *p, uint64_t *seed)
{
	unsigned size = param_type_size((enum param_type)p->type);

	number[i] = odd_number(seed);
	if (*seed % 16 == 0)
		return (struct event_arg){NULL, 0};
	if (size)
		return (struct event_arg){&number[i], size};
	for (unsigned k = 0; k < sizeof(text[i]); k++)
		text[i][k] = "\x01\x02\x0a\0/.a"[(*seed >> (k % 40)) % 7];
	return (struct event_arg){text[i], (uint32_t)(*seed >> 20) % sizeof(text[i])};
}

TEST(no_sequence_of_records_does_harm)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct event_arg args[EVENT_MAX_PARAMS];
	struct state_stats st;
	struct feed *f;
	uint64_t seed = 1;

	cfg.max_threads = 9;
	cfg.max_fds = 20;
	cfg.max_bytes = 1 << 20;
	cfg.max_containers = 2;
	f = feed_new(&cfg);
	for (unsigned n = 0; n < 300000; n++) {
		uint16_t type = (uint16_t)(hash_u64(seed += n) % EV_COUNT);
		const struct event_info *info = &event_table[type];

		if (!apply_table[type])
			continue;
		if (n % 5000 == 0)
			feed_proc(f, odd_number(&seed), odd_number(&seed), odd_number(&seed), "x");
		for (unsigned i = 0; i < info->n_params; i++)
			args[i] = odd_arg(i, &info->params[i], &seed);
		feed_event(f, type, odd_number(&seed), args, info->n_params);
		state_get_stats(f->s, &st);
		CHECK(st.n_threads <= 9 && st.n_fds <= 20);
	}
	CHECK(st.threads_added > 100 && st.fds_added > 100);
	feed_free(f);
}

TEST(events_that_change_nothing_are_known)
{
	CHECK(event_changes_state(EV_SYSCALL_OPENAT_2_X));
	CHECK(event_changes_state(EV_PROCEXIT_1_E));
	CHECK(event_changes_state(EV_ASYNCEVENT_E));
	CHECK(!event_changes_state(EV_SYSCALL_NANOSLEEP_X));
	CHECK(!event_changes_state(EV_SYSCALL_UNLINKAT_2_X));
	CHECK(!event_changes_state(EV_GENERIC_X));
}
