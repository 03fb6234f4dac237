/* SPDX-License-Identifier: Apache-2.0 */
#include "web/web.h"

#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct web *open_one(const char *address)
{
	struct web_config cfg = {.address = address};
	struct err e = {0};
	struct web *w = NULL;

	if (web_open(&cfg, &w, &e) < 0)
		printf("# %s\n", e.msg);
	CHECK(w);
	return w;
}

static int connected(const struct web *w)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(web_port(w))};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	CHECK(!connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

/* All that comes back until the other end closes, which the request asks for. */
static const char *ask(const struct web *w, const void *request, size_t n)
{
	static char text[1 << 16];
	size_t got = 0;
	ssize_t r;
	int fd = connected(w);

	for (size_t sent = 0; sent < n; sent += (size_t)r) {
		r = send(fd, (const char *)request + sent, n - sent, MSG_NOSIGNAL);
		if (r <= 0)
			break;
	}
	shutdown(fd, SHUT_WR);
	while (got < sizeof(text) - 1 && (r = recv(fd, text + got, sizeof(text) - 1 - got, 0)) > 0)
		got += (size_t)r;
	text[got] = '\0';
	close(fd);
	return text;
}

static const char *ask_for(const struct web *w, const char *method, const char *path)
{
	char request[512];
	int n = snprintf(request, sizeof(request),
			 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path);

	return ask(w, request, (size_t)n);
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static const char *body_of(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end ? end + 4 : "";
}

TEST(a_page_is_what_was_published_last)
{
	struct web *w = open_one("127.0.0.1");
	const char *text;

	CHECK_INT(web_publish(w, "/healthz", "application/json", STR("{\"status\": \"ok\"}")), 0);
	text = ask_for(w, "GET", "/healthz");
	CHECK(starts(text, "HTTP/1.1 200 "));
	CHECK(strstr(text, "Content-Type: application/json\r\n"));
	CHECK_STR(body_of(text), "{\"status\": \"ok\"}");
	CHECK_INT(web_publish(w, "/healthz", "application/json", STR("other")), 0);
	CHECK_STR(body_of(ask_for(w, "GET", "/healthz?x=y")), "other");
	CHECK_STR(body_of(ask_for(w, "HEAD", "/healthz")), "");
	web_close(w);
}

TEST(what_is_not_there_or_not_asked_for_in_the_right_way_is_refused)
{
	struct web *w = open_one("127.0.0.1");

	web_publish(w, "/healthz", "text/plain", STR("ok"));
	CHECK(starts(ask_for(w, "GET", "/"), "HTTP/1.1 404 "));
	CHECK(starts(ask_for(w, "GET", "/healthz/"), "HTTP/1.1 404 "));
	CHECK(starts(ask_for(w, "GET", "/../etc/passwd"), "HTTP/1.1 404 "));
	CHECK(starts(ask_for(w, "POST", "/healthz"), "HTTP/1.1 405 "));
	CHECK(strstr(ask_for(w, "DELETE", "/healthz"), "Allow: GET, HEAD\r\n"));
	web_close(w);
}

/* Whatever comes, the next one who asks gets an answer. */
TEST(hostile_requests_do_no_harm)
{
	struct web *w = open_one("127.0.0.1");
	static char bytes[100000];
	static const char *const texts[] = {
		"\r\n\r\n",
		"GET",
		"GET /healthz",
		"GET /healthz HTTP/9.9\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost",
		"\x16\x03\x01\x02",
		"GET  HTTP/1.1\r\n\r\n",
		"GET /%00%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};

	web_publish(w, "/healthz", "text/plain", STR("ok"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ask(w, texts[i], strlen(texts[i]));
	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes, "GET /", 5);
	ask(w, bytes, sizeof(bytes));
	srand(1);
	for (unsigned round = 0; round < 200; round++) {
		size_t n = (size_t)rand() % 600;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)rand();
		ask(w, bytes, n);
	}
	CHECK_STR(body_of(ask_for(w, "GET", "/healthz")), "ok");
	web_close(w);
}

TEST(who_says_nothing_does_not_keep_others_out)
{
	struct web *w = open_one("127.0.0.1");
	int silent[WEB_CONNECTIONS_MAX - 8];

	web_publish(w, "/healthz", "text/plain", STR("ok"));
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		silent[i] = connected(w);
	CHECK_STR(body_of(ask_for(w, "GET", "/healthz")), "ok");
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		close(silent[i]);
	web_close(w);
}

TEST(pages_have_a_limit)
{
	struct web *w = open_one("127.0.0.1");
	char path[16];

	for (unsigned i = 0; i < WEB_PAGES_MAX; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		CHECK_INT(web_publish(w, path, "text/plain", STR("x")), 0);
	}
	CHECK_INT(web_publish(w, "/more", "text/plain", STR("x")), -ENOSPC);
	CHECK_INT(web_publish(w, "/0", "text/plain", STR("y")), 0);
	web_close(w);
}

/* Replaced while it is read: never half of one and half of the other. */
static void *read_pages(void *arg)
{
	for (unsigned i = 0; i < 100; i++) {
		const char *body;
		char request[] = "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

		body = body_of(ask(arg, request, sizeof(request) - 1));
		for (const char *p = body; *p; p++)
			if (*p != *body)
				return (void *)1;
	}
	return NULL;
}

TEST(pages_are_replaced_while_they_are_read)
{
	struct web *w = open_one("127.0.0.1");
	static char text[8000];
	void *torn = (void *)1;
	pthread_t reader;

	web_publish(w, "/page", "text/plain", STR("a"));
	CHECK(!pthread_create(&reader, NULL, read_pages, w));
	for (unsigned i = 0; i < 2000; i++) {
		memset(text, 'a' + (int)(i % 26), sizeof(text));
		web_publish(w, "/page", "text/plain", (struct str){text, sizeof(text)});
	}
	CHECK(!pthread_join(reader, &torn));
	CHECK(!torn);
	web_close(w);
}

static void refused(const struct web_config *cfg, const char *text)
{
	struct err e = {0};
	struct web *w = NULL;

	CHECK(web_open(cfg, &w, &e) < 0);
	if (!strstr(e.msg, text))
		printf("# %s\n", e.msg);
	CHECK(strstr(e.msg, text));
}

TEST(what_cannot_be_opened_says_why)
{
	struct web *w = open_one("127.0.0.1");

	refused(&(struct web_config){.address = "localhost"}, "'localhost' is no IP address");
	refused(&(struct web_config){.address = "127.0.0.1", .port = web_port(w)}, "cannot listen");
	refused(&(struct web_config){.address = "127.0.0.1", .certificate = "/nonexistent"},
		"/nonexistent");
	refused(&(struct web_config){.address = "127.0.0.1", .certificate = "/dev/null"},
		"is no file with a certificate");
	refused(&(struct web_config){.address = "127.0.0.1", .certificate = "/etc/passwd"},
		"of no use");
	web_close(w);
}
