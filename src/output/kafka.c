/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to Kafka, a message each.  librdkafka has threads of its own, which start with the first
 * alert and not before: in the thread that may do less than the one that opened us.
 */
#include "base/alloc.h"
#include "output/body.h"
#include "output/rdkafka.h"
#include "output/receiver.h"
#include "output/senders.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	KAFKA_BATCH_MAX = 1000,
	POLL_MS = 100,
	GRACE_MS = 1000, /* beyond the timeout, for reports that tell of it */
	PURGED_MS = 5000,
};

struct kafka {
	const struct rdkafka *k;
	rd_kafka_conf_t *conf;
	rd_kafka_t *rk; /* NULL before the first alert */
	char *topic;
	uint64_t timeout_ms;
	enum body_format format;
	struct buf body;
	/* Of the batch at hand: what became of each, and how many reports are still to come. */
	rd_kafka_resp_err_t results[KAFKA_BATCH_MAX];
	size_t n_open;
	char why[RECEIVER_SAID_MAX]; /* the last that went wrong with a broker */
};

/* ---- what the library tells us ---- */

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct kafka *s = arg;
	size_t i = (size_t)m->_private;

	if (i < KAFKA_BATCH_MAX && s->n_open) {
		s->results[i] = m->err;
		s->n_open--;
	}
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *arg)
{
	struct kafka *s = arg;

	receiver_said(reason, s->why);
}

/* It would print on standard error what others have said; what matters comes as an error, too. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
}

/* It blocks all signals in its threads, and one that a refused system call meets would end us. */
static rd_kafka_resp_err_t on_thread(rd_kafka_t *rk, rd_kafka_thread_type_t type, const char *name,
				     void *arg)
{
	sigset_t own;

	sigemptyset(&own);
	sigaddset(&own, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &own, NULL);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *arg,
				  char *said, size_t n_said)
{
	struct kafka *s = arg;

	return s->k->interceptor_add_on_thread_start(rk, "saker", on_thread, s);
}

/* ---- configuration ---- */

static int set(struct kafka *s, const char *name, const char *value, enum config_id key,
	       struct err *e)
{
	char said[RECEIVER_SAID_MAX];

	if (s->k->conf_set(s->conf, name, value, said, sizeof(said)) == RD_KAFKA_CONF_OK)
		return 0;
	/* What it says repeats values, which may be passwords. */
	return err_set(e, -EINVAL, "%s: librdkafka does not take this for '%s'",
		       config_keys[key].path, name);
}

/* "name=value" each. */
static int set_options(struct kafka *s, const struct config *c, struct err *e)
{
	size_t n;
	const struct str *list = config_texts(c, CONFIG_KEY_KAFKA_OPTIONS, &n);

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t at = str_chr(list[i], '=');
		char name[128];
		int r;

		if (at <= 0 || (size_t)at >= sizeof(name))
			return err_set(e, -EINVAL, "%s: wants 'name=value'",
				       config_keys[CONFIG_KEY_KAFKA_OPTIONS].path);
		snprintf(name, sizeof(name), "%.*s", (int)at, list[i].p);
		r = set(s, name, list[i].p + at + 1, CONFIG_KEY_KAFKA_OPTIONS, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int configure(struct kafka *s, const struct config *c, struct err *e)
{
	const char *brokers = config_text(c, CONFIG_KEY_KAFKA_BROKERS);
	char timeout[24];

	if (!*brokers || !*s->topic)
		return err_set(
			e, -EINVAL, "%s: there is none",
			config_keys[*brokers ? CONFIG_KEY_KAFKA_TOPIC : CONFIG_KEY_KAFKA_BROKERS]
				.path);
	snprintf(timeout, sizeof(timeout), "%llu", (unsigned long long)s->timeout_ms);
	if (set(s, "client.id", "saker", CONFIG_KEY_KAFKA_BROKERS, e) < 0 ||
	    set(s, "acks", "all", CONFIG_KEY_KAFKA_BROKERS, e) < 0 ||
	    set(s, "message.timeout.ms", timeout, CONFIG_KEY_KAFKA_TIMEOUT, e) < 0 ||
	    set_options(s, c, e) < 0)
		return e->code;
	return set(s, "bootstrap.servers", brokers, CONFIG_KEY_KAFKA_BROKERS, e);
}

static void kafka_close(void *sender)
{
	struct kafka *s = sender;

	if (s->rk) {
		s->k->purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		s->k->destroy(s->rk);
	}
	s->k->conf_destroy(s->conf);
	buf_done(&s->body);
	free(s->topic);
	free(s);
}

/*
 * The first client has the library load plugins, which may not be done later: one that knows no
 * broker, and ends at once.
 */
static void warm_up(const struct rdkafka *k)
{
	rd_kafka_conf_t *conf = k->conf_new();
	rd_kafka_t *first;

	k->conf_set_log_cb(conf, on_log);
	first = k->new (RD_KAFKA_PRODUCER, conf, NULL, 0);
	if (first)
		k->destroy(first);
	else
		k->conf_destroy(conf);
}

static void *kafka_open(const struct config *c, struct err *e)
{
	const struct rdkafka *k = rdkafka_load();
	struct kafka *s;

	if (!k) {
		err_set(e, -ENOENT, "%s: it needs librdkafka.so.1, which is not installed",
			config_keys[CONFIG_KEY_KAFKA_ENABLED].path);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->k = k;
	s->conf = k->conf_new();
	s->topic = xstrdup(config_text(c, CONFIG_KEY_KAFKA_TOPIC));
	s->timeout_ms = config_number(c, CONFIG_KEY_KAFKA_TIMEOUT);
	s->format = body_format_of(config_word(c, CONFIG_KEY_KAFKA_FORMAT));
	buf_init(&s->body, BODY_MAX);
	k->conf_set_opaque(s->conf, s);
	k->conf_set_dr_msg_cb(s->conf, on_report);
	k->conf_set_error_cb(s->conf, on_error);
	k->conf_set_log_cb(s->conf, on_log);
	if (configure(s, c, e) < 0) {
		kafka_close(s);
		return NULL;
	}
	warm_up(k);
	return s;
}

/* ---- sending ---- */

static int start(struct kafka *s, struct err *e)
{
	rd_kafka_conf_t *conf;
	char said[RECEIVER_SAID_MAX], shown[RECEIVER_SAID_MAX];

	if (s->rk)
		return 0;
	conf = s->k->conf_dup(s->conf);
	/* Interceptors are not copied. */
	s->k->conf_interceptor_add_on_new(conf, "saker", on_new, s);
	s->rk = s->k->new (RD_KAFKA_PRODUCER, conf, said, sizeof(said));
	if (s->rk)
		return 0;
	s->k->conf_destroy(conf);
	receiver_said(said, shown);
	return err_set(e, -EINVAL, "%s", shown);
}

static rd_kafka_resp_err_t produce(struct kafka *s, const struct alert *a, size_t i)
{
	const char *type;

	buf_reset(&s->body);
	type = body_add(s->format, a, 1, &s->body);
	if (!type)
		return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
	/* Alerts of a host are in one partition, and so in their order. */
	return s->k->producev(
		s->rk, RD_KAFKA_V_TOPIC(s->topic), RD_KAFKA_V_KEY(a->host.p, a->host.n),
		RD_KAFKA_V_VALUE(s->body.p, s->body.n), RD_KAFKA_V_HEADER("content-type", type, -1),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)i),
		RD_KAFKA_V_END);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void wait_for_reports(struct kafka *s, uint64_t ms)
{
	uint64_t end = now_ms() + ms;

	while (s->n_open && now_ms() < end)
		s->k->poll(s->rk, POLL_MS);
}

/* Everything that was taken is reported on in the end, or else is of no batch any more. */
static void settle(struct kafka *s)
{
	wait_for_reports(s, s->timeout_ms + GRACE_MS);
	if (!s->n_open)
		return;
	s->k->purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	wait_for_reports(s, PURGED_MS);
	if (!s->n_open)
		return;
	s->k->destroy(s->rk);
	s->rk = NULL;
	s->n_open = 0;
}

static bool is_for_good(rd_kafka_resp_err_t r)
{
	static const rd_kafka_resp_err_t list[] = {
		RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
		RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_RECORD};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i] == r)
			return true;
	}
	return false;
}

/* Up to the first that was not taken; those behind it that were come again. */
static enum sent judge(struct kafka *s, size_t n, size_t *n_done, struct err *e)
{
	rd_kafka_resp_err_t r;

	while (*n_done < n && s->results[*n_done] == RD_KAFKA_RESP_ERR_NO_ERROR)
		++*n_done;
	if (*n_done == n)
		return SENT;
	r = s->results[*n_done];
	err_set(e, is_for_good(r) ? -EBADMSG : -EAGAIN, "%s%s%s", s->k->err2str(r),
		*s->why ? "; last of a broker: " : "", s->why);
	return is_for_good(r) ? SENT_REFUSED : SENT_LATER;
}

static enum sent kafka_send(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			    uint64_t *after_ms, struct err *e)
{
	struct kafka *s = sender;
	size_t n_given = 0;

	*n_done = *after_ms = 0;
	s->why[0] = '\0';
	if (start(s, e) < 0)
		return SENT_LATER;
	for (size_t i = 0; i < n; i++) {
		s->results[i] = produce(s, &alerts[i], i);
		if (s->results[i] == RD_KAFKA_RESP_ERR_NO_ERROR) {
			s->results[i] = RD_KAFKA_RESP_ERR__MSG_TIMED_OUT; /* until it is reported */
			n_given++;
		} else if (!is_for_good(s->results[i])) {
			n = i + 1; /* it has no room for more */
		}
	}
	s->n_open = n_given;
	settle(s);
	return judge(s, n, n_done, e);
}

/* The library connects again by itself. */
const struct sender_kind kafka_sender = {
	.name = "kafka",
	.batch_max = KAFKA_BATCH_MAX,
	.open = kafka_open,
	.send = kafka_send,
	.close = kafka_close,
};
