/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/curl.h"
#include "base/utf8.h"
#include "output/body.h"
#include "output/receiver.h"
#include "output/senders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

enum {
	ECHO_MAX = 4096,	  /* bytes of an answer that are printed */
	ANSWER_MAX = 1 << 20,	  /* that are waited for */
	RETRY_AFTER_S_MAX = 3600, /* we come again at least that often, whatever it says */
};

struct http {
	const struct curl *curl;
	CURL *easy;
	struct curl_slist *headers; /* of the configuration */
	enum body_format format;
	size_t batch;
	unsigned timeouts; /* after which an alert is tried again later */
	bool compress, echo;
	char where[RECEIVER_NAME_MAX];
	char why[CURL_ERROR_SIZE];
	struct buf body, packed, answer;
	size_t n_answered;
	size_t n_alone; /* alerts of a batch that was refused: which of them is it? */
};

/* ---- configuration ---- */

static void set(struct http *h, CURLoption option, const char *value)
{
	h->curl->easy_setopt(h->easy, option, *value ? value : NULL);
}

/* NULL: whatever the library was built with counts no more. */
static void set_authorities(struct http *h, const struct config *c)
{
	const char *file = config_text(c, CONFIG_KEY_HTTP_CA_CERT);
	const char *folder = config_text(c, CONFIG_KEY_HTTP_CA_PATH);

	if (!*file)
		file = config_text(c, CONFIG_KEY_HTTP_CA_BUNDLE);
	set(h, CURLOPT_CAINFO, file);
	set(h, CURLOPT_CAPATH, *file ? "" : folder);
	if (config_bool(c, CONFIG_KEY_HTTP_INSECURE)) {
		h->curl->easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		h->curl->easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* Files are read at each connection, so that those of short-lived certificates may be replaced. */
static int set_tls(struct http *h, const struct config *c, struct err *e)
{
	static const enum config_id own[] = {CONFIG_KEY_HTTP_CLIENT_CERT,
					     CONFIG_KEY_HTTP_CLIENT_KEY};

	if (receiver_file(c, CONFIG_KEY_HTTP_CA_CERT, e) < 0 ||
	    receiver_file(c, CONFIG_KEY_HTTP_CA_BUNDLE, e) < 0)
		return e->code;
	set_authorities(h, c);
	if (!config_bool(c, CONFIG_KEY_HTTP_MTLS))
		return 0;
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (!*config_text(c, own[i]))
			return err_set(e, -EINVAL, "%s: http_output.mtls needs it",
				       config_keys[own[i]].path);
		if (receiver_file(c, own[i], e) < 0)
			return e->code;
	}
	set(h, CURLOPT_SSLCERT, config_text(c, CONFIG_KEY_HTTP_CLIENT_CERT));
	set(h, CURLOPT_SSLKEY, config_text(c, CONFIG_KEY_HTTP_CLIENT_KEY));
	return 0;
}

static int set_url(struct http *h, const struct config *c, struct err *e)
{
	const char *url = config_text(c, CONFIG_KEY_HTTP_URL);

	if (!*url)
		return err_set(e, -EINVAL, "http_output.url: there is none");
	if ((strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8)) ||
	    receiver_name(url, h->where) < 0)
		return err_set(e, -EINVAL,
			       "http_output.url: wants http://host or https://host, with what "
			       "follows");
	set(h, CURLOPT_URL, url);
	return strncasecmp(url, "https:", 6) ? 0 : set_tls(h, c, e);
}

/* The value may be secret, so it is not said. */
static int set_headers(struct http *h, const struct config *c, struct err *e)
{
	size_t n;
	const struct str *list = config_texts(c, CONFIG_KEY_HTTP_HEADERS, &n);

	for (size_t i = 0; i < n; i++) {
		if (str_chr(list[i], ':') <= 0 || strpbrk(list[i].p, "\r\n"))
			return err_set(e, -EINVAL, "%s: wants 'Name: value', in one line",
				       config_keys[CONFIG_KEY_HTTP_HEADERS].path);
		h->headers = h->curl->slist_append(h->headers, list[i].p);
	}
	return 0;
}

/* What is beyond the limit is read but not kept; what is far beyond it not even that. */
static size_t on_answer(char *p, size_t size, size_t n, void *arg)
{
	struct http *h = arg;

	h->n_answered += size * n;
	if (h->echo)
		buf_add(&h->answer, p, size * n);
	return h->n_answered <= ANSWER_MAX ? size * n : 0;
}

static void set_rest(struct http *h, const struct config *c)
{
	long timeout_ms = (long)config_number(c, CONFIG_KEY_HTTP_TIMEOUT);
	long probes = config_bool(c, CONFIG_KEY_HTTP_KEEP_ALIVE);

	h->format = body_format_of(config_word(c, CONFIG_KEY_HTTP_FORMAT));
	h->batch = config_number(c, CONFIG_KEY_HTTP_BATCH);
	h->timeouts = (unsigned)config_number(c, CONFIG_KEY_HTTP_TIMEOUTS);
	h->compress = config_bool(c, CONFIG_KEY_HTTP_COMPRESS);
	h->echo = config_bool(c, CONFIG_KEY_HTTP_ECHO);
	set(h, CURLOPT_USERAGENT, config_text(c, CONFIG_KEY_HTTP_USER_AGENT));
	set(h, CURLOPT_PROTOCOLS_STR, "http,https");
	h->curl->easy_setopt(h->easy, CURLOPT_TCP_KEEPALIVE, probes);
	h->curl->easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	h->curl->easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	h->curl->easy_setopt(h->easy, CURLOPT_MAXCONNECTS, 1L);
	h->curl->easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	h->curl->easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
	h->curl->easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_answer);
	h->curl->easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
}

static void http_close(void *sender)
{
	struct http *h = sender;

	h->curl->easy_cleanup(h->easy);
	h->curl->slist_free_all(h->headers);
	buf_done(&h->body);
	buf_done(&h->packed);
	buf_done(&h->answer);
	free(h);
}

static void *http_open(const struct config *c, struct err *e)
{
	const struct curl *curl = curl_load();
	struct http *h;

	if (!curl) {
		err_set(e, -ENOENT,
			"http_output.enabled: it needs libcurl.so.4, which is not installed");
		return NULL;
	}
	h = xcalloc(1, sizeof(*h));
	h->curl = curl;
	h->easy = curl->easy_init();
	buf_init(&h->body, BODY_MAX);
	buf_init(&h->packed, BODY_MAX);
	buf_init(&h->answer, ECHO_MAX);
	set_rest(h, c);
	if (set_url(h, c, e) < 0 || set_headers(h, c, e) < 0) {
		http_close(h);
		return NULL;
	}
	return h;
}

/* ---- a request ---- */

/* The whole body in the gzip format; false, and it goes as it is, when that is no shorter. */
static bool pack(struct http *h)
{
	enum { GZIP = 16 + 15, MEMORY = 8 };
	z_stream z = {.next_in = (Bytef *)h->body.p, .avail_in = (uInt)h->body.n};
	Bytef room[1 << 14];
	int r;

	buf_reset(&h->packed);
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return false;
	do {
		z.next_out = room;
		z.avail_out = sizeof(room);
		r = deflate(&z, Z_FINISH);
		buf_add(&h->packed, room, sizeof(room) - z.avail_out);
	} while (r == Z_OK);
	deflateEnd(&z);
	return r == Z_STREAM_END && h->packed.n < h->body.n && !h->packed.truncated;
}

/* Terminals obey some characters, and this comes from outside. */
static void print_answer(struct http *h)
{
	struct buf line;
	ssize_t unused;

	if (!h->echo || !h->answer.n)
		return;
	buf_init(&line, 4 * ECHO_MAX);
	utf8_add_printable(&line, str_trim(buf_str(&h->answer)));
	buf_addc(&line, '\n');
	unused = write(STDOUT_FILENO, line.p, line.n);
	(void)unused;
	buf_done(&line);
}

/* Once; *ret_status is 0 when there was no answer. */
static CURLcode perform(struct http *h, long *ret_status)
{
	CURLcode r;

	buf_reset(&h->answer);
	h->n_answered = 0;
	h->why[0] = '\0';
	*ret_status = 0;
	r = h->curl->easy_perform(h->easy);
	h->curl->easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, 0L);
	h->curl->easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, ret_status);
	print_answer(h);
	/* It is as good as any other; that it has no end is its own affair. */
	return r == CURLE_WRITE_ERROR && h->n_answered > ANSWER_MAX ? CURLE_OK : r;
}

/* A receiver that is too slow gets the same again, as often as it is configured. */
static CURLcode repeat(struct http *h, long *ret_status)
{
	CURLcode r = perform(h, ret_status);

	for (unsigned i = 0; i < h->timeouts && r == CURLE_OPERATION_TIMEDOUT; i++)
		r = perform(h, ret_status);
	return r;
}

static void set_body(struct http *h, bool packed)
{
	const struct buf *b = packed ? &h->packed : &h->body;

	h->curl->easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)b->n);
	h->curl->easy_setopt(h->easy, CURLOPT_POSTFIELDS, b->p);
}

static CURLcode post(struct http *h, const char *type, long *ret_status)
{
	bool packed = h->compress && pack(h);
	struct curl_slist *first, *last = NULL;
	char line[128];
	CURLcode r;

	snprintf(line, sizeof(line), "Content-Type: %s", type);
	first = h->curl->slist_append(NULL, line);
	last = h->curl->slist_append(first, "Expect:");
	if (packed)
		h->curl->slist_append(first, "Content-Encoding: gzip");
	while (last->next)
		last = last->next;
	last->next = h->headers;
	h->curl->easy_setopt(h->easy, CURLOPT_HTTPHEADER, first);
	set_body(h, packed);
	r = repeat(h, ret_status);
	h->curl->easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	last->next = NULL;
	h->curl->slist_free_all(first);
	return r;
}

/* ---- what came of it ---- */

/* The first that fits. */
static const struct {
	long from, to;
	enum sent sent;
	const char *meaning;
} statuses[] = {
	{200, 299, SENT, "it took it"},
	{300, 399, SENT_LATER, "it wants another URL, and we go where we are told to go alone"},
	{408, 408, SENT_LATER, "it waited too long"},
	{425, 425, SENT_LATER, "too early for it"},
	{429, 429, SENT_LATER, "too much for it"},
	{400, 499, SENT_REFUSED, "it refuses it"},
	{500, 599, SENT_LATER, "it has a problem of its own"},
	{0, 999, SENT_LATER, "no status that there is"},
};

static uint64_t wanted_wait_ms(const struct http *h)
{
	curl_off_t seconds = 0;

	h->curl->easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds <= 0)
		return 0;
	return 1000 * (uint64_t)(seconds < RETRY_AFTER_S_MAX ? seconds : RETRY_AFTER_S_MAX);
}

static enum sent judge(const struct http *h, long status, uint64_t *after_ms, struct err *e)
{
	unsigned i = 0;

	while (status < statuses[i].from || status > statuses[i].to)
		i++;
	if (statuses[i].sent != SENT)
		err_set(e, statuses[i].sent == SENT_REFUSED ? -EBADMSG : -EAGAIN,
			"%s answers %ld: %s", h->where, status, statuses[i].meaning);
	if (statuses[i].sent == SENT_LATER)
		*after_ms = wanted_wait_ms(h);
	return statuses[i].sent;
}

static enum sent tell_failure(const struct http *h, CURLcode r, struct err *e)
{
	char said[RECEIVER_SAID_MAX];

	receiver_said(*h->why ? h->why : h->curl->easy_strerror(r), said);
	err_set(e, r == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO, "%s: %s", h->where, said);
	return SENT_LATER;
}

static enum sent send_these(struct http *h, const struct alert *alerts, size_t n,
			    uint64_t *after_ms, struct err *e)
{
	const char *type;
	long status;
	CURLcode r;

	buf_reset(&h->body);
	type = body_add(h->format, alerts, n, &h->body);
	if (!type) {
		err_set(e, -EMSGSIZE, "an alert is too long");
		return SENT_REFUSED;
	}
	r = post(h, type, &status);
	return r == CURLE_OK ? judge(h, status, after_ms, e) : tell_failure(h, r, e);
}

/*
 * One request a call.  When one of several alerts is refused, nobody says which: then each goes
 * alone.
 */
static enum sent http_send(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			   uint64_t *after_ms, struct err *e)
{
	struct http *h = sender;
	enum sent sent;

	*n_done = *after_ms = 0;
	if (n > h->batch)
		n = h->batch;
	if (n > 1 && !h->n_alone) {
		sent = send_these(h, alerts, n, after_ms, e);
		if (sent == SENT)
			*n_done = n;
		if (sent != SENT_REFUSED)
			return sent;
		h->n_alone = n;
		*e = (struct err){0};
	}
	sent = send_these(h, alerts, 1, after_ms, e);
	if (sent == SENT)
		*n_done = 1;
	if (sent != SENT_LATER && h->n_alone)
		h->n_alone--;
	return sent;
}

/* Whoever answers next does so on another connection. */
static void http_reopen(void *sender)
{
	struct http *h = sender;

	h->curl->easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, 1L);
}

const struct sender_kind http_sender = {
	.name = "http",
	.batch_max = 1000,
	.open = http_open,
	.send = http_send,
	.reopen = http_reopen,
	.close = http_close,
};
