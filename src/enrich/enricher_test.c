/* SPDX-License-Identifier: Apache-2.0 */
/* Against a simulated Docker in a thread: one container, that comes, changes and goes. */
#include "enrich/enricher.h"
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TURN_MS = 20, TURNS_MAX = 1500 };

struct server {
	char path[64];
	int listener;
	_Atomic int stream; /* of events, once somebody listens to it */
	pthread_t thread;
	pthread_mutex_t lock; /* of id */
	char id[16];	      /* of its container; empty: there is none */
};

struct told {
	char text[4096];
	unsigned n;
};

static void answer(int fd, const char *body)
{
	dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
}

static void serve(struct server *s, int fd, const char *request)
{
	char body[256];

	if (strstr(request, "GET /events")) {
		dprintf(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		s->stream = fd;
		return;
	}
	if (strstr(request, "GET /containers/json")) {
		snprintf(body, sizeof(body), *s->id ? "[{\"Id\":\"%s\"}]" : "[]", s->id);
		answer(fd, body);
	} else if (*s->id && strstr(request, s->id)) {
		snprintf(body, sizeof(body), "{\"Id\":\"%s\",\"Name\":\"/name-%s\"}", s->id, s->id);
		answer(fd, body);
	} else {
		dprintf(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	}
	close(fd);
}

static void *run_server(void *arg)
{
	struct server *s = arg;
	char request[2048];
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		ssize_t n = read(fd, request, sizeof(request) - 1);

		request[n > 0 ? n : 0] = '\0';
		pthread_mutex_lock(&s->lock);
		serve(s, fd, request);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static void server_set(struct server *s, const char *id)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->id, sizeof(s->id), "%s", id);
	pthread_mutex_unlock(&s->lock);
}

static void server_start(struct server *s, const char *id)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(s->path, sizeof(s->path), "/tmp/saker-enricher-%d.sock", (int)getpid());
	pthread_mutex_init(&s->lock, NULL);
	server_set(s, id);
	unlink(s->path);
	s->stream = -1;
	memcpy(a.sun_path, s->path, sizeof(s->path));
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(s->listener, (struct sockaddr *)&a, sizeof(a)) && !listen(s->listener, 64));
	CHECK(!pthread_create(&s->thread, NULL, run_server, s));
}

static void server_stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	if (s->stream >= 0)
		close(s->stream);
	unlink(s->path);
}

static void note(void *arg, struct str name, struct str json)
{
	struct told *t = arg;

	snprintf(t->text, sizeof(t->text), "%.*s %.*s", STR_ARG(name), STR_ARG(json));
	t->n++;
}

static struct enricher *enricher_of(const struct server *s, struct told *t)
{
	struct enricher_config cfg = ENRICHER_CONFIG_DEFAULT;
	struct enricher *en = NULL;
	const char *socket;
	char text[128];

	snprintf(text, sizeof(text), "docker=%s", s->path);
	socket = text;
	cfg.sockets = &socket;
	cfg.n_sockets = 1;
	cfg.no_usual_places = true;
	CHECK_INT(enricher_new(&cfg, note, t, &en, NULL), 0);
	return en;
}

static void turn_until(struct enricher *en, const struct told *t, const char *text)
{
	for (unsigned i = 0; i < TURNS_MAX && !strstr(t->text, text); i++)
		enricher_turn(en, TURN_MS);
	CHECK(strstr(t->text, text));
}

static void send_event(const struct server *s, const char *action)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "{\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\"}}\n",
			 action, s->id);

	CHECK(s->stream >= 0);
	dprintf(s->stream, "%x\r\n%s\r\n", (unsigned)n, line);
}

TEST(the_list_is_told_at_the_start)
{
	struct server s;
	struct told t = {0};
	struct enricher *en;

	server_start(&s, "aaaaaaaaaaaa");
	en = enricher_of(&s, &t);
	turn_until(en, &t, "\"name\":\"name-aaaaaaaaaaaa\"");
	CHECK(!strncmp(t.text, "container {", 11));
	enricher_free(en);
	server_stop(&s);
}

TEST(events_tell_of_what_comes)
{
	struct server s;
	struct told t = {0};
	struct enricher *en;

	server_start(&s, "");
	en = enricher_of(&s, &t);
	while (s.stream < 0 || !enricher_is_idle(en))
		enricher_turn(en, TURN_MS);
	server_set(&s, "bbbbbbbbbbbb");
	send_event(&s, "create");
	turn_until(en, &t, "name-bbbbbbbbbbbb");
	enricher_free(en);
	server_stop(&s);
}

TEST(what_is_asked_for_is_looked_up_until_it_is_there)
{
	struct enricher_stats stats;
	struct server s;
	struct told t = {0};
	struct enricher *en;

	server_start(&s, "");
	en = enricher_of(&s, &t);
	while (!enricher_is_idle(en))
		enricher_turn(en, TURN_MS);
	enricher_ask(en, STR("cccccccccccc"));
	enricher_ask(en, STR("cccccccccccc"));
	for (unsigned i = 0; i < 5; i++)
		enricher_turn(en, TURN_MS);
	server_set(&s, "cccccccccccc");
	turn_until(en, &t, "name-cccccccccccc");
	enricher_get_stats(en, &stats);
	CHECK_INT(stats.n_asked, 1);
	enricher_free(en);
	server_stop(&s);
}

TEST(a_runtime_may_go_and_come_back)
{
	struct server s;
	struct told t = {0};
	struct enricher *en;

	server_start(&s, "dddddddddddd");
	en = enricher_of(&s, &t);
	turn_until(en, &t, "name-dddddddddddd");
	server_stop(&s);
	for (unsigned i = 0; i < 10; i++)
		enricher_turn(en, TURN_MS);
	/* When it is asked again already, there is not even a socket. */
	CHECK(runtime_state(enricher_runtime(en, 0)) == RUNTIME_FAILED ||
	      runtime_state(enricher_runtime(en, 0)) == RUNTIME_ABSENT);
	server_start(&s, "eeeeeeeeeeee");
	turn_until(en, &t, "name-eeeeeeeeeeee");
	turn_until(en, &t,
		   "container_removed {\"container\":{\"type\":0,\"id\":\"dddddddddddd\"}}");
	enricher_free(en);
	server_stop(&s);
}

TEST(a_socket_that_comes_later_is_found)
{
	struct server s;
	struct told t = {0};
	struct enricher *en;

	server_start(&s, "");
	server_stop(&s);
	en = enricher_of(&s, &t);
	enricher_turn(en, TURN_MS);
	CHECK_INT(runtime_state(enricher_runtime(en, 0)), RUNTIME_ABSENT);
	server_start(&s, "ffffffffffff");
	turn_until(en, &t, "name-ffffffffffff");
	enricher_free(en);
	server_stop(&s);
}
