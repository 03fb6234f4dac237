/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/feed.h"
#include "scanner/scanner.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct scanner *started(const struct scanner_config *cfg)
{
	struct scanner *s = NULL;
	struct err e = {0};

	CHECK(!scanner_new(cfg, &s, &e));
	CHECK(!scanner_start(s, &e));
	return s;
}

static struct scanner_config with(enum scanner_kind kind, const char *where)
{
	return (struct scanner_config){.kind = kind,
				       .where = where,
				       .max_bytes = 64 << 20,
				       .per_second = 50,
				       .timeout_ms = 60000,
				       .n_running = 2,
				       .n_waiting = 1024};
}

static struct scanner_config with_command(const char *command)
{
	return with(SCANNER_COMMAND, command);
}

static void put(struct scanner *s, uint32_t rule, const struct scan_target *t)
{
	struct scan_job *j = scanner_take(s, rule, t);

	CHECK(j != NULL);
	scanner_put(s, j);
}

/* The next one, within a minute. */
static struct scan_job *next(struct scanner *s)
{
	struct scan_job *j = scanner_result(s);

	for (int i = 0; i < 6000 && !j; i++) {
		poll(NULL, 0, 10);
		j = scanner_result(s);
	}
	CHECK(j != NULL);
	return j;
}

static void gives(struct scanner *s, enum scan_outcome outcome, const char *text)
{
	struct scan_job *j = next(s);

	CHECK_INT(j->verdict.outcome, outcome);
	CHECK_INT(j->verdict.n, strlen(text));
	CHECK_MEM(j->verdict.text, text, j->verdict.n);
	scanner_give_back(s, j);
}

TEST(a_command_reads_the_file_and_knows_its_path)
{
	struct scanner_config cfg = with_command("read x; [ $x = clean ] || echo $x ${1##*/}");
	struct scanner *s = started(&cfg);
	struct scan_target t;

	make_folder();
	t = written("a", "bad\n");
	put(s, 0, &t);
	gives(s, SCAN_FOUND, "bad a");
	t = written("b", "clean\n");
	put(s, 0, &t);
	gives(s, SCAN_CLEAN, "");
	CHECK_INT(scanner_n_out(s), 0);
	scanner_free(s);
	remove_folder();
}

TEST(a_command_that_fails_is_told_from_one_that_finds_nothing)
{
	struct scanner_config cfg = with_command("echo x; exit 3");
	struct scanner *s = started(&cfg);
	struct scan_target t;

	make_folder();
	t = written("a", "");
	put(s, 0, &t);
	gives(s, SCAN_FAILED, "");
	CHECK(!unlink(at("a")));
	put(s, 0, &t);
	gives(s, SCAN_GONE, "");
	scanner_free(s);
	remove_folder();
}

TEST(one_that_takes_too_long_is_ended_with_all_that_it_started)
{
	struct scanner_config cfg = with_command("sleep 1000 & sleep 1000");
	struct scanner *s;
	struct scan_target t;

	cfg.timeout_ms = 50;
	s = started(&cfg);
	make_folder();
	t = written("a", "");
	put(s, 0, &t);
	gives(s, SCAN_TIMED_OUT, "");
	scanner_free(s);
	remove_folder();
}

TEST(much_output_holds_nobody_up)
{
	struct scanner_config cfg = with_command("echo first; head -c 1000000 /dev/zero");
	struct scanner *s = started(&cfg);
	struct scan_target t;

	make_folder();
	t = written("a", "");
	put(s, 0, &t);
	gives(s, SCAN_FOUND, "first");
	scanner_free(s);
	remove_folder();
}

/* With one scan at a time that waits for a file `go`. */
TEST(a_file_that_is_written_again_while_it_waits_is_scanned_once)
{
	char command[256];
	struct scanner_config cfg = with_command(command);
	struct scan_target held, t;
	struct scanner *s;

	make_folder();
	snprintf(command, sizeof(command), "until [ -e %s/go ]; do sleep 0.01; done; echo ${1##*/}",
		 folder);
	cfg.n_running = 1;
	cfg.n_waiting = 4;
	s = started(&cfg);
	held = written("held", "");
	t = written("a", "");
	put(s, 0, &held);
	poll(NULL, 0, 100); /* it runs; were it not to, the order would be the same */
	put(s, 0, &t);
	put(s, 1, &t); /* another rule's */
	put(s, 0, &t);
	CHECK(!scanner_take(s, 0, &t)); /* four are as many as there may be */
	gives(s, SCAN_REPLACED, "");
	written("go", "");
	gives(s, SCAN_FOUND, "held");
	gives(s, SCAN_FOUND, "a");
	gives(s, SCAN_FOUND, "a");
	scanner_free(s);
	remove_folder();
}

TEST(what_is_under_way_at_the_end_stays_unfinished)
{
	struct scanner_config cfg = with_command("sleep 1000");
	struct scan_target a, b;
	struct scanner *s;

	cfg.n_running = 1;
	s = started(&cfg);
	make_folder();
	a = written("a", "");
	b = written("b", "");
	put(s, 0, &a);
	put(s, 0, &b);
	scanner_stop(s);
	gives(s, SCAN_UNFINISHED, "");
	gives(s, SCAN_UNFINISHED, "");
	scanner_free(s);
	remove_folder();
}

TEST(limits_are_checked)
{
	struct scanner_config bad[] = {with_command(""),  with_command("x"), with_command("x"),
				       with_command("x"), with_command("x"), with_command("x")};
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	bad[1].n_running = SCANNER_RUNNING_MAX + 1;
	bad[2].n_waiting = 0;
	bad[3].per_second = 0;
	bad[4].timeout_ms = 0;
	bad[5].kind = SCANNER_CLAMD;
	bad[5].where = path;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct scanner *s = NULL;
		struct err e = {0};

		CHECK_INT(scanner_new(&bad[i], &s, &e), -EINVAL);
		CHECK(!s && e.msg[0]);
	}
}

/* ---- servers ---- */

struct server {
	int fd;
	pthread_t thread;
	const char *answer; /* NULL: it hangs up */
	char asked[1024], read[64];
};

/* One request, with what its descriptor reads. */
static void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC), file;
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} beside;
	struct iovec in = {s->asked, sizeof(s->asked) - 1};
	struct msghdr m = {.msg_iov = &in,
			   .msg_iovlen = 1,
			   .msg_control = beside.bytes,
			   .msg_controllen = sizeof(beside.bytes)};

	if (recvmsg(fd, &m, 0) > 0 && CMSG_FIRSTHDR(&m)) {
		memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(file));
		if (read(file, s->read, sizeof(s->read) - 1) < 0)
			s->read[0] = '\0';
		close(file);
	}
	if (s->answer && write(fd, s->answer, strlen(s->answer)) > 0)
		poll(NULL, 0, 0);
	close(fd);
	return NULL;
}

static void listen_at(struct server *s, const char *path, const char *answer)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	*s = (struct server){.answer = answer};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(s->fd, (struct sockaddr *)&a, sizeof(a)));
	CHECK(!listen(s->fd, 1));
	CHECK(!pthread_create(&s->thread, NULL, serve, s));
}

static void ask(enum scanner_kind kind, const char *answer, enum scan_outcome outcome,
		const char *text, struct server *ret)
{
	struct scanner_config cfg;
	struct scan_target t;
	struct scanner *s;

	make_folder();
	cfg = with(kind, at("socket"));
	listen_at(ret, at("socket"), answer);
	s = started(&cfg);
	t = written("a", "hello");
	put(s, 0, &t);
	gives(s, outcome, text);
	CHECK_INT(scanner_pid(s), getpid());
	CHECK(!pthread_join(ret->thread, NULL));
	CHECK_STR(ret->read, "hello");
	close(ret->fd);
	put(s, 0, &t); /* nobody listens any more */
	gives(s, SCAN_FAILED, "");
	scanner_free(s);
	remove_folder();
}

TEST(a_server_gets_a_line_and_a_descriptor)
{
	struct server s;
	char want[256];

	ask(SCANNER_SERVER, "FOUND Eicar\n", SCAN_FOUND, "Eicar", &s);
	snprintf(want, sizeof(want), "{\"path\":\"%s/a\",\"host_path\":\"\",\"size\":5}\n", folder);
	CHECK_STR(s.asked, want);
	ask(SCANNER_SERVER, "OK\n", SCAN_CLEAN, "", &s);
}

TEST(a_server_that_hangs_up_or_babbles_has_failed)
{
	static char babble[8192];
	struct server s;

	ask(SCANNER_SERVER, NULL, SCAN_FAILED, "", &s);
	ask(SCANNER_SERVER, "FOUND Eicar\n and more\n", SCAN_FOUND, "Eicar", &s);
	memset(babble, 'x', sizeof(babble) - 1);
	ask(SCANNER_SERVER, babble, SCAN_FAILED, "", &s);
}

TEST(clamd_is_asked_as_it_wants_to_be)
{
	struct server s;

	ask(SCANNER_CLAMD, "fd[7]: Eicar FOUND\n", SCAN_FOUND, "Eicar", &s);
	CHECK_MEM(s.asked, "nFILDES\n\0", 10);
	ask(SCANNER_CLAMD, "fd[7]: OK\n", SCAN_CLEAN, "", &s);
}
