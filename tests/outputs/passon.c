/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: passon KIND CONFIG
 * One sender, asked directly.  Each line of standard input is a call: "send N FORM SIZE" passes on
 * the next N alerts (FORM: text or json; SIZE: bytes of padding), "reopen" calls that.  Each answer
 * is a line of JSON.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "config/config.h"
#include "output/senders.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALERTS_MAX = 1000 };

static const struct sender_kind *const kinds[] = {&http_sender, &kafka_sender, &redis_sender};
static const char *const outcomes[] = {"SENT", "SENT_LATER", "SENT_REFUSED"};

static const struct sender_kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	}
	return NULL;
}

/* Numbers say what is in it; a host changes now and then, and texts hold what must be escaped. */
static struct alert make(uint64_t seq, bool json, unsigned size)
{
	struct alert a = {
		.seq = seq,
		.time = 1600000000123456789ULL + seq,
		.rule = STR("A \"quoted\" rule"),
		.source = STR("syscall"),
		.host = seq % 8 < 6 ? STR("node-1")
				    : STR("n\xc3\xb6"
					  "de/2"),
		.tags = STR("first,T1059"),
		.priority = (enum priority)(seq % PRIORITY_COUNT),
		.json = json,
	};
	char *pad = xcalloc(1, size + 1), *line;

	memset(pad, 'x', size);
	line = json ? xasprintf("{\"output\":\"alert \\u00e9 %llu %s\",\"rule\":\"r\"}",
				(unsigned long long)seq, pad)
		    : xasprintf("alert \xc3\xa9 \"%llu\" \x01 %s", (unsigned long long)seq, pad);
	a.line = str_of(line);
	free(pad);
	return a;
}

static void answer(const char *outcome, size_t n_done, uint64_t after_ms, const struct err *e)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_addf(&b, "{\"outcome\":\"%s\",\"n_done\":%zu,\"after_ms\":%llu,\"error\":", outcome,
		 n_done, (unsigned long long)after_ms);
	json_add_string(&b, str_of(e->msg));
	buf_addc(&b, '}');
	puts(buf_z(&b));
	buf_done(&b);
}

/* What is done or refused is not asked for again. */
static void pass_on(const struct sender_kind *k, void *sender, const char *call, uint64_t *seq)
{
	static struct alert alerts[ALERTS_MAX];
	unsigned n = 0, size = 0;
	char form[8] = "json";
	uint64_t after_ms = 0;
	struct err e = {0};
	size_t n_done = 0;
	enum sent sent;

	sscanf(call, "send %u %7s %u", &n, form, &size);
	n = n < k->batch_max ? n : (unsigned)k->batch_max;
	for (unsigned i = 0; i < n; i++)
		alerts[i] = make(*seq + i, !strcmp(form, "json"), size);
	sent = k->send(sender, alerts, n, &n_done, &after_ms, &e);
	for (unsigned i = 0; i < n; i++)
		free((void *)(uintptr_t)alerts[i].line.p);
	answer(outcomes[sent], n_done, after_ms, &e);
	*seq += n_done + (sent == SENT_REFUSED);
}

static void tell_errors(const struct config_issues *issues, struct err *ret)
{
	for (size_t i = 0; i < issues->n; i++) {
		if (issues->list[i].is_error)
			err_set(ret, -EINVAL, "%s", issues->list[i].text);
	}
}

int main(int argc, char **argv)
{
	const struct sender_kind *k = argc == 3 ? find_kind(argv[1]) : NULL;
	struct config *c = config_new();
	struct err e = {0};
	uint64_t seq = 1;
	char call[256];
	void *sender = NULL;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!k)
		err_set(&e, -EINVAL, "usage: passon KIND CONFIG");
	else if (config_load(c, argv[2], NULL, 0) < 0)
		tell_errors(config_issues(c), &e);
	else
		sender = k->open(c, &e);
	answer(sender ? "OPEN" : "NOT_OPEN", 0, 0, &e);
	config_free(c);
	while (sender && fgets(call, sizeof(call), stdin)) {
		if (!strncmp(call, "send ", 5))
			pass_on(k, sender, call, &seq);
		else if (k->reopen)
			k->reopen(sender);
	}
	if (sender)
		k->close(sender);
	return sender ? 0 : 1;
}
