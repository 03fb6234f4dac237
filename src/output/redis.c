/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to a stream of Redis, an entry each: all of a call are sent before the first answer is
 * read.  An entry's id in the answer is what confirms it.
 */
#include "base/alloc.h"
#include "output/body.h"
#include "output/hiredis.h"
#include "output/receiver.h"
#include "output/senders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	REDIS_BATCH_MAX = 256,
	ANSWER_MAX = 1 << 16, /* bytes of an answer; an entry's id has 40 at most */
	CODE_MAX = 32,	      /* letters of an error's code */
	ARGS_MAX = 16,
};

/* Texts of the configuration. */
enum text { ADDRESS, USER, PASSWORD, STREAM, TEXT_COUNT };

static const enum config_id text_keys[TEXT_COUNT] = {
	[ADDRESS] = CONFIG_KEY_REDIS_ADDRESS,
	[USER] = CONFIG_KEY_REDIS_USER,
	[PASSWORD] = CONFIG_KEY_REDIS_PASSWORD,
	[STREAM] = CONFIG_KEY_REDIS_STREAM,
};

struct redis {
	const struct hiredis *f;
	redisContext *c; /* NULL: not connected */
	char *texts[TEXT_COUNT];
	char *host; /* NULL: the address is the path of a socket */
	int port;
	char max_length[24]; /* "" for any */
	uint64_t timeout_ms;
	enum body_format format;
	struct buf body;
};

/* A command that is put together. */
struct command {
	const char *args[ARGS_MAX];
	size_t lengths[ARGS_MAX];
	int n;
};

/* ---- configuration ---- */

static const char *path_of(enum text t)
{
	return config_keys[text_keys[t]].path;
}

/* "host:port", with brackets around a host that has colons. */
static int set_address(struct redis *s, struct err *e)
{
	struct str address = str_of(s->texts[ADDRESS]), host;
	ptrdiff_t colon = str_rchr(address, ':');
	uint64_t port;

	if (str_starts(address, STR("/")))
		return 0;
	if (colon <= 0 || !str_u64(str_from(address, (size_t)colon + 1), &port) || !port ||
	    port > UINT16_MAX)
		return err_set(e, -EINVAL, "%s: wants host:port or the path of a socket",
			       path_of(ADDRESS));
	host = str_head(address, (size_t)colon);
	if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
		host = str_head(str_from(host, 1), host.n - 2);
	s->host = xstrndup(host.p, host.n);
	s->port = (int)port;
	return 0;
}

static void disconnect(struct redis *s)
{
	if (s->c)
		s->f->redisFree(s->c);
	s->c = NULL;
}

static void redis_close(void *sender)
{
	struct redis *s = sender;

	disconnect(s);
	for (unsigned t = 0; t < TEXT_COUNT; t++)
		free(s->texts[t]);
	free(s->host);
	buf_done(&s->body);
	free(s);
}

static int check(struct redis *s, struct err *e)
{
	if (!*s->texts[STREAM])
		return err_set(e, -EINVAL, "%s: there is none", path_of(STREAM));
	if (*s->texts[USER] && !*s->texts[PASSWORD])
		return err_set(e, -EINVAL, "%s: a user needs one", path_of(PASSWORD));
	return set_address(s, e);
}

static void *redis_open(const struct config *c, struct err *e)
{
	const struct hiredis *f = hiredis_load();
	struct redis *s;
	uint64_t most;

	if (!f) {
		err_set(e, -ENOENT,
			"%s: it needs libhiredis, version %d.%d, which is not installed",
			config_keys[CONFIG_KEY_REDIS_ENABLED].path, HIREDIS_MAJOR, HIREDIS_MINOR);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->f = f;
	for (unsigned t = 0; t < TEXT_COUNT; t++)
		s->texts[t] = xstrdup(config_text(c, text_keys[t]));
	most = config_number(c, CONFIG_KEY_REDIS_MAX_LENGTH);
	if (most)
		snprintf(s->max_length, sizeof(s->max_length), "%llu", (unsigned long long)most);
	s->timeout_ms = config_number(c, CONFIG_KEY_REDIS_TIMEOUT);
	s->format = body_format_of(config_word(c, CONFIG_KEY_REDIS_FORMAT));
	buf_init(&s->body, BODY_MAX);
	if (check(s, e) < 0) {
		redis_close(s);
		return NULL;
	}
	return s;
}

/* ---- talking ---- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void add(struct command *c, struct str arg)
{
	c->args[c->n] = arg.p;
	c->lengths[c->n++] = arg.n;
}

static void give(struct redis *s, struct command *c)
{
	s->f->redisAppendCommandArgv(s->c, c->n, c->args, c->lengths);
}

static int tell(const struct redis *s, int code, const char *why, struct err *e)
{
	char said[RECEIVER_SAID_MAX];

	receiver_said(why, said);
	return err_set(e, code, "%s: %s", s->texts[ADDRESS], said);
}

static int flush(struct redis *s, uint64_t end_ms, struct err *e)
{
	int all = 0;

	while (!all) {
		if (s->f->redisBufferWrite(s->c, &all) != REDIS_OK)
			return tell(s, -EIO, s->c->errstr, e);
		if (!all && now_ms() >= end_ms)
			return tell(s, -ETIMEDOUT, "it does not read in time", e);
	}
	return 0;
}

static int next_answer(struct redis *s, uint64_t end_ms, redisReply **ret, struct err *e)
{
	void *reply = NULL;

	for (;;) {
		if (s->f->redisGetReplyFromReader(s->c, &reply) != REDIS_OK)
			return tell(s, -EPROTO, "it answers what is no answer", e);
		if (reply)
			break;
		if (now_ms() >= end_ms)
			return tell(s, -ETIMEDOUT, "it does not answer in time", e);
		if (s->c->reader->len > ANSWER_MAX)
			return tell(s, -EPROTO, "its answer is too long", e);
		if (s->f->redisBufferRead(s->c) != REDIS_OK)
			return tell(s, -EIO, s->c->errstr, e);
	}
	*ret = reply;
	return 0;
}

/* The code alone: what follows may repeat what we sent, and that may be a password. */
static int tell_error(const struct redis *s, const redisReply *r, struct err *e)
{
	char why[CODE_MAX + 32];
	int n = 0;

	while (n < CODE_MAX && (size_t)n < (size_t)r->len && r->str[n] >= 'A' && r->str[n] <= 'Z')
		n++;
	snprintf(why, sizeof(why), "it answers error %.*s", n, r->str);
	return tell(s, -EAGAIN, why, e);
}

/* The next answer is of the wanted type. */
static int expect(struct redis *s, int type, uint64_t end_ms, struct err *e)
{
	redisReply *reply = NULL;
	int r = next_answer(s, end_ms, &reply, e);

	if (r < 0)
		return r;
	if (reply->type == REDIS_REPLY_ERROR)
		r = tell_error(s, reply, e);
	else if (reply->type != type)
		r = tell(s, -EPROTO, "it answers what was not asked", e);
	s->f->freeReplyObject(reply);
	return r;
}

/* Without a password: would it let us in?  To an entry it may answer that it is too long for that.
 */
static int log_in(struct redis *s, uint64_t end_ms, struct err *e)
{
	struct command c = {.n = 0};
	bool has_password = *s->texts[PASSWORD];
	int r;

	add(&c, has_password ? STR("AUTH") : STR("PING"));
	if (*s->texts[USER])
		add(&c, str_of(s->texts[USER]));
	if (has_password)
		add(&c, str_of(s->texts[PASSWORD]));
	give(s, &c);
	r = flush(s, end_ms, e);
	return r < 0 ? r : expect(s, REDIS_REPLY_STATUS, end_ms, e);
}

static int connect_to(struct redis *s, uint64_t end_ms, struct err *e)
{
	struct timeval t = {.tv_sec = (time_t)(s->timeout_ms / 1000),
			    .tv_usec = (suseconds_t)(s->timeout_ms % 1000 * 1000)};

	if (s->c)
		return 0;
	s->c = s->host ? s->f->redisConnectWithTimeout(s->host, s->port, t)
		       : s->f->redisConnectUnixWithTimeout(s->texts[ADDRESS], t);
	if (!s->c)
		return tell(s, -ENOMEM, "there is no memory to connect", e);
	if (s->c->err)
		return tell(s, -EIO, s->c->errstr, e);
	s->f->redisSetTimeout(s->c, t);
	return log_in(s, end_ms, e);
}

/* ---- sending ---- */

/* false: it does not fit. */
static bool give_entry(struct redis *s, const struct alert *a)
{
	struct command c = {.n = 0};
	const char *type;
	char seq[24];

	buf_reset(&s->body);
	type = body_add(s->format, a, 1, &s->body);
	if (!type)
		return false;
	snprintf(seq, sizeof(seq), "%llu", (unsigned long long)a->seq);
	add(&c, STR("XADD"));
	add(&c, str_of(s->texts[STREAM]));
	if (*s->max_length) {
		add(&c, STR("MAXLEN"));
		add(&c, STR("~"));
		add(&c, str_of(s->max_length));
	}
	add(&c, STR("*"));
	add(&c, STR("host"));
	add(&c, a->host);
	add(&c, STR("seq"));
	add(&c, str_of(seq));
	add(&c, STR("type"));
	add(&c, str_of(type));
	add(&c, STR("alert"));
	add(&c, buf_str(&s->body));
	give(s, &c);
	return true;
}

/* How many were given before one that is too long. */
static size_t give_entries(struct redis *s, const struct alert *alerts, size_t n)
{
	size_t i = 0;

	while (i < n && give_entry(s, &alerts[i]))
		i++;
	return i;
}

static int pass_on(struct redis *s, const struct alert *alerts, size_t n, size_t *n_done,
		   struct err *e)
{
	uint64_t end_ms = now_ms() + s->timeout_ms;
	size_t n_given;
	int r = connect_to(s, end_ms, e);

	if (r < 0)
		return r;
	n_given = give_entries(s, alerts, n);
	if (!n_given)
		return err_set(e, -EMSGSIZE, "an alert is too long");
	r = flush(s, end_ms, e);
	while (!r && *n_done < n_given) {
		r = expect(s, REDIS_REPLY_STRING, end_ms, e);
		*n_done += !r;
	}
	return r;
}

/* After anything that went wrong the next answer may be of what was asked before. */
static enum sent redis_send(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			    uint64_t *after_ms, struct err *e)
{
	struct redis *s = sender;
	int r;

	*n_done = *after_ms = 0;
	r = pass_on(s, alerts, n, n_done, e);
	if (!r)
		return SENT;
	if (r == -EMSGSIZE)
		return SENT_REFUSED;
	disconnect(s);
	return SENT_LATER;
}

static void redis_reopen(void *sender)
{
	disconnect(sender);
}

const struct sender_kind redis_sender = {
	.name = "redis",
	.batch_max = REDIS_BATCH_MAX,
	.open = redis_open,
	.send = redis_send,
	.reopen = redis_reopen,
	.close = redis_close,
};
