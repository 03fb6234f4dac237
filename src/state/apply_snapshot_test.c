/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

static void put(struct feed *f, const struct snap_fd *fd)
{
	struct record r = {.kind = RECORD_FD, .fd = fd};

	CHECK_INT(state_apply(f->s, &r, &f->m), STATE_HIDDEN);
}

static struct snap_fd tcp(int64_t num, uint16_t sport, uint16_t dport)
{
	return (struct snap_fd){
		.tid = 100,
		.fd = num,
		.type = FD_IPV4_SOCK,
		.tuple = {.src = {10, 0, 0, 1},
			  .dst = {10, 0, 0, 2},
			  .sport = sport,
			  .dport = dport,
			  .l4 = L4_TCP},
		.name = STR_EMPTY,
	};
}

TEST(a_listening_port_tells_servers_from_clients)
{
	struct snap_fd in = tcp(4, 80, 5555), out = tcp(5, 6666, 443);
	struct snap_fd listening = {.tid = 1,
				    .fd = 3,
				    .type = FD_IPV6_SERVSOCK,
				    .tuple = {.dport = 80, .l4 = L4_TCP},
				    .name = STR_EMPTY};
	struct feed *f = feed_new(NULL);
	const struct fd *fd;

	feed_proc(f, 1, 1, 0, "init");
	feed_proc(f, 100, 100, 1, "httpd");
	put(f, &in);
	put(f, &out);
	put(f, &listening);
	feed_tick(f, 100);
	fd = fd_find(f->s, who(f, 100), 4);
	CHECK_STR(text_of(fd->name), "10.0.0.2:5555->10.0.0.1:80");
	CHECK(fd->flags & FDF_ROLE_SERVER && fd->flags & FDF_CONNECTED);
	fd = fd_find(f->s, who(f, 100), 5);
	CHECK_STR(text_of(fd->name), "10.0.0.1:6666->10.0.0.2:443");
	CHECK(fd->flags & FDF_ROLE_CLIENT);
	CHECK_STR(fd_name(f, 1, 3), ":::80");
	feed_free(f);
}

TEST(a_file_of_the_snapshot_may_close_on_exec)
{
	struct snap_fd file = {.tid = 100,
			       .fd = 3,
			       .type = FD_FILE_V2,
			       .name = STR("/a"),
			       .open_flags = PPM_O_CLOEXEC,
			       .dev = 7,
			       .ino = 8};
	struct snap_fd pipe = {.tid = 100, .fd = 4, .type = FD_FIFO, .name = STR("pipe:[1]")};
	struct feed *f = feed_new(NULL);

	feed_proc(f, 100, 100, 1, "sh");
	put(f, &file);
	put(f, &pipe);
	CHECK_INT(fd_find(f->s, who(f, 100), 3)->dev, 7);
	feed_exec(f, 100, 100, "ls");
	CHECK_STR(fd_name(f, 100, 3), "(unknown)");
	CHECK_STR(fd_name(f, 100, 4), "pipe:[1]");
	feed_free(f);
}

TEST(descriptors_of_unknown_threads_and_types_are_harmless)
{
	struct snap_fd lost = {.tid = 999, .fd = 3, .type = FD_FIFO, .name = STR_EMPTY};
	struct snap_fd odd = {.tid = 100, .fd = -7, .type = 200, .name = STR_EMPTY};
	struct feed *f = feed_new(NULL);

	feed_proc(f, 100, 100, 1, "sh");
	put(f, &lost);
	put(f, &odd);
	CHECK_INT(fd_count(f->s, who(f, 100)), 0);
	feed_free(f);
}

TEST(a_process_keeps_what_the_snapshot_says)
{
	struct feed *f = feed_family();
	const struct thread *t = who(f, 100);

	CHECK_STR(text_of(t->cwd), "/home/");
	CHECK_STR(text_of(t->root), "/");
	CHECK_STR(text_of(t->exepath), "/bin/x");
	CHECK_INT(t->clone_ns, 0);
	CHECK_INT(t->loginuid, UINT32_MAX);
	CHECK(t->parent == who(f, 1));
	feed_free(f);
}

TEST(a_new_section_forgets_everything)
{
	struct record r = {.kind = RECORD_SECTION};
	struct snap_machine machine = {.boot_ns = 5, .hostname = STR("box")};
	struct record m = {.kind = RECORD_MACHINE, .machine = &machine};
	struct feed *f = feed_family();
	struct state_stats st;
	uint64_t epoch;

	state_apply(f->s, &m, &f->m);
	CHECK(str_is(state_hostname(f->s), "box"));
	feed_openat(f, 100, 3, "/a", 0);
	feed_close(f, 100, 3);
	epoch = state_container_epoch(f->s);
	state_apply(f->s, &r, &f->m);
	state_get_stats(f->s, &st);
	CHECK_INT(st.n_threads, 0);
	CHECK_INT(st.n_fds, 0);
	CHECK(!state_hostname(f->s).n);
	CHECK(state_container_epoch(f->s) != epoch);
	feed_tick(f, 100);
	CHECK_INT(f->m.thread->pid, -1);
	feed_free(f);
}

TEST(who_is_not_in_the_picture_and_only_its_parents_fork_told_of_does_not_stay)
{
	struct feed *f = feed_new(NULL);
	struct who shell = {.tid = 100, .pid = 100, .ptid = 1};

	feed_proc(f, 1, 1, 0, "init");
	feed_proc_read(f, 100, 100, 1, "sh", f->ts + 10000000);
	feed_clone(f, 101, shell); /* it may have ended before anybody watched */
	feed_clone(f, 102, shell);
	feed_clone(f, 0, (struct who){.tid = 102, .pid = 102, .ptid = 100});
	feed_clone(f, 0, (struct who){.tid = 103, .pid = 103, .ptid = 100});
	feed_tick(f, 100);
	CHECK(who(f, 101));
	f->ts += 10000000;
	feed_tick(f, 100);
	CHECK(!who(f, 101));
	CHECK(who(f, 102) && who(f, 103));
	feed_clone(f, 104, shell);
	f->ts += 10000000;
	feed_tick(f, 100);
	CHECK(who(f, 104) && who(f, 1));
	feed_free(f);
}

/* The picture has the child, then more of its parent; then the parent's half of the fork comes. */
TEST(a_child_that_was_read_before_its_parent_returned_keeps_what_was_read)
{
	struct feed *f = feed_new(NULL);
	struct snap_fd later = {.tid = 100, .fd = 9, .type = FD_FILE_V2, .name = STR("/later")};
	struct record r = {.kind = RECORD_FD, .fd = &later};

	feed_proc(f, 1, 1, 0, "init");
	feed_proc_read(f, 101, 101, 100, "early", f->ts + 500000);
	feed_proc_read(f, 100, 100, 1, "sh", f->ts + 5000000);
	state_apply(f->s, &r, &f->m);
	feed_clone(f, 0, (struct who){.tid = 101, .pid = 101, .ptid = 100});
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	CHECK_STR(fd_name(f, 100, 9), "/later");
	CHECK_STR(fd_name(f, 101, 9), "(unknown)");
	CHECK_STR(text_of(who(f, 101)->comm), "early");
	f->ts += 2 * RECENT_NS;
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1}); /* another one */
	CHECK_STR(text_of(who(f, 101)->comm), "sh");
	feed_free(f);
}
